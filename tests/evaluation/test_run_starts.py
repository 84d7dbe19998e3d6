"""The other ways to start a test: a pasted address, an uploaded picture, two versions on the same listings."""

import io
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from annotation.models import Product
from crawler.models import Listing, WorkState
from evaluation import services
from evaluation.models import Judgment, ModelVersion, Prediction, PredictionRun, RunKind
from evaluation.services.run_predictions import places
from tests.evaluation.factories import make_cached_page, make_catalogue, make_listing, make_model, make_picture

URL = "/evaluation/"
HTMX = {"HX-Request": "true"}


def png():
    buffer = io.BytesIO()
    Image.new("RGB", (40, 60), (10, 90, 30)).save(buffer, "PNG")
    return SimpleUploadedFile("tea.png", buffer.getvalue(), "image/png")


def answer_all(run, product):
    Prediction.objects.filter(run_id=run.id).update(
        state=WorkState.DONE,
        product_id=product.id,
        product_name=product.name,
        product_confidence=0.8,
        top5=[[product.id, product.name, 0.8]],
    )
    return services.run_advance(run_id=run.id)


def test_a_crawled_address_is_tested_at_once(sign_in):
    make_model()
    listing = make_listing(1)
    sign_in("evaluator").post(URL, {"kind": "address", "address": f"看看 {listing.url}"})
    run = PredictionRun.objects.get()
    assert (run.kind, run.state, run.listing_ids, run.total) == (RunKind.ADDRESS, WorkState.RUNNING, [listing.id], 1)


def test_an_address_typed_as_a_keyword_is_an_address(sign_in):
    make_model()
    sign_in("evaluator").post(URL, {"keyword": make_listing(1).url})
    assert PredictionRun.objects.get().kind == RunKind.ADDRESS


def test_another_address_is_read_by_a_worker(sign_in, shop, goods, nudges):
    make_model()
    client = sign_in("evaluator")
    client.post(URL, {"kind": "address", "address": f"{shop.address}/items/{goods.goods[0].item_id}"})
    run = PredictionRun.objects.get()
    assert (run.state, nudges) == (WorkState.PENDING, [("evaluation.tasks.fetch_address", run.id)])
    progress = reverse("evaluation:run_progress", args=[run.id])
    assert "Reading the page" in client.get(progress).content.decode()
    for _delivery in range(2):
        services.address_fetch(run_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.listing_ids) == (WorkState.RUNNING, [Listing.objects.get().id])
    assert Prediction.objects.get().title == goods.goods[0].title


def test_a_page_that_cannot_be_read_says_what_to_do(sign_in, shop):
    make_model()
    client = sign_in("evaluator")
    client.post(URL, {"kind": "address", "address": shop.address + "/"})
    run = PredictionRun.objects.get()
    services.address_fetch(run_id=run.id)
    response = client.get(reverse("evaluation:run_progress", args=[run.id]))
    assert response.status_code == 286
    page = response.content.decode()
    assert "shows no product" in page
    assert "?kind=upload" in page
    assert f"?kind=address&amp;address={quote(shop.address)}" in page


def test_an_upload_is_tested_at_once(sign_in):
    make_model()
    sign_in("evaluator").post(URL, {"kind": "upload", "picture": png(), "title": "Green tea"})
    run = PredictionRun.objects.get()
    assert (run.kind, run.state, run.subject) == (RunKind.UPLOAD, WorkState.RUNNING, "Green tea")
    assert Prediction.objects.get().title == "Green tea"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "address", "address": "green tea"}, "“green tea” is no web address"),
        ({"kind": "address"}, "Paste the address"),
        ({"kind": "upload", "title": "kept"}, "Choose a picture"),
        ({"kind": "upload", "title": "kept", "picture": SimpleUploadedFile("a.png", b"<svg/>")}, "not a JPEG"),
        ({"keyword": "tea", "model": "none"}, "no version “none”"),
    ],
)
def test_bad_input_is_told_and_kept(sign_in, data, words):
    make_model()
    response = sign_in("evaluator").post(URL, data)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert not PredictionRun.objects.exists()
    for field in {"address", "title"} & data.keys():
        assert f'value="{data[field]}"' in page


@pytest.fixture
def compared(sign_in):
    """A blind run of two versions on eight listings, all answered alike, and a catalogue with a picture."""
    one, other = make_model("model one"), make_model("model two", active=False)
    make_cached_page("tea", [make_listing(number) for number in range(8)])
    data = {"keyword": "tea", "model": one.id, "other_model": other.id, "blind": "true"}
    sign_in("evaluator").post(URL, data)
    product = make_catalogue()[0]
    Product.objects.filter(id=product.id).update(image_sha256=make_picture(77))
    return answer_all(PredictionRun.objects.get(), product)


def test_two_versions_answer_each_listing_in_an_order_that_is_drawn(compared):
    assert (compared.state, compared.total) == (WorkState.DONE, 16)
    firsts = {place.model_name for place in places(compared) if place.position % 2 == 0}
    assert firsts == {"model one", "model two"}
    rows = Prediction.objects.order_by("position").values_list("position", "model_id", "listing_id")
    assert list(rows) == [(place.position, place.model_id, place.listing_id) for place in places(compared)]


def test_a_blind_run_names_no_version_until_all_is_judged(sign_in, compared):
    client = sign_in("evaluator")
    url, judge = (reverse(f"evaluation:{name}", args=[compared.id]) for name in ("run", "judge"))
    page = client.get(url).content.decode()
    assert page.count("Answer 1") == 8
    for told in ("model one", "model two", compared.other_model_id):
        assert told not in page
    assert "two versions, blind" in client.get(URL).content.decode()
    answers = {f"verdict-{place.position}": "right" for place in places(compared) if place.model_name == "model one"}
    client.post(judge, answers, headers=HTMX)
    assert "model one" not in client.get(url).content.decode()
    rest = {f"verdict-{place.position}": "unsure" for place in places(compared) if place.model_name == "model two"}
    assert client.post(judge, rest, headers=HTMX)["HX-Refresh"] == "true"
    assert Judgment.objects.filter(model_id=compared.model_id, verdict="right").count() == 8
    assert "model two" in client.get(url).content.decode()


def test_what_is_wrong_with_an_answer_is_told_at_its_own_card(sign_in, compared):
    judge = reverse("evaluation:judge", args=[compared.id])
    response = sign_in("evaluator").post(judge, {"verdict-5": "wrong"}, headers=HTMX)
    assert response.status_code == 422
    page = response.content.decode()
    assert 'id="note-5"' in page
    assert "Which product is it?" in page


def test_a_version_is_not_compared_with_itself(sign_in):
    model = make_model()
    response = sign_in("evaluator").post(URL, {"keyword": "tea", "other_model": model.id})
    assert response.status_code == 422
    assert "compared with itself" in response.content.decode()


def test_a_model_that_cannot_be_loaded_leaves_the_other_one_its_answers(compared):
    Prediction.objects.all().delete()
    PredictionRun.objects.update(state=WorkState.RUNNING)
    run = services.run_advance(run_id=compared.id)
    other = ModelVersion.objects.get(id=run.other_model_id)
    from evaluation.services.runs import runs_fail

    runs_fail(model=other, model_id=other.id, reason="damaged")
    run.refresh_from_db()
    assert run.state == WorkState.RUNNING
    assert Prediction.objects.filter(state=WorkState.PENDING).count() == 8


def test_the_catalogue_picture_stands_beside_and_a_rejection_is_told(sign_in, compared):
    Prediction.objects.filter(position=0).update(rejected=True, nearest=[["tea-0", "Near tea", make_picture(5), 0.9]])
    page = sign_in("evaluator").get(reverse("evaluation:run", args=[compared.id])).content.decode()
    assert page.count("Catalogue picture of Tea 0") == 16
    assert "best guess: Tea 0" in page
    assert "Near tea" in page


def test_what_others_said_is_told_after_ones_own_word(sign_in, compared):
    judge, url = (reverse(f"evaluation:{name}", args=[compared.id]) for name in ("judge", "run"))
    sign_in("superuser").post(judge, {"verdict-0": "right", "verdict-1": "unsure"})
    client = sign_in("evaluator")
    assert "another person" not in client.get(url).content.decode()
    page = client.post(judge, {"verdict-0": "right", "verdict-1": "right"}, headers=HTMX).content.decode()
    assert page.count("another person agrees") == page.count("another person says otherwise") == 1


def test_the_start_page_says_what_is_unfinished(sign_in, compared):
    client = sign_in("evaluator")
    client.post(reverse("evaluation:judge", args=[compared.id]), {"verdict-0": "right"})
    page = client.get(URL).content.decode()
    assert 'id="unfinished"' in page
    assert "1 of 16 judged" in page
