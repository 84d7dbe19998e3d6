"""What happens after each step: the log, the progress, and whether to measure, to save and to stop."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed
from transformers import TrainerCallback

from ml.training.best import BestWeights, best_step
from ml.training.config import TrainConfig
from ml.training.metrics_log import MetricsLog, read_metrics
from ml.training.plots import Plots
from ml.training.progress import Stage, TrainingCancelled, TrainingDiverged, TrainingProgress

if TYPE_CHECKING:
    from ml.training.trainer import TaskTrainer

log = logging.getLogger(__name__)
Tell = Callable[[TrainingProgress], None]
LOSS_DIGITS = 6


class Watch(TrainerCallback):
    """Runs on every process, so that all of them take the same turn; only the first writes and tells."""

    trainer: "TaskTrainer"  # given once both exist

    def __init__(
        self,
        config: TrainConfig,
        *,
        work: Path,
        steps: int,
        start: int,
        first: bool,
        tell: Tell | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.config, self.steps, self.first = config, steps, first
        self.vals = [
            (line["step"], line["val"]) for line in read_metrics(work) if "val" in line and line["step"] <= start
        ]
        self.best = BestWeights(work)
        self.tell, self.should_stop = tell, should_stop
        self.log = MetricsLog(work, step=start) if first else None
        self.plots = Plots(work) if first else None
        self.losses: dict[str, float] = {}
        self.val = self.vals[-1][1] if self.vals else {}
        self.cancelled = False
        every = steps / config.evaluations
        self.measured_at = {round(every * number) for number in range(1, config.evaluations + 1)} | {steps}
        self.step = self.start = start
        self.began = self.saved = time.monotonic()
        self.before = self.log.seconds if self.log else 0.0  # of the interrupted attempts

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.began = self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.step = state.global_step
        losses = {name: round(value, LOSS_DIGITS) for name, value in self.trainer.step_losses().items()}
        if not all(math.isfinite(value) for value in losses.values()):
            raise TrainingDiverged(
                f"the loss is not a number at step {self.step} ({losses}): try a smaller optimiser.learning_rate"
            )
        self.losses = losses
        if self.log is not None and self.plots is not None:
            seconds = round(self.before + time.monotonic() - self.began, 2)
            rate = self.trainer.learning_rate()
            self.log.write({"step": self.step, "seconds": seconds, "learning_rate": rate, "losses": losses})
            self.plots.draw("loss", losses, step=self.step)
        self.show("training", self.step, self.steps)
        stop, save = self._agree()
        control.should_evaluate = self.step in self.measured_at
        control.should_save = save or stop
        if stop:
            self.cancelled = control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.saved = time.monotonic()
        best = self.best_step()
        if self.first and best is not None:
            self.best.forget_all_but(best)

    def best_step(self) -> int | None:
        return best_step(self.vals, *self.trainer.task.best)

    def show(self, stage: Stage, step: int, total: int) -> None:
        """Tell where the training stands."""
        if self.tell is not None and self.first:
            self.tell(
                TrainingProgress(
                    stage=stage,
                    step=step,
                    total_steps=total,
                    losses=self.losses,
                    val=self.val,
                    seconds_left=self._seconds_left(stage),
                )
            )

    def checked(self, stage: Stage) -> Callable[[int, int], None]:
        """For work outside the steps: tells its progress, and ends it at once when somebody asks for an end."""

        def tell(done: int, total: int) -> None:
            self.show(stage, done, total)
            if self.first and self.should_stop is not None and self.should_stop():
                raise TrainingCancelled

        return tell

    def measured(self, figures: dict[str, float]) -> None:
        """Take note of a validation."""
        self.val = figures
        self.vals.append((self.step, figures))
        if self.log is not None and self.plots is not None:
            self.log.write({"step": self.step, "val": figures})
            self.plots.draw("val", figures, step=self.step)
        log.info("step %d: %s", self.step, ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))

    def close(self) -> None:
        if self.log is not None and self.plots is not None:
            self.log.close()
            self.plots.close()

    def _agree(self) -> tuple[bool, bool]:
        """Whether to stop and whether to save, as the first process says: clocks and users differ."""
        stop = save = False
        if self.first:
            stop = self.should_stop is not None and self.should_stop()
            save = time.monotonic() - self.saved >= 60 * self.config.checkpoint_minutes
        if distributed.is_initialized():
            said = torch.tensor([stop, save], dtype=torch.int32, device=self.trainer.args.device)
            distributed.broadcast(said, src=0)
            stop, save = (bool(one) for one in said.tolist())
        return stop, save

    def _seconds_left(self, stage: Stage) -> float | None:
        if stage == "saving":
            return 0.0
        done = self.step - self.start
        return (time.monotonic() - self.began) / done * (self.steps - self.step) if done else None
