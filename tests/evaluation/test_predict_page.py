"""/evaluation/: the form that starts a test, and the user's last tests."""

import pytest
from django.urls import reverse
from kombu.exceptions import OperationalError

from crawler.models import Crawl, WorkState
from evaluation.models import Prediction, PredictionRun
from tests.evaluation.factories import make_cached_page, make_catalogue, make_listing, make_model, make_run

URL = "/evaluation/"
NUDGE = ("evaluation.tasks.predict_pending",)


def test_it_starts_a_run_from_the_cache(sign_in, nudges):
    model = make_model()
    listings = [make_listing(number) for number in range(3)]
    make_cached_page("tea", listings)
    response = sign_in("evaluator").post(URL, {"keyword": " Tea ", "page": "1"})
    run = PredictionRun.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("evaluation:run", args=[run.id])
    assert (run.state, run.total, run.model_id, run.crawl_id) == (WorkState.RUNNING, 3, model.id, "")
    rows = Prediction.objects.filter(run_id=run.id).order_by("position")
    assert [row.listing_id for row in rows] == [listing.id for listing in listings]
    assert nudges == [NUDGE]


def test_with_htmx_it_leads_to_the_run(sign_in):
    make_model()
    make_cached_page("tea", [make_listing(1)])
    response = sign_in("evaluator").post(URL, {"keyword": "tea"}, headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == reverse("evaluation:run", args=[PredictionRun.objects.get().id])


def test_without_a_cached_page_it_waits_for_a_crawl(sign_in):
    make_model()
    sign_in("evaluator").post(URL, {"keyword": "tea", "page": "2"})
    run = PredictionRun.objects.get()
    assert (run.state, run.page, run.crawl_id) == (WorkState.PENDING, 2, Crawl.objects.get().id)


def test_it_crawls_afresh_when_asked(sign_in):
    make_model()
    make_cached_page("tea", [make_listing(1)])
    sign_in("evaluator").post(URL, {"keyword": "tea", "force_update": "true"})
    assert PredictionRun.objects.get().state == WorkState.PENDING
    assert Crawl.objects.count() == 1


def test_the_second_call_is_a_run_of_its_own(sign_in):
    make_model()
    make_cached_page("tea", [make_listing(1)])
    client = sign_in("evaluator")
    client.post(URL, {"keyword": "tea"})
    client.post(URL, {"keyword": "tea"})
    assert PredictionRun.objects.count() == 2
    assert Prediction.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"keyword": "   "}, "Type a keyword"),
        ({"keyword": "x" * 201}, "at most 200"),
        ({"keyword": "tea", "page": "0"}, "greater than or equal to 1"),
        ({"keyword": "tea", "page": "first"}, "whole number"),
    ],
)
def test_it_refuses_bad_input_and_keeps_what_was_typed(sign_in, data, words):
    make_model()
    response = sign_in("evaluator").post(URL, data)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert f'value="{data["keyword"]}"' in response.content.decode()
    assert not PredictionRun.objects.exists()


def test_without_a_model_it_says_so_and_links_to_training(sign_in):
    page = sign_in("superuser").get(URL).content.decode()
    assert "There is no model to test yet" in page
    assert reverse("evaluation:training") in page
    assert sign_in("superuser").post(URL, {"keyword": "tea"}).status_code == 422


def test_it_lists_only_the_users_own_runs_with_what_is_judged(sign_in, person):
    products = make_catalogue()
    make_run(person("evaluator"), [products[0]] * 3)
    other = make_run(person("superuser"), [products[0]])
    client = sign_in("evaluator")
    run = PredictionRun.objects.get(started_by="evaluator")
    client.post(reverse("evaluation:judge", args=[run.id]), {"verdict-0": "right"})
    page = client.get(URL).content.decode()
    assert "1 of 3" in page
    assert other.id not in page


def test_a_broker_that_is_away_loses_nothing(sign_in, monkeypatch):
    class Away:
        def send_task(self, *args, **options):
            raise OperationalError("no broker")

    monkeypatch.setattr("mmproject.queue.current_app", Away())
    make_model()
    make_cached_page("tea", [make_listing(1)])
    assert sign_in("evaluator").post(URL, {"keyword": "tea"}).status_code == 302
    assert Prediction.objects.filter(state=WorkState.PENDING).count() == 1


@pytest.mark.parametrize("role", ["nobody", "annotator", "operator"])
def test_others_may_not(sign_in, role):
    assert sign_in(role).get(URL).status_code == 403
    assert sign_in(role).post(URL, {"keyword": "tea"}).status_code == 403


@pytest.mark.django_db(databases=["default", "mongo"])
def test_strangers_are_sent_to_the_login_page(client):
    assert client.get(URL)["Location"].startswith("/login/")


def test_it_only_allows_get_and_post(sign_in):
    assert sign_in("evaluator").put(URL).status_code == 405
