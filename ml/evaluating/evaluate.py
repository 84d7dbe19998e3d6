"""Answers and truths → figures. Pure: reads nothing, writes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.evaluating.answers import TOP, HeadAnswers
from ml.metrics.accuracy import Accuracy
from ml.metrics.bootstrap import RESAMPLES, bootstrap_interval
from ml.metrics.calibration import (
    Bin,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
    negative_log_likelihood,
)
from ml.metrics.confusion import confused_pairs, worst_confusion
from ml.metrics.per_class import ClassFigures, class_figures
from ml.metrics.risk_coverage import risk_coverage
from ml.metrics.top_k import hits

CURVE_POINTS = 200
DRAWN, LEAST_RESAMPLES = 5_000_000, 200  # of many answers the interval is narrow, and fewer resamples will do
CONFUSED_PAIRS = 50


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and its 95 % bootstrap interval; None where there was nothing to measure."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class: how often it was the truth and how often it was said; `low`, `high`: the interval of its recall."""

    id: str
    name: str
    support: int
    said: int
    precision: float
    recall: float
    low: float
    high: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """ECE by intervals of equal width and by bins of equal mass, and the bins of either; Brier; -log likelihood."""

    ece: Estimate
    ece_equal_mass: Estimate
    brier: float | None
    negative_log_likelihood: float | None
    bins: list[Bin]
    equal_mass_bins: list[Bin]


@dataclass(frozen=True, kw_only=True)
class HeadFigures:
    """One head on the pairs whose truth it knows; `unknown` counts the others, which are in no other figure."""

    unknown: int
    top1: dict[str, Any]
    top5: dict[str, Any]
    macro_f1: Estimate
    macro_precision: float | None
    macro_recall: float | None
    micro_f1: float | None
    calibration: Calibration
    risk_coverage: dict[str, Any]
    classes: list[ClassRow]
    worst: dict[str, Any]
    confused: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Two ways to a brand: of its own head, and of the product that was answered.

    `disagree`: how often they differ, of all answers. `brand_of_product`: how often the latter is right, of the pairs
    whose brand the model knows.
    """

    disagree: dict[str, Any]
    brand_of_product: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All figures of one model on one split. `about`: which model, data, split and question; `counts`: of records."""

    about: dict[str, Any]
    counts: dict[str, int]
    product: HeadFigures
    brand: HeadFigures
    consistency: Consistency

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return asdict(self)


def evaluate(
    *,
    about: dict[str, Any],
    unreadable: int,
    brand: HeadAnswers,
    product: HeadAnswers,
    brands: Sequence[dict[str, str]],
    products: Sequence[dict[str, str]],
) -> Evaluation:
    """`brand`, `product`: answers to the same N pairs, in one order; `brands`, `products`: the model's classes.

    `unreadable` pairs have no answer and are in neither. Raises ValueError when the heads answered different numbers.
    """
    if len(brand) != len(product):
        raise ValueError(f"{len(brand)} answers of the brand head, {len(product)} of the product head")
    place = {entry["id"]: number for number, entry in enumerate(brands)}
    brand_of = np.array([place.get(entry["brand"], -1) for entry in products], dtype=np.int64)
    of_product = brand_of[product.predicted]  # (N,)
    known = brand.truth >= 0
    return Evaluation(
        about=about,
        counts={"records": len(brand) + unreadable, "answered": len(brand), "unreadable": unreadable},
        product=_head(product, products),
        brand=_head(brand, brands),
        consistency=Consistency(
            disagree=_count(of_product != brand.predicted), brand_of_product=_share((of_product == brand.truth)[known])
        ),
    )


def class_name(entry: dict[str, str]) -> str:
    """What people call a class; goods without a brand have the brand of id ""."""
    return entry["name"] or entry["id"] or "(no brand)"


def _head(answers: HeadAnswers, entries: Sequence[dict[str, str]]) -> HeadFigures:
    known = answers.take(answers.truth >= 0)
    names = [class_name(entry) for entry in entries]
    figures = class_figures(known.truth, known.predicted, classes=len(entries))

    def macro_f1(rows: np.ndarray) -> float | None:
        drawn = class_figures(known.truth[rows], known.predicted[rows], classes=len(entries))
        return drawn.macro(drawn.f1)

    return HeadFigures(
        unknown=len(answers) - len(known),
        top1=_share(known.right),
        top5=_share(hits(known.top, known.truth, TOP)),
        macro_f1=_estimate(macro_f1, total=len(known)),
        macro_precision=figures.macro(figures.precision),
        macro_recall=figures.macro(figures.recall),
        micro_f1=figures.micro_f1,
        calibration=_calibration(known),
        risk_coverage=_curve(known),
        classes=_class_rows(figures, entries, names),
        worst=worst_confusion(known.truth, known.predicted, names),
        confused=[
            {"truth": entries[truth]["id"], "said": entries[said]["id"], "count": count}
            for truth, said, count in confused_pairs(known.truth, known.predicted)[:CONFUSED_PAIRS]
        ],
    )


def _calibration(known: HeadAnswers) -> Calibration:
    def error(kind: Any) -> Estimate:
        return _estimate(
            lambda rows: expected_calibration_error(kind(known.confidence[rows], known.right[rows])), total=len(known)
        )

    return Calibration(
        ece=error(equal_width_bins),
        ece_equal_mass=error(equal_mass_bins),
        brier=float(known.brier.mean()) if len(known) else None,
        negative_log_likelihood=negative_log_likelihood(known.given),
        bins=equal_width_bins(known.confidence, known.right),
        equal_mass_bins=equal_mass_bins(known.confidence, known.right),
    )


def _curve(known: HeadAnswers) -> dict[str, Any]:
    """At most CURVE_POINTS points, evenly by number, the last one always."""
    curve = risk_coverage(known.confidence, known.right)
    last = len(curve.risk) - 1
    points: list[int] = np.unique(np.linspace(0, last, CURVE_POINTS).round().astype(int)).tolist() if len(known) else []
    return {
        "area": curve.area,
        "threshold": [float(curve.threshold[point]) for point in points],
        "coverage": [float(curve.coverage[point]) for point in points],
        "risk": [float(curve.risk[point]) for point in points],
    }


def _class_rows(figures: ClassFigures, entries: Sequence[dict[str, str]], names: Sequence[str]) -> list[ClassRow]:
    """Those that were the truth or were said, the lowest recall first."""
    rows = []
    for number in np.flatnonzero(figures.support + figures.said).tolist():
        share = Accuracy(int(figures.right[number]), int(figures.support[number]))
        rows.append(
            ClassRow(
                id=entries[number]["id"],
                name=names[number],
                support=share.total,
                said=int(figures.said[number]),
                precision=float(figures.precision[number]),
                recall=float(figures.recall[number]),
                low=share.interval[0],
                high=share.interval[1],
                f1=float(figures.f1[number]),
            )
        )
    return sorted(rows, key=lambda row: (row.support == 0, row.recall, -row.support, row.name))


def _estimate(figure: Any, *, total: int) -> Estimate:
    resamples = min(RESAMPLES, max(LEAST_RESAMPLES, DRAWN // max(total, 1)))
    low, high = bootstrap_interval(figure, total=total, resamples=resamples) or (None, None)
    return Estimate(value=figure(np.arange(total)), low=low, high=high)


def _share(right: np.ndarray) -> dict[str, Any]:
    return Accuracy(int(right.sum()), len(right)).as_dict()


def _count(what: np.ndarray) -> dict[str, Any]:
    """As `_share`, of something that is not right or wrong."""
    share = Accuracy(int(what.sum()), len(what))
    low, high = share.interval
    return {"count": share.right, "total": share.total, "share": share.value, "low": low, "high": high}
