"""The prediction worker: leases, batches, bad pictures, damaged models, the same work delivered twice."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from crawler.images import image_name
from crawler.models import WorkState
from evaluation import services
from evaluation.models import Prediction, PredictionRun
from evaluation.services import loaded, predictions
from ml.training import train
from tests.evaluation.conftest import Answered
from tests.evaluation.factories import make_cached_page, make_catalogue, make_listing, make_model
from tests.ml.factories import tiny_config, write_dataset

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def start(person):
    """`start(5)`: a run with five waiting predictions."""
    make_catalogue()

    def make(count, *, model=None, keyword="tea"):
        model = model or make_model()
        first = Prediction.objects.count()
        make_cached_page(keyword, [make_listing(first + number) for number in range(count)])
        return services.run_start(keyword=keyword, user=person("evaluator"))

    return make


def states():
    return [row.state for row in Prediction.objects.order_by("position")]


def test_it_answers_all_in_batches_and_ends_the_run(start, stand_in):
    run = start(20)
    assert services.predictions_run() == 20
    assert [len(batch) for batch in stand_in.batches] == [16, 4]
    assert set(states()) == {"done"}
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    row = Prediction.objects.get(position=7)
    assert (row.brand_name, row.product_name, row.product_confidence) == ("Brand 0", "Tea 0", 0.75)
    assert row.top5 == [["tea-0", "Tea 0", 0.75], ["tea-1", "Tea 1", 0.2]]


def test_the_same_batch_delivered_twice_is_answered_once(start, stand_in):
    start(3)
    services.predictions_run()
    before = list(Prediction.objects.order_by("id").values())
    assert services.predictions_run() == 0
    assert list(Prediction.objects.order_by("id").values()) == before
    assert len(stand_in.batches) == 1


def test_what_another_worker_has_leased_is_left_to_it(start, stand_in):
    start(3)
    taken = Prediction.objects.get(position=1)
    Prediction.objects.filter(id=taken.id).update(
        leased_until=timezone.now() + timedelta(minutes=1), lease_token="other", attempts=1
    )
    assert services.predictions_run() == 2
    assert states() == ["done", "pending", "done"]
    assert PredictionRun.objects.get().state == WorkState.RUNNING


def test_two_workers_that_see_the_same_rows_take_each_once(start):
    start(6)
    row = Prediction.objects.get(position=0)
    first, second = predictions._lease(row), predictions._lease(row)
    assert len(first) == 6
    assert second == []


def test_after_a_dead_worker_each_row_is_taken_again_alone(start, stand_in):
    start(3)
    predictions._lease(Prediction.objects.get(position=0))  # and then it was killed
    assert services.predictions_run() == 0
    Prediction.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert services.predictions_run() == 3
    assert [len(batch) for batch in stand_in.batches] == [1, 1, 1]
    assert states() == ["done"] * 3


def test_a_row_that_keeps_killing_workers_is_given_up(start, stand_in):
    start(2)
    Prediction.objects.filter(position=0).update(attempts=predictions.MAX_ATTEMPTS)
    services.predictions_run()
    assert states() == ["failed", "done"]
    assert "stopped 3 times" in Prediction.objects.get(position=0).error
    assert PredictionRun.objects.get().state == WorkState.DONE


def test_a_late_answer_of_a_worker_that_was_given_up_changes_nothing(start):
    start(1)
    row = predictions._lease(Prediction.objects.get())[0]
    Prediction.objects.update(state=WorkState.DONE, product_id="tea-1")
    assert predictions._write(row, Answered(), names=predictions.catalogue_names([]), threshold=0.0) == 0
    assert Prediction.objects.get().product_id == "tea-1"


def test_a_picture_that_is_gone_fails_alone(start, stand_in):
    start(3)
    row = Prediction.objects.get(position=1)
    (Path(settings.MEDIA_ROOT) / image_name(row.image_sha256)).unlink()
    services.predictions_run()
    assert states() == ["done", "failed", "done"]
    assert "picture" in Prediction.objects.get(position=1).error


def test_a_pair_that_the_model_refuses_fails_alone_with_its_reason(start, stand_in):
    start(3)
    stand_in.on_pair = lambda pair: Answered(error="not a picture" if pair.title == "Green tea 1" else None)
    services.predictions_run()
    assert states() == ["done", "failed", "done"]
    assert "not a picture" in Prediction.objects.get(position=1).error


def test_a_pair_that_breaks_the_batch_fails_alone(start, stand_in):
    start(3)

    def answer(pair):
        if pair.title == "Green tea 1":
            raise RuntimeError("out of memory")
        return Answered()

    stand_in.on_pair = answer
    services.predictions_run()
    assert states() == ["done", "failed", "done"]
    assert "out of memory" in Prediction.objects.get(position=1).error


def test_a_missing_model_folder_fails_what_waits_and_says_what_to_do(start):
    run = start(2, model=make_model("lost"))
    services.predictions_run()
    run.refresh_from_db()
    assert run.state == WorkState.FAILED
    assert "“lost” cannot be loaded" in run.error
    assert "train again" in run.error
    assert states() == ["failed", "failed"]


def test_a_damaged_model_folder_does_not_stop_other_models(start, monkeypatch):
    damaged = make_model("damaged")
    folder = settings.MODELS_DIR / damaged.folder
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{")
    start(2, model=damaged)
    good = make_model("good")
    run = start(2, model=good, keyword="coffee")
    honest = predictions.predictor_for

    class Good:
        def predict(self, pairs, *, batch_size):
            return [Answered() for pair in pairs]

    monkeypatch.setattr(
        predictions, "predictor_for", lambda model_id: Good() if model_id == good.id else honest(model_id)
    )
    services.predictions_run()
    run.refresh_from_db()
    assert run.state == WorkState.DONE
    assert PredictionRun.objects.get(model_id=damaged.id).state == WorkState.FAILED


def test_a_model_that_was_deleted_fails_what_waits(start):
    model = make_model()
    start(1, model=model)
    model.delete()
    services.predictions_run()
    assert PredictionRun.objects.get().state == WorkState.FAILED


@pytest.mark.parametrize(("threshold", "rejected"), [(None, False), (0.75, False), (0.76, True)])
def test_below_the_versions_threshold_an_answer_is_not_in_our_catalogue(start, stand_in, threshold, rejected):
    model = make_model()
    services.threshold_set(model_id=model.id, threshold=threshold, username="operator")
    start(1, model=model)
    services.predictions_run()
    row = Prediction.objects.get()
    assert (row.state, row.rejected, row.product_name) == ("done", rejected, "Tea 0")


def test_a_listing_alone_does_not_wait_for_all_of_a_long_run(start, stand_in):
    model = make_model()
    long = start(40, model=model)
    short = start(1, model=model, keyword="coffee")
    order = []

    def answered(pair):
        order.append(Prediction.objects.get(title=pair.title).run_id)
        return Answered()

    stand_in.on_pair = answered
    services.predictions_run()
    assert order.index(short.id) < predictions.BATCH
    assert order.count(long.id) == 40


def test_what_a_worker_leaves_behind_is_offered_to_another_once(start, stand_in, nudges):
    start(40)
    nudges.clear()
    services.predictions_run()
    assert nudges == [(predictions.PREDICT_PENDING,)]


def test_two_versions_stay_loaded_and_no_more(tmp_path, settings):
    dataset = write_dataset(tmp_path / "dataset")
    folder = train(tiny_config(max_steps=1), dataset=dataset, output=tmp_path / "model").folder
    settings.MODELS_DIR = tmp_path
    one, other, third = (make_model(name, folder=folder.name) for name in ("one", "other", "third"))
    first = loaded.predictor_for(one.id)
    second = loaded.predictor_for(other.id)
    assert loaded.predictor_for(one.id) is first
    loaded.predictor_for(third.id)
    assert loaded.predictor_for(one.id) is first  # asked later than the other one
    assert loaded.predictor_for(other.id) is not second
