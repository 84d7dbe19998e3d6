"""`/api/predictions`: listings and pictures are asked about, at once or as a job; who may, and what is refused."""

import io

import pytest
from PIL import Image

from annotation.models import Product
from crawler.models import Listing, WorkState
from evaluation import services
from evaluation.models import Prediction, PredictionRun
from evaluation.services import asking
from tests.evaluation.conftest import Answered
from tests.evaluation.factories import make_catalogue, make_listing, make_model, make_run

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL, JSON = "/api/predictions", "application/json"


@pytest.fixture
def model(person):
    make_catalogue(2)
    return make_model()


@pytest.fixture
def client(sign_in):
    return sign_in("evaluator")


@pytest.fixture
def at_once(stand_in, monkeypatch):
    """A worker that answers while the request waits."""
    monkeypatch.setattr("evaluation.services.run_predictions.nudge", lambda task: services.predictions_run())
    return stand_in


def picture(colour=(10, 90, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 60), colour).save(buffer, "PNG")
    buffer.seek(0)
    buffer.name = "photo.png"
    return buffer


def ask(client, *listings, **more):
    return client.post(URL, {"listings": [one.id for one in listings], **more}, JSON)


class TestListings:
    def test_what_is_answered_in_time_comes_at_once(self, client, model, at_once):
        one, other = make_listing(1), make_listing(2)
        at_once.on_pair = lambda pair: Answered(product="tea-1" if pair.title.endswith("2") else "tea-0")
        answer = ask(client, one, other, wait=5)
        assert answer.status_code == 200, answer.content
        data = answer.json()
        assert (data["state"], data["answered"], data["total"]) == ("done", 2, 2)
        first, second = data["predictions"]
        assert (first["listing"], first["product"], second["product"]) == (one.id, "tea-0", "tea-1")
        assert first["model"] == model.id
        assert first["top5"][0] == {"product": "tea-0", "product_name": "Tea 0", "confidence": 0.75}
        assert first["image"] == f"/images/{one.image_sha256}.jpg"
        assert client.get(f"{URL}/{first['id']}").json() == first

    def test_what_is_not_is_a_job_to_poll(self, client, model, stand_in):
        answer = ask(client, make_listing(1), wait=0.2)
        assert answer.status_code == 202
        assert answer["Retry-After"] == "1"
        poll = answer["Location"]
        assert client.get(poll).json()["state"] == "pending"
        services.predictions_run()
        data = client.get(poll).json()
        assert (data["state"], data["answered"]) == ("done", 1)
        assert data["predictions"][0]["state"] == WorkState.DONE

    def test_a_listing_without_a_picture_fails_alone(self, client, model, at_once):
        answer = ask(client, make_listing(1, image_sha256="", image_error="gone"), make_listing(2), wait=5)
        assert [(one["state"], one["error"]) for one in answer.json()["predictions"]] == [
            ("failed", "gone"),
            ("done", ""),
        ]

    def test_asked_again_under_the_same_job_it_is_the_same(self, client, model, sign_in):
        one, other = make_listing(1), make_listing(2)
        first, again = ask(client, one, job="mine-1"), ask(client, one, job="mine-1")
        assert first.json() == again.json()
        assert PredictionRun.objects.count() == Prediction.objects.count() == 1
        assert ask(client, other, job="mine-1").status_code == 409
        assert ask(sign_in("superuser"), one, job="mine-1").status_code == 409

    def test_another_version_can_be_named(self, client, model):
        other = make_model("other", active=False)
        assert ask(client, make_listing(1), model=other.id).json()["model"] == other.id


class TestUploads:
    def test_several_pictures_with_titles(self, client, model, at_once):
        data = {"picture": [picture(), picture((200, 0, 0))], "title": ["green tea", ""], "wait": 5}
        answer = client.post(URL, data)
        assert answer.status_code == 200, answer.content
        assert [one["title"] for one in answer.json()["predictions"]] == ["green tea", ""]
        assert {one["source"] for one in answer.json()["predictions"]} == {"upload"}
        assert PredictionRun.objects.get().kind == "upload"
        client.post(URL, data | {"picture": [picture(), picture((200, 0, 0))]})
        assert Listing.objects.count() == 2

    def test_a_bad_picture_is_named(self, client, model):
        bad = io.BytesIO(b"<svg/>")
        bad.name = "drawing.svg"
        answer = client.post(URL, {"picture": [picture(), bad], "title": ["a", "b"]})
        assert answer.status_code == 400
        (message,) = answer.json()["errors"]["picture"]
        assert message.startswith("Picture 2, “drawing.svg”:")
        assert not PredictionRun.objects.exists()

    def test_titles_must_match(self, client, model):
        answer = client.post(URL, {"picture": [picture()], "title": ["a", "b"]})
        assert "2 titles for 1 pictures" in answer.json()["errors"]["title"][0]


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({}, "listings", "either listings or pictures"),
        ({"listings": []}, "listings", "either listings or pictures"),
        ({"listings": ["nothing"]}, "listings", "“nothing”"),
        ({"listings": ["x" * 65]}, "listings", ""),
        ({"listings": ["x"], "wait": 26}, "wait", "26"),
        ({"listings": ["x"], "job": "a/b"}, "job", "a/b"),
    ],
)
def test_what_is_refused_names_field_and_value_and_starts_nothing(client, model, data, field, words):
    answer = client.post(URL, data, JSON)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert words in str(answer.json()["errors"][field])
    assert not PredictionRun.objects.exists()


def test_too_many_listings_are_refused(client, model):
    ids = [str(number) for number in range(asking.MAX_LISTINGS + 1)]
    assert client.post(URL, {"listings": ids}, JSON).status_code == 400


@pytest.mark.parametrize("name", ["unknown", "retired", "pretrained"])
def test_a_model_that_cannot_answer_is_refused(client, model, name):
    asked = make_model(name, active=False)
    if name == "retired":
        asked.retired_at = asked.created_at
    if name == "pretrained":
        asked.kind = "pretrain"
    asked.save()
    wanted = "x" if name == "unknown" else asked.id
    answer = ask(client, make_listing(1), model=wanted)
    assert answer.status_code == 400
    assert wanted in answer.json()["errors"]["model"][0]


def test_without_a_model_it_says_so(client):
    answer = ask(client, make_listing(1))
    assert "no model" in answer.json()["errors"]["model"][0]


class TestList:
    def test_pages_stay_put_while_more_arrive(self, client, person, model):
        products = make_products()
        make_run(person("evaluator"), products * 2, model=model)
        first = client.get(URL, {"page_size": 3}).json()
        make_run(person("evaluator"), products, model=model)
        second = client.get(URL, {"page_size": 3, "cursor": first["next_cursor"]}).json()
        assert second["next_cursor"] == ""
        ids = [one["id"] for one in first["predictions"] + second["predictions"]]
        assert len(ids) == len(set(ids)) == 4

    def test_filters(self, client, person, model):
        products = make_products()
        run = make_run(person("evaluator"), [*products, None], model=model)
        make_run(person("evaluator"), products, model=make_model("other"))
        assert len(client.get(URL, {"job": run.id}).json()["predictions"]) == 3
        assert len(client.get(URL, {"product": "tea-0", "model": model.id}).json()["predictions"]) == 1
        assert len(client.get(URL, {"state": "failed"}).json()["predictions"]) == 1
        assert len(client.get(URL, {"rejected": "true"}).json()["predictions"]) == 0

    @pytest.mark.parametrize("query", [{"cursor": "x"}, {"prodct": "tea-0"}, {"page_size": 0}, {"state": "odd"}])
    def test_what_it_cannot_filter_by_is_refused(self, client, query):
        answer = client.get(URL, query)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == list(query)


def make_products():
    return list(Product.objects.order_by("id")[:2])


@pytest.mark.parametrize(("role", "status"), [("annotator", 403), ("reviewer", 403), ("nobody", 403)])
def test_others_may_not(sign_in, role, status, model):
    client = sign_in(role)
    assert client.get(URL).status_code == status
    assert ask(client, make_listing(1)).status_code == status
    assert not PredictionRun.objects.exists()


def test_what_is_not_there_is_not_found(client):
    assert client.get(f"{URL}/x").status_code == 404
    assert client.get(f"{URL}/jobs/x").status_code == 404


def test_the_schema_describes_it(client):
    paths = client.get("/api/schema", {"format": "json"}).json()["paths"]
    for path in ("/api/predictions", "/api/predictions/jobs/{run_id}", "/api/judgments", "/api/statistics"):
        assert path in paths
    assert set(paths["/api/predictions"]["post"]["responses"]) >= {"200", "202", "400", "409"}
