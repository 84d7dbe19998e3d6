"""How a training tells where it stands: a line a second in its document, which also renews the lease."""

import math
import time
from dataclasses import asdict
from datetime import timedelta

from django.utils import timezone

from crawler.models import WorkState
from evaluation.models import TrainingRun
from ml.training import TrainingProgress

EVERY_SECONDS = 1.0
MAX_POINTS = 300


class ProgressWriter:
    """Given to the trainer as its callbacks. `lease_lost` once another worker has taken the run over."""

    def __init__(self, *, run: TrainingRun, lease: timedelta) -> None:
        self.run = run
        self.lease = lease
        self.lease_lost = False
        self._cancelled = False
        self._written = -math.inf
        self._curve: list[list[float]] = []
        self._stage = ""

    def stage(self, name: str) -> None:
        """Say what is being done when the trainer does not."""
        self._stage = name
        self._save({"stage": name, "step": 0, "total_steps": 0})

    def write(self, progress: TrainingProgress) -> None:
        """Take note of a step; written at most once a second, and at every change of stage."""
        if progress.loss is not None and math.isfinite(progress.loss) and progress.total_steps:
            self._add_point(progress.step, progress.loss)
        if progress.stage == self._stage and time.monotonic() - self._written < EVERY_SECONDS:
            return
        self._stage = progress.stage
        values = {
            name: value if not isinstance(value, float) or math.isfinite(value) else None
            for name, value in asdict(progress).items()
        }
        self._save(values)

    def should_stop(self) -> bool:
        """Whether to stop: asked to, or no longer ours. As old as the last line written."""
        return self._cancelled or self.lease_lost

    def _add_point(self, step: int, loss: float) -> None:
        if self._curve and self._curve[-1][0] >= step:
            return
        self._curve.append([step, round(loss, 5)])
        if len(self._curve) > MAX_POINTS:  # every second one, and the newest: the curve keeps its shape
            self._curve = self._curve[:-1:2] + self._curve[-1:]

    def _save(self, values: dict) -> None:
        self._written = time.monotonic()
        ours = TrainingRun.objects.filter(id=self.run.id, lease_token=self.run.lease_token, state=WorkState.RUNNING)
        saved = ours.update(progress=values, curve=self._curve, leased_until=timezone.now() + self.lease)
        self.lease_lost = not saved
        if saved:
            self._cancelled = ours.filter(cancel_requested=True).exists()
