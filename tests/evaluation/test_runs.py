"""The run's state machine: whoever dies at whatever point, it ends once, whole."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from crawler.models import Crawl, Listing, SearchPage, WorkState
from evaluation import services
from evaluation.models import Prediction, PredictionRun, TrainingPicture
from evaluation.services.run_predictions import predictions_create
from tests.evaluation.factories import finish_crawl, make_cached_page, make_listing, make_model

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def age_runs():
    PredictionRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))


@pytest.fixture
def crawling(person):
    make_model()
    return services.run_start(keyword="tea", user=person("evaluator"))


def test_a_run_whose_page_was_closed_goes_on_by_the_periodic_task(crawling, nudges):
    finish_crawl(crawling.crawl_id, listings=[make_listing(number) for number in range(3)])
    age_runs()
    assert services.runs_resume() == 1
    assert PredictionRun.objects.get().state == WorkState.RUNNING
    assert Prediction.objects.filter(state=WorkState.PENDING).count() == 3
    assert ("evaluation.tasks.predict_pending",) in nudges


def test_advancing_any_number_of_times_makes_each_prediction_once(crawling):
    finish_crawl(crawling.crawl_id, listings=[make_listing(number) for number in range(3)])
    for _time in range(3):
        services.run_advance(run_id=crawling.id)
    assert Prediction.objects.count() == 3


def test_predictions_that_a_crash_left_unmade_are_made(crawling):
    finish_crawl(crawling.crawl_id, listings=[make_listing(number) for number in range(3)])
    services.run_advance(run_id=crawling.id)
    Prediction.objects.filter(position=1).delete()
    Prediction.objects.exclude(position=1).update(state=WorkState.DONE)
    run = services.run_advance(run_id=crawling.id)
    assert run.state == WorkState.RUNNING  # not done: one is not even made
    assert Prediction.objects.get(position=1).state == WorkState.PENDING


def test_two_who_make_the_predictions_at_once_make_each_once(crawling, monkeypatch):
    finish_crawl(crawling.crawl_id, listings=[make_listing(number) for number in range(3)])
    run = services.run_advance(run_id=crawling.id)
    rows = list(Prediction.objects.order_by("position"))
    Prediction.objects.all().delete()
    from evaluation.services import run_predictions

    honest = run_predictions._predictions

    def beaten(run, missing):
        made = honest(run, missing)
        if not Prediction.objects.exists():
            Prediction.objects.bulk_create(rows[:2])  # the other one, a moment earlier
        return made

    monkeypatch.setattr(run_predictions, "_predictions", beaten)
    predictions_create(run)
    assert sorted(row.position for row in Prediction.objects.all()) == [0, 1, 2]


def test_a_run_from_a_cache_entry_that_is_gone_waits_for_a_new_crawl(crawling):
    PredictionRun.objects.update(crawl_id="", state=WorkState.PENDING)
    SearchPage.objects.all().delete()
    run = services.run_advance(run_id=crawling.id)
    assert run.state == WorkState.PENDING
    assert run.crawl_id == Crawl.objects.get().id


def test_a_listing_without_a_picture_fails_alone(person):
    make_model()
    bad = make_listing(1, image_sha256="", image_state="failed", image_error="The shop answered 404.")
    make_cached_page("tea", [make_listing(0), bad, make_listing(2)])
    run = services.run_start(keyword="tea", user=person("evaluator"))
    states = [(row.state, row.error) for row in Prediction.objects.filter(run_id=run.id).order_by("position")]
    assert states == [("pending", ""), ("failed", "The shop answered 404."), ("pending", "")]


def test_a_listing_that_was_deleted_fails_alone(crawling):
    listings = [make_listing(number) for number in range(2)]
    finish_crawl(crawling.crawl_id, listings=listings)
    services.run_advance(run_id=crawling.id)
    Prediction.objects.all().delete()
    Listing.objects.filter(id=listings[1].id).delete()
    services.run_advance(run_id=crawling.id)
    assert [row.state for row in Prediction.objects.order_by("position")] == ["pending", "failed"]


def test_pictures_of_the_training_are_marked(person):
    model = make_model()
    listings = [make_listing(number) for number in range(2)]
    sha = listings[0].image_sha256
    TrainingPicture.objects.create(
        id=TrainingPicture.make_id(run_id=model.id, image_sha256=sha), run_id=model.id, image_sha256=sha
    )
    other = listings[1].image_sha256
    TrainingPicture.objects.create(
        id=TrainingPicture.make_id(run_id="another", image_sha256=other), run_id="another", image_sha256=other
    )
    make_cached_page("tea", listings)
    services.run_start(keyword="tea", user=person("evaluator"))
    assert [row.trained_on for row in Prediction.objects.order_by("position")] == [True, False]


def test_a_crawl_that_failed_fails_the_run(crawling):
    Crawl.objects.update(state=WorkState.FAILED, error="The shop is closed.")
    run = services.run_advance(run_id=crawling.id)
    assert (run.state, run.error) == (WorkState.FAILED, "The shop is closed.")


def test_one_run_that_cannot_go_on_does_not_hold_up_the_others(person, monkeypatch):
    make_model()
    user = person("evaluator")
    bad, good = (services.run_start(keyword=keyword, user=user) for keyword in ("bad", "good"))
    finish_crawl(good.crawl_id, listings=[make_listing(1)])
    age_runs()
    from crawler.services import crawl_result

    def sometimes(*, crawl_id):
        if crawl_id == bad.crawl_id:
            raise RuntimeError("no")
        return crawl_result(crawl_id=crawl_id)

    monkeypatch.setattr("evaluation.services.runs.crawler.crawl_result", sometimes)
    services.runs_resume()
    assert PredictionRun.objects.get(id=good.id).state == WorkState.RUNNING


def test_without_a_model_nothing_is_made(person):
    with pytest.raises(ValidationError):
        services.run_start(keyword="tea", user=person("evaluator"))
    assert not PredictionRun.objects.exists()
    assert not Crawl.objects.exists()
