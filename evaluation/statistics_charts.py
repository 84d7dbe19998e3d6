"""What the script of the statistics draws."""

from collections.abc import Sequence
from typing import Any

from evaluation.selectors.statistics import Row
from evaluation.selectors.statistics_curves import Curves

MAX_BARS = 20


def days_chart(rows: Sequence[Row]) -> dict[str, Any]:
    """The accuracy from day to day with its interval, and how many were judged."""
    return {
        "labels": [row.key for row in rows],
        "accuracy": [round(row.product.percent, 1) if row.product.of else None for row in rows],
        "low": [round(row.product.low, 1) if row.product.of else None for row in rows],
        "high": [round(row.product.high, 1) if row.product.of else None for row in rows],
        "judged": [row.judged for row in rows],
    }


def groups_chart(rows: Sequence[Row]) -> dict[str, Any]:
    """Right and wrong of the groups that were judged most."""
    shown = rows[:MAX_BARS]
    return {
        "labels": [row.name or "–" for row in shown],
        "right": [row.right + row.refused_right for row in shown],
        "wrong": [row.wrong + row.refused_wrong for row in shown],
    }


def reliability_chart(found: Curves) -> list[dict[str, float]]:
    return [{"x": round(one.confidence, 2), "y": round(one.accuracy.percent, 2)} for one in found.bins]


def precision_chart(found: Curves) -> list[dict[str, float]]:
    return [
        {"x": round(one.coverage, 2), "y": round(one.precision.percent, 2), "threshold": one.threshold}
        for one in found.points
    ]
