"""Whether a confidence of 80 % is right in 80 % of the cases."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 15
LEAST_PROBABILITY = 1e-12  # float32 rounds smaller ones to 0, whose logarithm would be infinite


@dataclass(frozen=True)
class Bin:
    """Answers of like confidence: their number, mean confidence and share that is right. Never empty."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def equal_width_bins(confidence: np.ndarray, right: np.ndarray, *, bins: int = BINS) -> list[Bin]:
    """The intervals ((i-1)/bins, i/bins] that hold an answer (Guo et al. 2017, section 2); 0 is in the first.

    `confidence` (N,) from 0 to 1, `right` (N,) bool. Raises ValueError for bins < 1 or a confidence out of range.
    """
    _check(confidence, bins)
    return _bins(np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1), confidence, right, width=1 / bins)


def equal_mass_bins(confidence: np.ndarray, right: np.ndarray, *, bins: int = BINS) -> list[Bin]:
    """Bins of about N / `bins` answers each, by confidence (Nixon et al. 2019, section 4, adaptive calibration error).

    Equal confidences share a bin, so the order of the answers changes nothing. Arguments and errors as above.
    """
    _check(confidence, bins)
    rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    return _bins(rank * bins // max(len(confidence), 1), confidence, right, width=None)


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """Σ count/N · |accuracy - confidence| (Naeini et al. 2015, section 3); None of no bins. From 0 (best) to 1."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / total if bins else None


def brier_terms(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Σ_c (p_c - [c is the truth])² of each row (Brier 1950, equation 2): (N, C), (N,) → (N,) from 0 (best) to 2.

    A truth of -1, a class that the rows lack, gives 1 + Σ p².
    """
    return (probabilities**2).sum(axis=1) - 2 * truth_probability(probabilities, truth) + 1


def truth_probability(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What each row gives to its truth: (N, C), (N,) → (N,); 0 for a truth of -1."""
    given = np.take_along_axis(probabilities, np.maximum(truth, 0)[:, None], axis=1)[:, 0]
    return np.where(truth >= 0, given, 0.0)


def negative_log_likelihood(given: np.ndarray) -> float | None:
    """The mean of -ln p, p = what was given to the truth (N,), no less than LEAST_PROBABILITY; None of nothing."""
    return float(-np.log(np.maximum(given, LEAST_PROBABILITY)).mean()) if len(given) else None


def _check(confidence: np.ndarray, bins: int) -> None:
    if bins < 1:
        raise ValueError(f"bins={bins} is less than 1")
    if len(confidence) and not (confidence.min() >= 0 and confidence.max() <= 1):  # NaN too
        raise ValueError(f"confidence holds {confidence.min()} to {confidence.max()}, not 0 to 1")


def _bins(place: np.ndarray, confidence: np.ndarray, right: np.ndarray, *, width: float | None) -> list[Bin]:
    counts = np.bincount(place)
    filled = np.flatnonzero(counts)
    confidences = np.bincount(place, weights=confidence)[filled] / counts[filled]
    accuracies = np.bincount(place, weights=right)[filled] / counts[filled]
    found = []
    for index, mean, accuracy in zip(filled.tolist(), confidences.tolist(), accuracies.tolist(), strict=True):
        if width is not None:
            low, high = index * width, (index + 1) * width
        else:
            inside = confidence[place == index]
            low, high = float(inside.min()), float(inside.max())
        found.append(Bin(low=low, high=high, count=int(counts[index]), confidence=mean, accuracy=accuracy))
    return found
