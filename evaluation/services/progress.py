"""How a training tells where it stands: once a second in its documents, which also renews the lease."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from crawler.models import WorkState
from evaluation.models import TrainingJournal, TrainingRun
from evaluation.services.curves import Curve
from ml.training import TrainingProgress
from ml.training.metrics_log import read_metrics

EVERY_SECONDS = 1.0
LOG_LINES = 300
LOG_BYTES = 64 * 1024


class ProgressWriter:
    """Given to the trainer as its callbacks. `lease_lost` once another worker has taken the run over.

    `work` is the training's work folder, of whose log the end is told too. The curves of an interrupted attempt are
    read from there, and go on where this one does.
    """

    def __init__(self, *, run: TrainingRun, lease: timedelta, work: Path) -> None:
        self.run, self.lease, self.work = run, lease, work
        self.lease_lost = False
        self._cancelled = False
        self._written = -math.inf
        self._values: dict[str, Any] = {}
        self._stage = ""
        self.last_step = 0  # trained
        journal, _made = TrainingJournal.objects.get_or_create(id=run.id)
        self._manifest = journal.manifest
        self._curves: dict[str, dict[str, Curve]] = {"losses": {}, "val": {}}
        for line in read_metrics(work):
            for group in self._curves:
                self._add(group, line["step"], line.get(group, {}))

    def stage(self, name: str) -> None:
        """Say what is being done when the trainer does not."""
        self._stage = name
        self._save({"stage": name, "step": 0, "total_steps": 0})

    def write(self, progress: TrainingProgress) -> None:
        """Take note of a step; written at most once a second, and at every change of stage."""
        if self._stage == "evaluating" and progress.stage != "evaluating":
            self._add("val", self.last_step, progress.val)
        if progress.stage == "training":
            self.last_step = progress.step
            self._add("losses", progress.step, progress.losses)
        new_stage = progress.stage != self._stage
        self._stage = progress.stage
        self._values = asdict(progress)
        if new_stage or time.monotonic() - self._written >= EVERY_SECONDS:
            self._save(self._values)

    def finish(self) -> None:
        """Write what was told last."""
        if not self.lease_lost:
            self._save(self._values)

    def should_stop(self) -> bool:
        """Whether to stop: asked to, or no longer ours. As old as the last line written."""
        return self._cancelled or self.lease_lost

    def _add(self, group: str, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._curves[group].setdefault(name, Curve()).add(step, value)

    def _save(self, values: dict[str, Any]) -> None:
        self._written = time.monotonic()
        ours = TrainingRun.objects.filter(id=self.run.id, lease_token=self.run.lease_token, state=WorkState.RUNNING)
        self.lease_lost = not ours.update(progress=values, leased_until=timezone.now() + self.lease)
        if self.lease_lost:
            return
        self._cancelled = ours.filter(cancel_requested=True).exists()
        self._manifest = self._manifest or _read_manifest(self.work)
        TrainingJournal.objects.filter(id=self.run.id).update(
            curves={
                group: {name: one.points for name, one in curves.items()} for group, curves in self._curves.items()
            },
            log=_log_tail(self.work),
            manifest=self._manifest,
        )


def _log_tail(work: Path) -> list[str]:
    """The last lines of WORK/log.txt."""
    try:
        with (work / "log.txt").open("rb") as file:
            file.seek(0, 2)
            start = max(0, file.tell() - LOG_BYTES)
            file.seek(start)
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    return lines[1 if start else 0 :][-LOG_LINES:]  # the first one may be cut


def _read_manifest(work: Path) -> dict[str, Any]:
    try:
        return json.loads((work / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
