"""Trainings in every state, and a trainer that takes no time."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Label
from crawler.models import Listing, WorkState
from evaluation.models import ModelVersion, TrainingJournal, TrainingRun, WordAlignment
from evaluation.services import training_work
from ml.training import TrainingCancelled, TrainingProgress, TrainResult
from tests.evaluation.factories import make_catalogue, make_label, make_listing, make_picture

METRICS = {"product": {"right": 3, "total": 4, "accuracy": 0.75, "low": 0.3, "high": 0.95}}


def make_training(**values: Any) -> TrainingRun:
    """One that waits, unless `values` say otherwise."""
    now = timezone.now()
    fields = {"number": TrainingRun.objects.count() + 1, "config": "vilt_demo", "created_at": now, "leased_until": now}
    return TrainingRun.objects.create(**(fields | values))


def make_told(
    number: int, losses: dict[str, list], *, val: dict[str, list] | None = None, **manifest: Any
) -> TrainingRun:
    """A training whose worker has told these curves."""
    run = make_training(number=number)
    manifest = {"config": {"seed": 0}, "dataset": {"hash": "abc"}} | manifest
    TrainingJournal.objects.create(id=run.id, curves={"losses": losses, "val": val or {}}, manifest=manifest)
    return run


def make_running_training() -> TrainingRun:
    """One in the middle of its steps, with curves of every kind and a skipped picture in its log."""
    losses = {"total": 1.25, "product": 1.0, "brand": 0.25}
    progress = {"stage": "training", "step": 40, "total_steps": 90, "losses": losses, "val": {"product": 0.5}}
    run = make_told(
        TrainingRun.objects.count() + 1,
        {name: [[step, value * 40 / step] for step in range(1, 41)] for name, value in losses.items()},
        val={"product": [[20, 0.25], [40, 0.5]], "brand": [[20, 0.5], [40, 0.75]]},
    )
    later = timezone.now() + timedelta(minutes=9)
    now = {"state": WorkState.RUNNING, "leased_until": later, "progress": progress | {"seconds_left": 75.0}}
    TrainingRun.objects.filter(id=run.id).update(**now, changes="brand_weight=1.0\nproduct_weight=1.0")
    log = [
        "2026-11-25 09:00:00,000 INFO step 20: product 0.2500",
        "2026-11-25 09:00:01,000 WARNING record 17 is left out",
    ]
    TrainingJournal.objects.filter(id=run.id).update(log=log)
    return run


def make_finished_training() -> TrainingRun:
    """One with figures, confusion and a manifest."""
    steps = range(1, 300, 7)
    run = make_told(
        TrainingRun.objects.count() + 1,
        {
            "product": [[step, 4 / (1 + step / 40)] for step in steps],
            "brand": [[step, 2 / (1 + step / 20)] for step in steps],
        },
        val={"product": [[step, step / 400] for step in (100, 200, 300)]},
        config={"seed": 7, "epochs": 60.0, "optimiser": {"learning_rate": 1e-3}},
        machine={"device": "x86_64", "processes": 1},
        versions={"python": "3.11", "torch": "2.13.0"},
    )
    confused = {"names": ["Alpha", "Beta", "Gamma"], "counts": [[8, 2, 0], [3, 5, 1], [0, 0, 12]]}
    metrics = METRICS | {"confusion": confused, "minutes": 2.5, "steps": 300}
    ended = {"state": WorkState.DONE, "metrics": metrics, "records": 120, "finished_at": timezone.now()}
    TrainingRun.objects.filter(id=run.id).update(**ended)
    return run


def make_alignment(model: ModelVersion, listing: Listing) -> WordAlignment:
    """Drawn: every word of the title has a picture of its own."""
    return WordAlignment.objects.create(
        id=WordAlignment.make_id(model_id=model.id, listing_id=listing.id),
        model_id=model.id,
        about_id=listing.id,
        title=listing.title,
        image_sha256=listing.image_sha256,
        state=WorkState.DONE,
        words=[[word, make_picture(500 + place)] for place, word in enumerate(listing.title.split())],
        asked_at=timezone.now(),
    )


def make_labels(count: int) -> list[Label]:
    """Approved labels of two products."""
    products = make_catalogue(2)
    return [make_label(make_listing(number), products[number % 2]) for number in range(count)]


class Trainer:
    """Stands in for `ml.training.train`: three steps, of which a checkpoint keeps the last, then a folder."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.first_steps: list[int] = []
        self.during: Callable[[], object] = lambda: None

    def __call__(
        self,
        config: Path,
        *,
        dataset: Path,
        output: Path,
        work: Path,
        changes: Sequence[str],
        on_progress: Callable[[TrainingProgress], None],
        should_stop: Callable[[], bool],
    ) -> TrainResult:
        self.calls.append({"config": config.stem, "dataset": dataset, "work": work, "changes": list(changes)})
        assert config.exists()
        assert (dataset / "listings.jsonl").exists()
        work.mkdir(parents=True, exist_ok=True)
        (work / "run.json").write_text(json.dumps({"config": {"seed": 7}, "dataset": {"hash": "abc"}}))
        checkpoint = work / "checkpoint"
        first = int(checkpoint.read_text()) + 1 if checkpoint.exists() else 1
        self.first_steps.append(first)
        with (work / "log.txt").open("a") as log:
            log.write(f"starts at step {first}\n")
        for step in range(first, 4):
            losses = {"total": 3.0 / step, "product": 2.0 / step}
            with (work / "metrics.jsonl").open("a") as metrics:
                metrics.write(json.dumps({"step": step, "losses": losses}) + "\n")
            on_progress(TrainingProgress(stage="training", step=step, total_steps=3, losses=losses, seconds_left=1.0))
            checkpoint.write_text(str(step))
            self.during()
            if should_stop():
                raise TrainingCancelled
        on_progress(TrainingProgress(stage="evaluating", step=4, total_steps=4, losses=losses))
        on_progress(TrainingProgress(stage="saving", step=3, total_steps=3, losses=losses, val={"product": 0.75}))
        output.mkdir(parents=True)
        (output / "metrics.json").write_text(json.dumps(METRICS))
        return TrainResult(folder=output, metrics=METRICS)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    stand_in = Trainer()
    monkeypatch.setattr(training_work, "train", stand_in)
    monkeypatch.setattr("evaluation.services.progress.EVERY_SECONDS", 0)
    return stand_in
