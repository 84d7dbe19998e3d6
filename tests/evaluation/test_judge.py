"""/evaluation/runs/<id>/judgments/: what an evaluator says is saved, replaced, or refused with nothing lost."""

import pytest
from django.urls import reverse

from annotation.models import Product
from evaluation.models import Judgment, Prediction, Verdict
from tests.evaluation.factories import make_catalogue, make_run

HTMX = {"HX-Request": "true"}


@pytest.fixture
def products(person):  # `person` brings the databases
    return make_catalogue(6)


@pytest.fixture
def run(person, products):
    return make_run(person("evaluator"), [products[0], products[1], products[2], None])


@pytest.fixture
def url(run):
    return reverse("evaluation:judge", args=[run.id])


def test_it_saves_with_a_snapshot(sign_in, run, url, products):
    response = sign_in("evaluator").post(
        url,
        {"verdict-0": "right", "verdict-1": "wrong", "right-1": "product:tea-3", "verdict-2": "unsure"},
        headers=HTMX,
    )
    assert response.status_code == 200
    page = response.content.decode()
    assert "Saved: 3 judgments." in page
    assert "3 of 4 saved" in page
    assert '<div id="messages" hx-swap-oob="innerHTML">' in page
    assert page.count('class="saved"') == 3
    judgment = Judgment.objects.get(verdict=Verdict.WRONG)
    prediction = Prediction.objects.get(run_id=run.id, position=1)
    assert judgment.prediction_id == prediction.id
    assert (judgment.title, judgment.price, judgment.url) == (prediction.title, prediction.price, prediction.url)
    assert (judgment.predicted_product_id, judgment.right_product_id) == ("tea-1", "tea-3")
    assert (judgment.right_product_name, judgment.right_brand_id) == ("Tea 3", "brand-1")
    assert (judgment.evaluator_name, judgment.model_id, judgment.keyword) == ("evaluator", run.model_id, "tea")


def test_it_takes_a_typed_name_and_not_in_our_catalogue(sign_in, url):
    data = {
        "verdict-0": "wrong",
        "right-0": "other",
        "other-0": " Tea 5 ",
        "verdict-1": "wrong",
        "right-1": "absent",
    }
    sign_in("evaluator").post(url, data)
    rights = {row.predicted_product_id: row.right_product_id for row in Judgment.objects.all()}
    assert rights == {"tea-0": "tea-5", "tea-1": ""}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "Which product is it?"),
        ({"right-0": "other", "other-0": "  "}, "Which product is it?"),
        ({"right-0": "other", "other-0": "<b>Cola</b>"}, "&lt;b&gt;Cola&lt;/b&gt;” is not in the catalogue"),
        ({"right-0": "product:cola"}, "Which product is it?"),
        ({"right-0": "product:tea-0"}, "what the model said"),
    ],
)
def test_wrong_needs_a_right_product_and_nothing_is_lost(sign_in, url, answer, words):
    data = {"verdict-0": "wrong", "verdict-1": "right"} | answer
    response = sign_in("evaluator").post(url, data, headers=HTMX)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "Nothing is saved yet: 1 card" in response.content.decode()
    assert not Judgment.objects.exists()
    # With htmx the cards stay as they are in the page; without a script they come back as they were sent.
    assert "verdict-0" not in response.content.decode()
    page = sign_in("evaluator").post(url, data)
    assert page.status_code == 422
    assert page.content.decode().count(" checked") >= 2


def test_said_again_it_replaces(sign_in, url):
    client = sign_in("evaluator")
    client.post(url, {"verdict-0": "right"})
    client.post(url, {"verdict-0": "wrong", "right-0": "product:tea-1"})
    judgment = Judgment.objects.get()
    assert (judgment.verdict, judgment.right_product_id) == (Verdict.WRONG, "tea-1")
    client.post(url, {"verdict-0": "right", "right-0": "product:tea-1"})
    judgment = Judgment.objects.get()
    assert (judgment.verdict, judgment.right_product_id, judgment.right_brand_id) == (Verdict.RIGHT, "", "")


def test_the_same_again_changes_nothing(sign_in, url):
    client = sign_in("evaluator")
    client.post(url, {"verdict-0": "right", "verdict-1": "unsure"})
    before = list(Judgment.objects.order_by("id").values())
    assert client.post(url, {"verdict-0": "right", "verdict-1": "unsure"}).status_code == 302
    assert list(Judgment.objects.order_by("id").values()) == before


def test_two_evaluators_do_not_overwrite_each_other(sign_in, url):
    sign_in("evaluator").post(url, {"verdict-0": "right"})
    sign_in("superuser").post(url, {"verdict-0": "unsure"})
    assert sorted(row.verdict for row in Judgment.objects.all()) == ["right", "unsure"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"verdict-": "right"},
        {"verdict-x": "right"},
        {"verdict-0": "perhaps"},
        {"verdict-3": "right"},  # its prediction failed
        {"verdict-9": "right"},
        {"verdict-" + "9" * 500: "right"},
    ],
)
def test_it_refuses_what_cannot_be_judged(sign_in, url, data):
    assert sign_in("evaluator").post(url, data, headers=HTMX).status_code == 422
    assert not Judgment.objects.exists()


def test_a_product_that_was_taken_out_cannot_be_typed(sign_in, url):
    Product.objects.filter(id="tea-5").update(active=False)
    data = {"verdict-0": "wrong", "right-0": "other", "other-0": "Tea 5"}
    assert sign_in("evaluator").post(url, data).status_code == 422


def test_others_may_not(sign_in, url):
    assert sign_in("annotator").post(url, {"verdict-0": "right"}).status_code == 403
    assert sign_in("evaluator").get(url).status_code == 405
    assert sign_in("evaluator").post(reverse("evaluation:judge", args=["x"])).status_code == 404
    assert not Judgment.objects.exists()
