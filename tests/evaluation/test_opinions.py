"""What the active model thinks of the listings that annotators look at."""

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotation import opinions
from evaluation import services
from evaluation.models import ListingOpinion
from evaluation.tasks import predict_opinions
from tests.evaluation.conftest import Answered
from tests.evaluation.factories import make_catalogue, make_listing, make_model

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture(autouse=True)
def _nobody_has_asked():
    cache.clear()


@pytest.fixture
def listings():
    make_catalogue()
    return [make_listing(number) for number in range(20)]


def ids(listings) -> list[str]:
    return [listing.id for listing in listings]


def carry_out(nudges) -> int:
    name, model_id, *listing_ids = nudges.pop()
    assert name == "evaluation.tasks.predict_opinions"
    return services.opinions_predict(model_id=model_id, listing_ids=listing_ids)


def test_the_task_does_it_on_the_queue_of_predictions(listings, stand_in, nudges, settings):
    make_model()
    opinions.ask(ids(listings[:2]))
    name, *arguments = nudges.pop()
    assert settings.CELERY_TASK_ROUTES[name] == {"queue": "predict"}
    assert predict_opinions.name == name
    predict_opinions(*arguments)
    assert ListingOpinion.objects.count() == 2


def test_what_is_asked_is_predicted_in_batches_and_answered(listings, stand_in, nudges):
    make_model("model 1")
    opinions.ask(ids(listings))
    assert opinions.opinions_of(ids(listings)) == {}
    assert carry_out(nudges) == 20
    assert [len(batch) for batch in stand_in.batches] == [16, 4]
    said = opinions.opinions_of(ids(listings[:3]))
    assert set(said) == set(ids(listings[:3]))
    opinion = said[listings[0].id]
    assert (opinion.product_id, opinion.product_name, opinion.brand_name) == ("tea-0", "Tea 0", "Brand 0")
    assert (opinion.confidence, opinion.percent, opinion.model) == (0.75, 75, "model 1")


def test_the_same_question_is_asked_once_and_only_what_is_missing(listings, stand_in, nudges):
    make_model()
    for _ in range(3):
        opinions.ask(ids(listings[:2]))
    assert len(nudges) == 1
    carry_out(nudges)
    opinions.ask(ids(listings[:2]))
    assert nudges == []
    opinions.ask(ids(listings[:3]))
    assert nudges[0][2:] == (listings[2].id,)


def test_the_same_task_delivered_twice_predicts_once(listings, stand_in, nudges):
    make_model()
    opinions.ask(ids(listings[:2]))
    task = nudges[0]
    assert carry_out(nudges) == 2
    nudges.append(task)
    assert carry_out(nudges) == 0
    assert len(stand_in.batches) == 1


def test_without_an_active_model_nothing_is_asked_or_known(listings, nudges):
    make_model(active=False)
    opinions.ask(ids(listings))
    assert nudges == []
    assert (opinions.active_model(), opinions.opinions_of(ids(listings))) == ("", {})


def test_another_model_has_opinions_of_its_own(listings, stand_in, nudges):
    make_model("old")
    opinions.ask(ids(listings))
    carry_out(nudges)
    make_model("new")
    assert opinions.active_model() == "new"
    assert opinions.opinions_of(ids(listings)) == {}
    opinions.ask(ids(listings))
    assert len(nudges) == 1


def test_what_the_model_cannot_say_is_not_asked_again(listings, stand_in, nudges):
    make_model()
    broken = make_listing(100, image_sha256="f" * 64)
    stand_in.on_pair = lambda pair: Answered(error="no" if pair.title == "Green tea 1" else "")
    chosen = [*listings[:2], broken]
    opinions.ask(ids(chosen))
    assert carry_out(nudges) == 3
    said = opinions.opinions_of(ids(chosen))
    assert [said[listing.id].product_id for listing in chosen] == ["tea-0", "", ""]
    opinions.ask(ids(chosen))
    assert nudges == []


def test_a_listing_without_a_picture_and_one_that_is_gone_get_none(listings, stand_in, nudges):
    model = make_model()
    bare = make_listing(100, image_sha256="")
    assert services.opinions_predict(model_id=model.id, listing_ids=[bare.id, "gone"]) == 0
    assert stand_in.batches == []


def test_a_model_that_is_gone_or_cannot_be_loaded_says_nothing(listings):
    assert services.opinions_predict(model_id="gone", listing_ids=ids(listings)) == 0
    assert services.opinions_predict(model_id=make_model(folder="nowhere").id, listing_ids=ids(listings)) == 0
    assert not ListingOpinion.objects.exists()


def test_reading_costs_two_queries_however_many_listings(listings, stand_in, nudges):
    make_model()
    opinions.ask(ids(listings))
    carry_out(nudges)
    for count in (1, 20):
        with CaptureQueriesContext(connections["mongo"]) as queries:
            assert len(opinions.opinions_of(ids(listings[:count]))) == count
        assert len(queries) == 2
