"""Predictions and judgments as programs list them, a page at a time, the newest first."""

from typing import Any

from evaluation.models import Judgment, Prediction
from mmproject.cursors import newest

_PREDICTION_FILTERS = {
    "job": "run_id",
    "model": "model_id",
    "listing": "listing_id",
    "state": "state",
    "product": "product_id",
    "rejected": "rejected",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}
_JUDGMENT_FILTERS = {
    "job": "run_id",
    "model": "model_id",
    "listing": "listing_id",
    "prediction": "prediction_id",
    "verdict": "verdict",
    "product": "predicted_product_id",
    "right_product": "right_product_id",
    "evaluator": "evaluator_name",
    "judged_after": "judged_at__gte",
    "judged_before": "judged_at__lt",
}


def predictions_page(*, filters: dict[str, Any], after: str, size: int) -> tuple[list[Prediction], str]:
    """`size` predictions, and the cursor of what follows them ("" when nothing does); None and "" do not filter.

    Raises ValueError for what is no cursor of ours.
    """
    rows = Prediction.objects.filter(**_wanted(filters, _PREDICTION_FILTERS))
    return newest(rows, by="created_at", after=after, size=size)


def judgments_page(*, filters: dict[str, Any], after: str, size: int) -> tuple[list[Judgment], str]:
    """As `predictions_page`, of what evaluators said."""
    rows = Judgment.objects.filter(**_wanted(filters, _JUDGMENT_FILTERS))
    return newest(rows, by="judged_at", after=after, size=size)


def _wanted(filters: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in filters.items() if value not in (None, "")}
