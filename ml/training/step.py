"""What is computed in one step, so that processes and accumulation change nothing in the result."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ml.objectives.uncertainty import UncertaintyWeights
from ml.training.tasks import Task


class Step(nn.Module):
    """The module that the trainer trains: batch in, the weighted loss out.

    Each part of the loss is a sum over terms, divided by how many terms the whole step has, over all of its micro-
    batches and processes. So the gradients that add up are those of the undivided batch, however unequal its pieces
    are (masked words are not evenly spread).
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.model = task.model
        names = [name for name, weight in task.weights.items() if weight]
        self.learned = UncertaintyWeights(names) if task.learned_weights else None

    def forward(self, batch: Mapping[str, Any], counts: Mapping[str, float], pieces: int) -> dict[str, torch.Tensor]:
        """Scalars: "total", to be added up over the step's `pieces`, and each part's share of the step's mean."""
        parts = self.task.losses(batch)
        means = {name: part.total / max(counts[name], 1e-12) for name, part in parts.items()}
        if self.learned is None:
            total = torch.stack([self.task.weights[name] * mean for name, mean in means.items()]).sum()
        else:
            total = self.learned(means, share=1 / pieces)
        return {"total": total} | {name: mean.detach() for name, mean in means.items()}
