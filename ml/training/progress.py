"""What a training tells while it runs, and what it leaves."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Stage = Literal["features", "training", "evaluating", "saving"]


class TrainingCancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Somebody asked the training to stop; nothing was written."""


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """One moment of a training. Losses and accuracy are those last measured; `seconds_left` is of the whole run."""

    stage: Stage
    step: int
    total_steps: int
    loss: float | None = None
    brand_loss: float | None = None
    product_loss: float | None = None
    val_product_accuracy: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """The finished model folder and the figures that its metrics.json holds."""

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
