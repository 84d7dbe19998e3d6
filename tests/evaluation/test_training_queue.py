"""The queue of trainings: ordered, refused, numbered, cancelled, resumed."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotation.models import Review
from crawler.models import WorkState
from evaluation import services
from evaluation.models import TrainingRun
from evaluation.selectors.training import place_in_queue
from evaluation.services import training
from tests.evaluation.factories import make_catalogue, make_label, make_listing, make_model
from tests.evaluation.trainings import Trainer, make_labels, make_training, trainer

__all__ = ["trainer"]
pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
NUDGE = ("evaluation.tasks.run_training",)


@pytest.fixture
def start(person):
    make_labels(12)
    return lambda **values: services.training_start(user=person("operator"), **values)


def reasons(caught) -> dict[str, list[str]]:
    return caught.value.message_dict


def test_several_wait_and_are_trained_in_order(start, trainer: Trainer, nudges):
    first, second, third = start(), start(changes=["seed=1"]), start(changes=["seed=2"])
    assert [run.number for run in (first, second, third)] == [1, 2, 3]
    assert [place_in_queue(run) for run in (first, second, third)] == [0, 1, 2]
    assert nudges == [NUDGE] * 3
    services.training_cancel(run_id=second.id)
    services.training_run()
    services.training_run()
    services.training_run()
    assert [call["changes"] for call in trainer.calls] == [[], ["seed=2"]]


def test_the_end_of_one_wakes_the_next(start, trainer, nudges):
    start()
    start()
    nudges.clear()
    services.training_run()
    assert nudges == [NUDGE]
    services.training_run()
    assert nudges == [NUDGE]


def test_a_second_click_is_the_same_training(start):
    assert start(run_id="form-1").id == start(run_id="form-1").id
    assert TrainingRun.objects.count() == 1


def test_two_starts_at_the_same_moment_get_two_numbers(start, monkeypatch):
    honest, beaten = TrainingRun.save, []

    def save(run, **options):
        if not beaten:  # after this start looked for a number, before it wrote
            beaten.append(True)
            start()
        return honest(run, **options)

    monkeypatch.setattr(TrainingRun, "save", save)
    start()
    assert sorted(TrainingRun.objects.values_list("number", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"config": "nonsense"}, "config", "nonsense"),
        ({"changes": ["epochs=0"]}, "changes", "epochs=0.0"),
        ({"changes": ["sead=1"]}, "changes", "sead is not a key"),
        ({"changes": ["hello"]}, "changes", "'hello' is not key=value"),
        ({"dataset_of": "gone"}, "dataset_of", "gone"),
        ({"start_from": "gone"}, "start_from", "gone"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(start, nudges, values, field, text):
    with pytest.raises(ValidationError) as caught:
        start(**values)
    assert list(reasons(caught)) == [field]
    assert text in reasons(caught)[field][0]
    assert not TrainingRun.objects.exists()
    assert not nudges


def test_two_models_to_start_from_are_one_too_many(start):
    with pytest.raises(ValidationError) as caught:
        start(start_from=make_model().id, changes=["start_from=elsewhere"])
    assert list(reasons(caught)) == ["changes"]


def test_it_refuses_too_few_labels_unless_it_pre_trains(person):
    products = make_catalogue(2)
    for number in range(12):
        make_label(make_listing(number), products[0])
    make_label(make_listing(20), products[1], review=Review.PENDING)
    with pytest.raises(ValidationError, match="12 approved labels of 1 products"):
        services.training_start(user=person("operator"))
    assert services.training_start(user=person("operator"), config="vilt_pretrain").kind == "pretrain"


def test_a_pre_training_needs_listings(person):
    make_listing(1)
    with pytest.raises(ValidationError, match="1 listings with a picture"):
        services.training_start(user=person("operator"), config="vilt_pretrain")


def test_cancelled_while_it_waits_it_never_starts(start, trainer):
    run = start()
    services.training_cancel(run_id=run.id)
    services.training_run()
    run.refresh_from_db()
    assert (run.state, len(trainer.calls)) == (WorkState.CANCELLED, 0)


def test_cancelled_after_its_worker_died_it_ends(start):
    run = start()
    training.training_take(lease=timedelta(0))
    services.training_cancel(run_id=run.id)
    services.trainings_resume()
    run.refresh_from_db()
    assert run.state == WorkState.CANCELLED


def test_one_that_killed_its_workers_too_often_is_given_up_until_it_is_resumed(start, trainer):
    run, long_ago = start(), timezone.now() - timedelta(seconds=1)
    TrainingRun.objects.update(state=WorkState.RUNNING, attempts=3, leased_until=long_ago)
    services.training_run()
    services.trainings_resume()
    run.refresh_from_db()
    assert (run.state, len(trainer.calls)) == (WorkState.FAILED, 0)
    assert "3 times" in run.error
    assert services.training_resume(run_id=run.id)
    services.training_run()
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == (WorkState.DONE, 4, "")


@pytest.mark.parametrize("state", [WorkState.PENDING, WorkState.RUNNING, WorkState.DONE])
def test_only_what_failed_or_was_cancelled_is_resumed(state, nudges):
    run = make_training(state=state)
    assert not services.training_resume(run_id=run.id)
    assert TrainingRun.objects.get().state == state
    assert not nudges


def test_what_lies_idle_is_nudged(nudges):
    make_training()
    make_training(state=WorkState.RUNNING, leased_until=timezone.now() + timedelta(minutes=1))
    assert services.trainings_resume() == 1
    assert nudges == [NUDGE]
