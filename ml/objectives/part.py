"""A part of a loss as a sum and the number of its terms, so that pieces of a batch add up exactly."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class LossPart:
    """`total` is a scalar, the sum over `count` terms; terms may be weighted, so the count may be broken."""

    total: torch.Tensor
    count: torch.Tensor | float

    @property
    def mean(self) -> torch.Tensor:
        """The mean over the terms; 0 where there are none."""
        return self.total / torch.as_tensor(self.count).clamp(min=1e-12)
