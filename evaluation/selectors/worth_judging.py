"""Which listings to judge next, so that a judgment teaches the most.

Of the answers given last, on listings that nobody has judged: where versions disagree, where a product has hardly been
judged yet, where the model is nearly as sure of its second answer as of its first (margin sampling: Scheffer et al.
2001, "Active hidden Markov models for information extraction").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crawler.models import WorkState
from evaluation.models import Judgment, Prediction
from evaluation.selectors.models import active_model, models_to_choose
from mmproject.mongo.collections import collection

WINDOW = 1000  # the answers that are looked at, the newest ones
FEW = 5  # judgments of a product, below which each new one says much
UNCERTAIN = 0.3  # margin, below which an answer counts as uncertain


class Reason(StrEnum):
    DISAGREE = "disagree"
    NEW = "new"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Worth:
    """A listing by its last answer, and why it is worth judging. `others`: what other versions said instead."""

    prediction: Prediction
    reason: Reason
    margin: float
    others: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        return 100 * (self.prediction.product_confidence or 0)


def worth_judging(*, limit: int = 24) -> list[Worth]:
    """At most `limit` listings, the most useful first; a constant number of queries."""
    by_listing: dict[str, dict[str, Prediction]] = {}
    for row in _answers():
        by_listing.setdefault(row.listing_id, {}).setdefault(row.model_id, row)  # the newest of each version
    judged = set(Judgment.objects.filter(listing_id__in=list(by_listing)).values_list("listing_id", flat=True))
    fresh = {listing: rows for listing, rows in by_listing.items() if listing not in judged}
    active = active_model()
    shown = {
        listing: rows.get(active.id if active else "") or next(iter(rows.values())) for listing, rows in fresh.items()
    }
    counts = _judgments_of({row.product_id for row in shown.values()})
    found = [
        _worth(row, list(fresh[listing].values()), counts.get(row.product_id, 0)) for listing, row in shown.items()
    ]
    order = list(Reason)
    return sorted((one for one in found if one), key=lambda one: (order.index(one.reason), one.margin))[:limit]


def _answers() -> list[Prediction]:
    """The last answers of versions that may be chosen, on pictures that they were not trained on; the newest first."""
    rows = Prediction.objects.filter(state=WorkState.DONE, trained_on=False, image_sha256__gt="")
    rows = rows.filter(model_id__in=[model.id for model in models_to_choose()])
    return list(rows.order_by("-created_at")[:WINDOW])


def _judgments_of(products: set[str]) -> dict[str, int]:
    """How many judgments there are of answers that named each of these products."""
    pipeline: list[dict[str, Any]] = [
        {"$match": {"predicted_product_id": {"$in": sorted(products)}}},
        {"$group": {"_id": "$predicted_product_id", "count": {"$sum": 1}}},
    ]
    return {row["_id"]: row["count"] for row in collection(Judgment).aggregate(pipeline)}


def _worth(row: Prediction, answers: Sequence[Prediction], judged: int) -> Worth | None:
    margin = _margin(row)
    others = tuple(sorted({one.product_name for one in answers if one.product_id != row.product_id}))
    if others:
        return Worth(row, Reason.DISAGREE, margin, others)
    if judged < FEW:
        return Worth(row, Reason.NEW, margin)
    return Worth(row, Reason.UNCERTAIN, margin) if margin < UNCERTAIN else None


def _margin(row: Prediction) -> float:
    confidences = sorted((confidence for _product, _name, confidence in row.top5), reverse=True)
    return confidences[0] - confidences[1] if len(confidences) > 1 else row.product_confidence or 0.0
