"""Whether suggestions pull annotators along: how much of what the model ticked stays, beside what they tick alone."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from annotation.models import Submission
from mmproject.mongo.collections import collection

SINCE = timedelta(days=30)


@dataclass(frozen=True)
class Shares:
    """Counts of listings in submissions that the model had a hand in."""

    suggested: int
    kept: int  # of the suggested ones, still ticked when they were submitted
    alone: int  # shown without a suggestion
    ticked: int  # of these

    @property
    def kept_percent(self) -> int:
        return round(100 * self.kept / self.suggested) if self.suggested else 0

    @property
    def ticked_percent(self) -> int:
        return round(100 * self.ticked / self.alone) if self.alone else 0


def suggestion_shares(user: AbstractBaseUser) -> Shares | None:
    """Of the last 30 days' submissions of `user`; None without any suggestion. One aggregation, along an index."""
    recent = {"annotator_id": user.pk, "created_at": {"$gte": timezone.now() - SINCE}, "cancelled_at": None}
    kept = {"$size": {"$setIntersection": ["$suggested_listing_ids", "$matched_listing_ids"]}}
    sums = {
        "suggested": {"$size": "$suggested_listing_ids"},
        "kept": kept,
        "alone": {"$subtract": [{"$size": "$shown_listing_ids"}, {"$size": "$suggested_listing_ids"}]},
        "ticked": {"$subtract": [{"$size": "$matched_listing_ids"}, kept]},
    }
    stages = [
        {"$match": recent | {"suggested_by": {"$gt": ""}}},
        {"$group": {"_id": None} | {name: {"$sum": value} for name, value in sums.items()}},
    ]
    found = next(collection(Submission).aggregate(stages), None)
    if not found or not found["suggested"]:
        return None
    return Shares(**{name: found[name] for name in sums})
