"""How much a class counts when some have hundreds of examples and others two."""

from collections.abc import Sequence
from typing import Literal

import torch

Balance = Literal["none", "inverse_sqrt", "effective"]
BETA = 0.999


def class_weights(counts: Sequence[int], *, kind: Balance) -> torch.Tensor:
    """(classes,) float32 whose mean over the examples is 1; a class without examples weighs 0.

    `inverse_sqrt` is n^(-1/2) (Mahajan et al. 2018, section 2.2, after Mikolov et al. 2013); `effective` is
    (1 − β) / (1 − βⁿ) with β = .999, the inverse of the effective number of examples (Cui et al. 2019, equation 3).
    Raises ValueError for a negative count, or when no class has an example.
    """
    numbers = torch.tensor(counts, dtype=torch.float64)
    if (numbers < 0).any():
        raise ValueError(f"counts={list(counts)} holds a negative number")
    if not numbers.sum():
        raise ValueError("counts: no class has an example")
    present = numbers > 0
    if kind == "inverse_sqrt":
        weights = numbers.clamp(min=1).rsqrt()
    elif kind == "effective":
        weights = (1 - BETA) / (1 - BETA ** numbers.clamp(min=1))
    else:
        weights = torch.ones_like(numbers)
    weights = torch.where(present, weights, 0.0)
    return (weights * numbers.sum() / (weights * numbers).sum()).float()
