"""The best weights of a training so far, by a figure on the val split."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file

Better = Literal["higher", "lower"]


def best_step(vals: Sequence[tuple[int, dict[str, float]]], names: Sequence[str], better: Better) -> int | None:
    """The step with the best mean of the figures called `names`, those that there are.

    Of equal ones the latest, which has learned more. None when nothing has any of them.
    """
    sign = 1 if better == "higher" else -1
    scored = []
    for step, figures in vals:
        known = [figures[name] for name in names if name in figures]
        if known:
            scored.append((sign * sum(known) / len(known), step))
    return max(scored)[1] if scored else None


def evaluations_since(vals: Sequence[tuple[int, dict[str, float]]], step: int | None) -> int:
    """How many validations came after `step`."""
    return sum(at > step for at, _figures in vals) if step is not None else 0


class BestWeights:
    """WORK/best-STEP.safetensors. Older ones go only once a checkpoint stands behind a newer: crashes undo steps."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def path(self, step: int) -> Path:
        return self.work / f"best-{step}.safetensors"

    def keep(self, weights: dict[str, torch.Tensor], *, step: int) -> None:
        temporary = self.path(step).with_suffix(".tmp")
        save_file({name: one.contiguous() for name, one in weights.items()}, temporary, metadata={"format": "pt"})
        temporary.replace(self.path(step))

    def load(self, step: int) -> dict[str, torch.Tensor]:
        return load_file(self.path(step))

    def forget_all_but(self, step: int) -> None:
        for path in self.work.glob("best-*.safetensors"):
            if path != self.path(step):
                path.unlink()
