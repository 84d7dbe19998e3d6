"""Whether one model is better than another on the same pairs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """How many pairs only one of two models answers rightly, and how likely a difference as large is by chance."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> Comparison:
    """McNemar's exact test, two-sided (McNemar 1947; Dietterich 1998, section 3.1): `first`, `second` (N,) bool, right.

    Of the pairs where just one is right, the smaller side is binomial(n, 1/2) if both are as good. Raises ValueError
    when the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} answers of the first model, {len(second)} of the second")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n = only_first + only_second
    tail = term = 1  # Σ C(n, i) for i up to the smaller side, in whole numbers: floats would underflow
    for i in range(min(only_first, only_second)):
        term = term * (n - i) // (i + 1)
        tail += term
    return Comparison(only_first, only_second, min(1.0, 2 * tail / 2**n))
