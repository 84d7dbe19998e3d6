"""The training worker: under a lease, ended with a registered model or a reason, gone on with after an end."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from crawler.models import WorkState
from evaluation import services
from evaluation.models import ModelVersion, TrainingJournal, TrainingPicture, TrainingRun
from evaluation.selectors.models import active_model
from evaluation.services import training, training_work
from evaluation.services.curves import MAX_POINTS, Curve
from ml.training import ConfigError, DatasetError
from tests.evaluation.factories import make_listing, make_model
from tests.evaluation.trainings import METRICS, make_labels, make_training, trainer
from tests.workers import eventually

__all__ = ["trainer"]
pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def run(person):
    make_labels(12)
    return services.training_start(user=person("operator"), changes=["seed=7", "epochs=2"])


def let_the_lease_run_out():
    TrainingRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_it_trains_registers_and_activates_the_first_model(run, trainer):
    services.training_run()
    run.refresh_from_db()
    assert (run.state, run.records, run.metrics, run.attempts) == (WorkState.DONE, 12, METRICS, 1)
    assert trainer.calls[0]["changes"] == ["seed=7", "epochs=2"]
    assert (run.progress["step"], run.progress["val"]) == (3, {"product": 0.75})
    model = ModelVersion.objects.get()
    assert (model.id, model.folder, model.metrics, model.kind) == (run.id, run.id, METRICS, "finetune")
    assert model.activated_at is not None
    assert TrainingPicture.objects.filter(run_id=run.id).count() == 12


def test_its_curves_log_and_manifest_are_told(run, trainer):
    services.training_run()
    journal = TrainingJournal.objects.get(id=run.id)
    assert journal.curves["losses"]["total"] == [[1, 3.0], [2, 1.5], [3, 1.0]]
    assert journal.curves["losses"]["product"] == [[1, 2.0], [2, 1.0], [3, 0.66667]]
    assert journal.curves["val"] == {"product": [[3, 0.75]]}
    assert journal.log == ["starts at step 1"]
    assert journal.manifest["config"] == {"seed": 7}


def test_a_later_model_waits_to_be_put_into_use(run, trainer):
    before = make_model()
    services.training_run()
    assert ModelVersion.objects.get(id=run.id).activated_at is None
    assert ModelVersion.objects.get(id=before.id).activated_at is not None


def test_a_pre_trained_model_is_started_from_and_never_answers(person, trainer):
    for number in range(10):
        make_listing(number)
    pretraining = services.training_start(user=person("operator"), config="vilt_pretrain")
    services.training_run()
    pretraining.refresh_from_db()
    assert (pretraining.state, pretraining.records) == (WorkState.DONE, 10)
    assert ModelVersion.objects.get().kind == "pretrain"
    assert active_model() is None
    tuning = services.training_start(
        user=person("operator"), dataset_of=pretraining.id, start_from=pretraining.id, changes=["seed=1"]
    )
    services.training_run()
    tuning.refresh_from_db()
    assert tuning.state == WorkState.DONE
    assert trainer.calls[1]["dataset"] == trainer.calls[0]["dataset"]
    assert trainer.calls[1]["changes"] == ["seed=1", f'start_from="{settings.MODELS_DIR / pretraining.id}"']


def test_while_one_worker_has_the_lease_another_does_nothing(run, trainer):
    trainer.during = services.training_run
    services.training_run()
    assert len(trainer.calls) == 1
    services.training_run()
    assert (len(trainer.calls), ModelVersion.objects.count()) == (1, 1)


def test_a_step_that_takes_long_does_not_lose_the_lease(run, trainer, monkeypatch):
    monkeypatch.setattr(training_work, "LEASE", timedelta(seconds=1))

    def take_long():
        before = TrainingRun.objects.get().leased_until
        eventually(lambda: TrainingRun.objects.get().leased_until > before, what="another lease")
        assert training.training_take(lease=timedelta(minutes=1)) is None
        trainer.during = lambda: None

    trainer.during = take_long
    services.training_run()
    run.refresh_from_db()
    assert (run.state, run.attempts) == (WorkState.DONE, 1)


def test_a_killed_workers_training_goes_on_from_its_checkpoint(run, trainer):
    class KilledError(BaseException):
        pass

    def kill():
        if (trainer.calls[-1]["work"] / "checkpoint").read_text() == "2":
            raise KilledError

    trainer.during = kill
    with pytest.raises(KilledError):
        services.training_run()
    trainer.during = lambda: None
    let_the_lease_run_out()
    services.training_run()
    run.refresh_from_db()
    assert (run.state, run.attempts, trainer.first_steps) == (WorkState.DONE, 2, [1, 3])
    assert [step for step, _loss in TrainingJournal.objects.get().curves["losses"]["total"]] == [1, 2, 3]


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_resumed_it_goes_on_from_its_checkpoint(run, trainer, end):
    def stop():
        if end == "failed":
            raise RuntimeError("no space left")
        services.training_cancel(run_id=run.id)

    trainer.during = stop
    services.training_run()
    run.refresh_from_db()
    assert run.state == end
    assert not ModelVersion.objects.exists()
    trainer.during = lambda: None
    assert services.training_resume(run_id=run.id)
    services.training_run()
    run.refresh_from_db()
    assert (run.state, run.error, run.attempts) == (WorkState.DONE, "", 2)
    assert trainer.first_steps[0] == 1
    assert trainer.first_steps[1] > 1
    steps = [step for step, _loss in TrainingJournal.objects.get().curves["losses"]["total"]]
    assert steps == [1, 2, 3]


def test_a_crash_between_the_folder_and_its_registration_is_repaired(run, trainer):
    folder = settings.MODELS_DIR / run.id
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    services.training_run()
    assert not trainer.calls
    assert ModelVersion.objects.get().metrics == METRICS


def test_a_worker_that_was_given_up_stops_and_writes_nothing(run, trainer):
    def take_over():
        TrainingRun.objects.filter(id=run.id).update(lease_token="another worker")
        TrainingJournal.objects.filter(id=run.id).update(log=["of the other worker"])

    trainer.during = take_over
    services.training_run()
    run.refresh_from_db()
    assert run.state == WorkState.RUNNING
    assert not ModelVersion.objects.exists()
    assert TrainingJournal.objects.get().log == ["of the other worker"]


@pytest.mark.parametrize(
    "error", [DatasetError("line 3 is bad"), ConfigError("batch_size=3"), RuntimeError("no space")]
)
def test_what_goes_wrong_is_told(run, trainer, error):
    def fail():
        raise error

    trainer.during = fail
    services.training_run()
    run.refresh_from_db()
    assert run.state == WorkState.FAILED
    assert str(error) in run.error


def test_what_is_not_on_this_machine_is_named(trainer):
    make_training(dataset_of="of-another-machine")
    make_training(start_from=make_model(folder="of-another-machine").id, dataset_of="")
    make_labels(12)
    services.training_run()
    services.training_run()
    for run in TrainingRun.objects.all():
        assert run.state == WorkState.FAILED
        assert "of-another-machine is not on this machine any more" in run.error
    assert not trainer.calls


def test_a_curve_keeps_its_shape_in_few_points():
    curve = Curve()
    for step in range(1, 10_001):
        curve.add(step, 1 / step)
    assert MAX_POINTS / 2 <= len(curve.points) <= MAX_POINTS
    assert [curve.points[0], curve.points[-1]] == [[1, 1.0], [10_000, 0.0001]]
    assert all(value == round(1 / step, 5) for step, value in curve.points)


def test_a_curve_that_goes_on_earlier_forgets_what_came_after():
    curve = Curve([[1, 3.0], [2, 2.0], [3, 1.0]])
    curve.add(2, 2.5)
    curve.add(3, float("nan"))
    assert curve.points == [[1, 3.0], [2, 2.5]]
