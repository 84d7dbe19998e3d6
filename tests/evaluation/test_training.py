"""Training runs: one at a time, under a lease, ended with a registered model or a reason."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotation.models import Review
from crawler.models import WorkState
from evaluation import services
from evaluation.models import ModelVersion, TrainingPicture, TrainingRun
from evaluation.services import training
from ml.training import DatasetError, TrainingCancelled, TrainingProgress, TrainResult
from tests.evaluation.factories import make_catalogue, make_label, make_listing, make_model

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

METRICS = {"product": {"right": 3, "total": 4, "accuracy": 0.75, "low": 0.3, "high": 0.95}}


@pytest.fixture
def labels():
    products = make_catalogue(2)
    return [make_label(make_listing(number), products[number % 2]) for number in range(12)]


@pytest.fixture
def run(labels, person):
    return services.training_start(user=person("operator"))


class Trainer:
    """Stands in for `ml.training.train`: tells a few steps, then leaves a folder."""

    def __init__(self):
        self.calls = 0
        self.during = lambda: None

    def __call__(self, config, *, dataset, output, on_progress, should_stop):
        self.calls += 1
        assert config.exists()
        assert (dataset / "records.jsonl").exists()
        for step in range(1, 4):
            on_progress(TrainingProgress(stage="training", step=step, total_steps=3, loss=3.0 / step, seconds_left=1.0))
            self.during()
            if should_stop():
                raise TrainingCancelled
        output.mkdir(parents=True)
        (output / "metrics.json").write_text(json.dumps(METRICS))
        return TrainResult(folder=output, metrics=METRICS)


@pytest.fixture
def trainer(monkeypatch):
    stand_in = Trainer()
    monkeypatch.setattr(training, "train", stand_in)
    monkeypatch.setattr("evaluation.services.progress.EVERY_SECONDS", 0)
    return stand_in


def test_it_trains_registers_and_activates_the_first_model(run, trainer, nudges):
    assert nudges == [("evaluation.tasks.run_training", run.id)]
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.records, run.metrics, run.attempts) == (WorkState.DONE, 12, METRICS, 1)
    assert run.curve == [[1, 3.0], [2, 1.5], [3, 1.0]]
    assert run.progress["step"] == 3
    model = ModelVersion.objects.get()
    assert (model.id, model.folder, model.metrics) == (run.id, run.id, METRICS)
    assert model.activated_at is not None
    assert TrainingPicture.objects.filter(run_id=run.id).count() == 12


def test_a_later_model_waits_to_be_put_into_use(run, trainer):
    before = make_model()
    services.training_run(run_id=run.id)
    assert ModelVersion.objects.get(id=run.id).activated_at is None
    assert ModelVersion.objects.get(id=before.id).activated_at is not None


def test_the_same_task_delivered_twice_trains_once(run, trainer):
    services.training_run(run_id=run.id)
    services.training_run(run_id=run.id)
    assert trainer.calls == 1
    assert ModelVersion.objects.count() == 1


def test_while_one_worker_has_the_lease_another_does_nothing(run, trainer):
    trainer.during = lambda: services.training_run(run_id=run.id)
    services.training_run(run_id=run.id)
    assert trainer.calls == 1


def test_a_dead_workers_training_is_queued_again_and_starts_anew(run, trainer, nudges):
    assert training._lease(run.id)  # and then it was killed
    nudges.clear()
    services.trainings_resume()
    assert nudges == []
    TrainingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    services.trainings_resume()
    assert nudges == [("evaluation.tasks.run_training", run.id)]
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.attempts) == (WorkState.DONE, 2)


def test_after_three_attempts_it_is_given_up(run, trainer):
    long_ago = timezone.now() - timedelta(seconds=1)
    TrainingRun.objects.update(state=WorkState.RUNNING, attempts=3, leased_until=long_ago)
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert run.state == WorkState.FAILED
    assert "3 times" in run.error
    assert trainer.calls == 0


def test_a_crash_between_the_folder_and_its_registration_is_repaired(run, trainer):
    folder = settings.MODELS_DIR / run.id
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    services.training_run(run_id=run.id)
    assert trainer.calls == 0
    assert ModelVersion.objects.get().metrics == METRICS


def test_a_worker_that_was_given_up_stops_and_writes_nothing(run, trainer):
    def take_over():
        TrainingRun.objects.filter(id=run.id).update(lease_token="another worker")

    trainer.during = take_over
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert run.state == WorkState.RUNNING
    assert not ModelVersion.objects.exists()


def test_cancelled_while_it_runs_it_stops_at_the_next_step(run, trainer):
    trainer.during = lambda: services.training_cancel(run_id=run.id)
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert run.state == WorkState.CANCELLED
    assert not ModelVersion.objects.exists()


def test_cancelled_while_it_waits_it_never_starts(run, trainer):
    services.training_cancel(run_id=run.id)
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert (run.state, trainer.calls) == (WorkState.CANCELLED, 0)


def test_cancelled_after_its_worker_died_it_ends(run):
    training._lease(run.id)
    services.training_cancel(run_id=run.id)
    TrainingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    services.trainings_resume()
    run.refresh_from_db()
    assert run.state == WorkState.CANCELLED


@pytest.mark.parametrize("error", [DatasetError("line 3 is bad"), RuntimeError("no space left")])
def test_what_goes_wrong_is_told(run, trainer, error):
    def fail():
        raise error

    trainer.during = fail
    services.training_run(run_id=run.id)
    run.refresh_from_db()
    assert run.state == WorkState.FAILED
    assert str(error) in run.error


def test_it_refuses_a_second_one_until_the_first_has_ended(run, person, trainer):
    with pytest.raises(ValidationError, match="queued or running"):
        services.training_start(user=person("operator"))
    services.training_run(run_id=run.id)
    assert services.training_start(user=person("operator")).number == 2


def test_two_clicks_at_the_same_moment_are_one_training(labels, person, monkeypatch):
    user = person("operator")
    honest = training.timezone.now
    beaten = []

    def now():
        if not beaten:  # after this click looked, before it wrote
            beaten.append(True)
            services.training_start(user=user)
        return honest()

    monkeypatch.setattr(training.timezone, "now", now)
    with pytest.raises(ValidationError, match="queued or running"):
        services.training_start(user=user)
    assert TrainingRun.objects.count() == 1


def test_it_refuses_too_little(person):
    products = make_catalogue(2)
    for number in range(12):
        make_label(make_listing(number), products[0])
    make_label(make_listing(20), products[1], review=Review.PENDING)
    with pytest.raises(ValidationError, match="12 approved labels of 1 products"):
        services.training_start(user=person("operator"))
    assert not TrainingRun.objects.exists()
