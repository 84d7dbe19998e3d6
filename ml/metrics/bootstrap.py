"""Intervals of figures that have no closed form."""

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000


def bootstrap_interval(
    figure: Callable[[np.ndarray], float | None], *, total: int, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """The 95 % percentile interval (Efron & Tibshirani 1993, section 13.3) of `figure(rows)`.

    `rows` (total,) are places drawn with replacement from `total` answers. None where there is nothing to draw from.
    The same seed gives the same interval. A figure that chance can only raise, as the calibration error of few answers,
    is raised in the resamples too: its interval then begins above it.
    """
    if not total:
        return None
    rng = np.random.default_rng(seed)
    drawn = [figure(rng.integers(total, size=total)) for _ in range(resamples)]
    low, high = np.quantile([value for value in drawn if value is not None], [0.025, 0.975])
    return float(low), float(high)
