"""Whether confidences mean what they say, and what a threshold would do.

Counted in steps of 0.01 % of confidence, rounded down, so a threshold that is a whole number of steps is exact.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.accuracy import Accuracy
from evaluation.columns import CONFIDENCE_STEPS, OUTCOMES, TRAINED_ON, Outcome
from evaluation.selectors.statistics import Counts
from evaluation.selectors.statistics_filters import Filters, selection_of
from evaluation.selectors.statistics_rows import chunks, settled

BINS = 20
MAX_POINTS = 200
_ROWS_WRONG = (Outcome.WRONG_SAME_BRAND, Outcome.WRONG_OTHER_BRAND, Outcome.WRONG_BRAND_UNKNOWN)


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of like confidence: how sure the model was on average, per cent, and how often it was right."""

    band: str  # as the filter `confidence` takes it
    confidence: float
    accuracy: Accuracy


@dataclass(frozen=True)
class ThresholdPoint:
    """If answers below `threshold` (per cent) were refused: the share that is left, and the precision of these."""

    threshold: float
    coverage: float
    precision: Accuracy


@dataclass(frozen=True)
class Curves:
    bins: list[ReliabilityBin]
    calibration_error: float | None  # per cent
    points: list[ThresholdPoint]  # by rising threshold
    total: int


def curves(*, filters: Filters) -> Curves:
    """Of the answers that name a product and were judged right or wrong, under the filters."""
    right, wrong = settled(lambda: _right_and_wrong(filters))
    bins = _bins(right, wrong)
    total = int((right + wrong).sum())
    gaps = [one.accuracy.of * abs(one.accuracy.percent - one.confidence) for one in bins]
    return Curves(bins, sum(gaps) / total if total else None, _points(right, wrong), total)


def _right_and_wrong(filters: Filters) -> tuple[np.ndarray, np.ndarray]:
    """(CONFIDENCE_STEPS + 1,) each."""
    counts = Counts()
    for chunk in chunks(selection_of(filters.counted), {"confidence", "outcome"}):
        counts.add(chunk.columns["confidence"], chunk.columns["outcome"])
    table = np.zeros((CONFIDENCE_STEPS + 1, OUTCOMES), dtype=np.int64)
    table[: len(counts.table)] = counts.table
    table = table[:, :TRAINED_ON] + table[:, TRAINED_ON:]
    return table[:, Outcome.RIGHT], table[:, list(_ROWS_WRONG)].sum(axis=1)


def _bins(right: np.ndarray, wrong: np.ndarray) -> list[ReliabilityBin]:
    middle = (np.arange(CONFIDENCE_STEPS + 1) + 0.5) * 100 / CONFIDENCE_STEPS
    middle[-1] = 100
    width = CONFIDENCE_STEPS // BINS
    found = []
    for place in range(BINS):
        last = CONFIDENCE_STEPS + 1 if place == BINS - 1 else (place + 1) * width
        part = slice(place * width, last)
        of = int((right + wrong)[part].sum())
        if of:
            sure = float((middle * (right + wrong))[part].sum() / of)
            band = f"{place * 100 // BINS}-{(place + 1) * 100 // BINS}"
            found.append(ReliabilityBin(band, sure, Accuracy(int(right[part].sum()), of)))
    return found


def _points(right: np.ndarray, wrong: np.ndarray) -> list[ThresholdPoint]:
    """At every whole number of MAX_POINTS-ths, less those that leave nothing."""
    right_above, all_above = right[::-1].cumsum()[::-1], (right + wrong)[::-1].cumsum()[::-1]
    points = []
    for step in range(0, CONFIDENCE_STEPS + 1, CONFIDENCE_STEPS // MAX_POINTS):
        left = int(all_above[step])
        if left:
            precision = Accuracy(int(right_above[step]), left)
            points.append(ThresholdPoint(step * 100 / CONFIDENCE_STEPS, 100 * left / int(all_above[0]), precision))
    return points
