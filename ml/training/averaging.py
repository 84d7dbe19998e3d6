"""A running average of the weights, which is what is measured and served (Polyak & Juditsky 1992)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback

FILE = "average.safetensors"


class AverageWeights(TrainerCallback):
    """Exponential average with decay min(decay, (1 + t) / (10 + t)) at step t, so that the first steps fade soon.

    Buffers that are counted in floats (BatchNorm's statistics) are averaged too. Kept in checkpoints.
    """

    def __init__(self, model: nn.Module, *, decay: float, checkpoint: Path | None, folder: Path) -> None:
        self.model, self.decay, self.folder = model, decay, folder
        if checkpoint is not None:
            self.average = {
                name: one.to(self._state()[name].device) for name, one in load_file(checkpoint / FILE).items()
            }
        else:
            self.average = {name: one.detach().clone() for name, one in self._state().items()}

    def _state(self) -> dict[str, torch.Tensor]:
        return {name: one for name, one in self.model.state_dict().items() if one.is_floating_point()}

    @torch.no_grad()
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        step = state.global_step
        decay = min(self.decay, (1 + step) / (10 + step))
        current = self._state()
        torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average], 1 - decay)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            weights = {name: one.contiguous() for name, one in self.average.items()}
            save_file(weights, self.folder / f"checkpoint-{state.global_step}" / FILE)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with the averaged weights, for a while."""
        trained = {name: one.detach().clone() for name, one in self._state().items()}
        self.model.load_state_dict(self.average, strict=False)
        try:
            yield
        finally:
            self.model.load_state_dict(trained, strict=False)
