"""Weights of a loss's parts that are learned with the model (Kendall, Gal & Cipolla 2018, section 3.2)."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn


class UncertaintyWeights(nn.Module):
    """Σ exp(−s_i)·loss_i + s_i / 2 with s_i = log σ_i² learned: equation 10 for classification.

    A part that is hard to learn gets a larger σ and so a smaller weight; the second term keeps σ from growing for ever.
    All s_i begin at 0, which is equal weights.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.log_variance = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in names})

    def forward(self, losses: Mapping[str, torch.Tensor], *, share: float = 1.0) -> torch.Tensor:
        """The scalar total. `share` of the second term is for a piece of a batch whose losses are shares too."""
        known = {name: loss for name, loss in losses.items() if name in self.log_variance}
        return sum(
            (
                torch.exp(-self.log_variance[name]) * loss + share * self.log_variance[name] / 2
                for name, loss in known.items()
            ),
            torch.zeros(()),
        )

    def weights(self) -> dict[str, float]:
        """exp(−s_i) of each part, as they are now."""
        return {name: float(torch.exp(-value.detach())) for name, value in self.log_variance.items()}
