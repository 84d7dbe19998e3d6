"""/evaluation/models/<model>/words/: asked on a page, drawn by a worker, one picture a word."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crawler.models import Listing, WorkState
from evaluation import services
from evaluation.models import ModelVersion, WordAlignment
from evaluation.services import alignments
from tests.evaluation.factories import make_catalogue, make_listing, make_model, make_picture, make_run

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
TASK = "evaluation.tasks.draw_alignment"


@pytest.fixture
def model():
    return make_model("vilt_demo #1")


@pytest.fixture
def listing():
    return make_listing(1, title="green <b>tea")


@pytest.fixture
def drawer(monkeypatch):
    """Stands in for the model: every word is drawn as a picture of its own."""
    drawn: list[str] = []

    def draw(asked):
        drawn.append(asked.id)
        return [(word, make_picture(100 + place)) for place, word in enumerate(asked.title.split())]

    monkeypatch.setattr(alignments, "_drawn", draw)
    return drawn


def ask_url(model):
    return reverse("evaluation:alignment_ask", args=[model.id])


def url_of(model, listing):
    return reverse("evaluation:alignment", args=[model.id, listing.id])


@pytest.mark.parametrize("field", ["id", "url"])
def test_it_is_asked_drawn_and_looked_at(sign_in, model, listing, drawer, nudges, field):
    client = sign_in("operator")
    response = client.post(ask_url(model), {"listing": f" {getattr(listing, field)} "})
    page = url_of(model, listing)
    assert response["Location"] == page
    asked = WordAlignment.objects.get()
    assert nudges == [(TASK, asked.id)]
    assert "worker is looking at the picture" in client.get(page).content.decode()
    polled = client.get(page, headers={"HX-Request": "true"})
    assert (polled.status_code, "<h1>" in polled.content.decode()) == (200, False)
    services.alignment_draw(alignment_id=asked.id)
    polled = client.get(page, headers={"HX-Request": "true"})
    assert (polled.status_code, polled["HX-Refresh"]) == (286, "true")
    first, second = client.get(page).content.decode(), client.get(page, {"word": "1"}).content.decode()
    assert "Where the model sees “green”" in first
    assert "Where the model sees “&lt;b&gt;tea”" in second
    assert asked.image_sha256 in first
    assert make_picture(100) in first
    assert make_picture(101) in second
    for odd in ("-1", "7", "x", "9" * 50, "²"):
        assert "“green”" in client.get(page, {"word": odd}).content.decode()


def test_it_is_drawn_once_until_the_listing_changes(model, listing, drawer, nudges):
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    services.alignment_draw(alignment_id=asked.id)
    services.alignment_draw(alignment_id=asked.id)
    assert services.alignment_ask(model=model, listing_named=listing.id).state == WorkState.DONE
    assert (len(drawer), len(nudges)) == (1, 1)
    Listing.objects.update(title="black tea")
    assert services.alignment_ask(model=model, listing_named=listing.id).state == WorkState.PENDING
    services.alignment_draw(alignment_id=asked.id)
    assert [word for word, _sha in WordAlignment.objects.get().words] == ["black", "tea"]


def test_after_a_day_it_is_to_be_asked_again(sign_in, model, listing, drawer):
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    services.alignment_draw(alignment_id=asked.id)
    WordAlignment.objects.update(asked_at=timezone.now() - timedelta(days=1))
    client = sign_in("operator")
    response = client.get(url_of(model, listing), follow=True)
    assert response.redirect_chain == [(ask_url(model), 302)]
    assert "choose the listing again" in response.content.decode()
    client.post(ask_url(model), {"listing": listing.id})
    assert WordAlignment.objects.get().state == WorkState.PENDING


@pytest.mark.parametrize("case", ["unknown", "empty", "no picture"])
def test_what_cannot_be_aligned_is_said_and_kept_in_the_field(sign_in, model, case, nudges):
    bare = make_listing(2, image_sha256="")
    named = {"unknown": "no-such-<i>", "empty": "", "no picture": bare.id}[case]
    response = sign_in("operator").post(ask_url(model), {"listing": named})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="error-listing"' in page
    assert "<i>" not in page
    assert case == "empty" or named.replace("<i>", "&lt;i&gt;") in page
    assert not nudges


def test_a_failure_is_told_and_can_be_asked_again(sign_in, model, listing, monkeypatch):
    def fail(asked):
        raise FileNotFoundError("model.safetensors is missing")

    monkeypatch.setattr(alignments, "_drawn", fail)
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    services.alignment_draw(alignment_id=asked.id)
    assert "model.safetensors is missing" in sign_in("operator").get(url_of(model, listing)).content.decode()
    assert services.alignment_ask(model=model, listing_named=listing.id).state == WorkState.PENDING


def test_one_that_kills_its_workers_is_given_up(model, listing, drawer):
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    WordAlignment.objects.update(attempts=3)
    services.alignment_draw(alignment_id=asked.id)
    asked.refresh_from_db()
    assert (asked.state, drawer) == (WorkState.FAILED, [])


def test_a_lost_task_is_queued_again(model, listing, nudges, monkeypatch):
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    nudges.clear()
    assert services.alignments_resume() == 0
    monkeypatch.setattr(alignments, "RESUME_AFTER", -alignments.RESUME_AFTER)
    assert services.alignments_resume() == 1
    assert nudges == [(TASK, asked.id)]


def test_the_last_predictions_are_offered(sign_in, person, model):
    run = make_run(person("evaluator"), make_catalogue(2), model=model)
    page = sign_in("operator").get(ask_url(model)).content.decode()
    for listing_id in run.listing_ids:
        assert f'name="listing" value="{listing_id}"' in page


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_not(sign_in, role, model, listing):
    client = sign_in(role)
    assert client.get(ask_url(model)).status_code == 403
    assert client.post(ask_url(model), {"listing": listing.id}).status_code == 403
    assert client.get(url_of(model, listing)).status_code == 403
    assert not WordAlignment.objects.exists()


def test_what_is_not_there_is_not_found(sign_in, model, listing):
    client = sign_in("operator")
    assert client.get(url_of(model, listing)).status_code == 404
    ModelVersion.objects.all().delete()
    assert client.get(ask_url(model)).status_code == 404
