"""What a training tells while it runs, and what it leaves."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Stage = Literal["features", "training", "evaluating", "saving"]


class TrainingCancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Somebody asked the training to stop. No model was written; the work folder has a checkpoint to go on from."""


class TrainingDiverged(RuntimeError):  # noqa: N818 - an outcome too
    """The loss became infinite or not a number; the message says when, and what to try."""


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """One moment of a training. `losses` and `val` are those last measured; `seconds_left` is of the whole run."""

    stage: Stage
    step: int
    total_steps: int
    losses: dict[str, float] = field(default_factory=dict)
    val: dict[str, float] = field(default_factory=dict)
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """The finished model folder and the figures that its metrics.json holds."""

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
