"""Real workers, a real model: trained from labels, asked on fresh listings, killed in the middle of either."""

import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from crawler.images import store_image
from crawler.models import WorkState
from evaluation import services
from evaluation.models import ModelVersion, Prediction, PredictionRun, TrainingJournal, TrainingRun
from tests.evaluation.factories import make_cached_page, make_catalogue, make_label, make_listing
from tests.workers import eventually, worker

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("real_queue"),
]

COLOURS = [(200, 30, 30), (30, 160, 60), (40, 60, 200)]


def make_coloured(number, product):
    """A listing whose picture has its product's colour, a little different each time."""
    colour = tuple((part + 11 * number) % 30 + part - 15 for part in COLOURS[product])
    image = Image.new("RGB", (64, 64), colour)
    image.putpixel((number % 64, number // 64), (255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    title = f"{['red', 'green', 'blue'][product]} tea"
    return make_listing(number, title=title, image_sha256=store_image(buffer.getvalue()).sha256)


@pytest.fixture
def catalogue():
    return make_catalogue(3)


@pytest.fixture
def labels(catalogue):
    """24 approved labels of three products."""
    return [make_label(make_coloured(number, number % 3), catalogue[number % 3]) for number in range(24)]


def reached(model, state, **filters):
    return lambda: model.objects.filter(state=state, **filters).count()


def let_leases_run_out():
    long_ago = timezone.now() - timedelta(seconds=1)
    Prediction.objects.filter(state=WorkState.PENDING).update(leased_until=long_ago)
    TrainingRun.objects.filter(state=WorkState.RUNNING).update(leased_until=long_ago)
    PredictionRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))


def test_train_and_predict_with_both_workers_killed_in_the_middle(labels, person):
    # A training worker is killed after a checkpoint; the next one goes on from there and finishes.
    with worker("train") as process:
        run = services.training_start(user=person("operator"), changes=["checkpoint_minutes=0.01"])
        checkpoints = settings.TRAININGS_DIR / run.id / "checkpoints"
        eventually(lambda: list(checkpoints.glob("*/whole")), timeout=120, what="the first checkpoint")
        process.kill()
    assert TrainingRun.objects.get().state == WorkState.RUNNING
    assert not ModelVersion.objects.exists()
    let_leases_run_out()
    with worker("train"):
        services.trainings_resume()
        eventually(reached(TrainingRun, WorkState.DONE), timeout=120, what="the end of the training")
    run = TrainingRun.objects.get()
    assert (run.attempts, run.records) == (2, 24)
    journal = TrainingJournal.objects.get()
    assert any("goes on from the checkpoint" in line for line in journal.log)
    steps = [step for step, _loss in journal.curves["losses"]["total"]]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (1, run.metrics["steps"])
    assert journal.manifest["config"]["checkpoint_minutes"] == 0.01
    assert not checkpoints.exists()
    assert ModelVersion.objects.get().activated_at is not None

    # A prediction worker is killed between two batches; the next one answers the rest, and nothing twice.
    fresh = [make_coloured(1000 + number, number % 3) for number in range(240)]
    make_cached_page("tea", fresh)
    with worker("predict") as process:
        services.run_start(keyword="tea", user=person("evaluator"))
        eventually(reached(Prediction, WorkState.DONE), what="the first answer")
        process.kill()
    before = {row["id"]: row for row in Prediction.objects.filter(state=WorkState.DONE).values()}
    assert 0 < len(before) < 240
    assert PredictionRun.objects.get().state == WorkState.RUNNING
    let_leases_run_out()
    with worker("predict"):
        services.runs_resume()
        eventually(reached(PredictionRun, WorkState.DONE), what="the end of the run")
    after = {row["id"]: row for row in Prediction.objects.filter(state=WorkState.DONE).values()}
    assert len(after) == 240
    assert {row_id: after[row_id] for row_id in before} == before

    # And it has learnt something: the three products differ in colour and title.
    right = sum(row["product_id"] == f"tea-{row['position'] % 3}" for row in after.values())
    assert right > 200
    assert all(len(row["top5"]) == 3 for row in after.values())
