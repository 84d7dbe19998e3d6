"""Reads of reviewers: what waits for them, what else is known of a label, what they can take back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.db.models import Q, QuerySet

from annotation.models import Label, LabelChange, Review
from mmproject.mongo.collections import collection

# What the queue can be narrowed by: the field that says which, and the field that names it.
FILTERS = {
    "product": ("product_id", "product_name"),
    "annotator": ("annotator_id", "annotator_name"),
    "source": ("source", "source"),
}
CHOICES_S = 30  # grouping all that waits is not for every press of a key
MAX_CHOICES = 500
UNDO_DEPTH = 50


def waiting_labels(chosen: Mapping[str, Any]) -> QuerySet[Label]:
    """The labels that nobody has reviewed, oldest first, of what is `chosen` of `FILTERS`."""
    wanted = {FILTERS[name][0]: value for name, value in chosen.items() if name in FILTERS}
    return Label.objects.filter(review=Review.PENDING, **wanted).order_by("created_at", "id")


def next_labels(
    chosen: Mapping[str, Any], *, after: Label | None = None, skipped: Sequence[str] = (), count: int = 2
) -> list[Label]:
    """The next `count` labels of the queue behind `after`, from its start again at its end."""
    queue = waiting_labels(chosen)
    if skipped:
        queue = queue.exclude(id__in=list(skipped))
    if after is None:
        return list(queue[:count])
    behind = Q(created_at__gt=after.created_at) | Q(created_at=after.created_at, id__gt=after.id)
    found = list(queue.filter(behind)[:count])
    if len(found) < count:
        known = {label.id for label in found} | {after.id}
        found += [label for label in queue[: count + 1] if label.id not in known][: count - len(found)]
    return found


def queue_choices() -> dict[str, list[tuple[Any, str, int]]]:
    """For each of `FILTERS`: value, name and how many labels wait, by name. Up to half a minute old."""
    return cache.get_or_set("annotation:review-choices", _count_choices, CHOICES_S)


def _count_choices() -> dict[str, list[tuple[Any, str, int]]]:
    facets = {
        name: [
            {"$group": {"_id": f"${key}", "name": {"$first": f"${title}"}, "count": {"$sum": 1}}},
            {"$sort": {"name": 1, "_id": 1}},
            {"$limit": MAX_CHOICES},
        ]
        for name, (key, title) in FILTERS.items()
    }
    [found] = collection(Label).aggregate([{"$match": {"review": str(Review.PENDING)}}, {"$facet": facets}])
    return {name: [(one["_id"], one["name"], one["count"]) for one in found[name]] for name in FILTERS}


def other_labels(label: Label, *, limit: int = 20) -> list[Label]:
    """What else was said of the same listing, newest first."""
    return list(Label.objects.filter(listing_id=label.listing_id).exclude(id=label.id).order_by("-created_at")[:limit])


def label_history(label: Label, *, limit: int = 200) -> list[LabelChange]:
    """Every change of a label, newest first."""
    return list(LabelChange.objects.filter(label_id=label.id).order_by("-number")[:limit])


def last_change(*, reviewer_id: int) -> LabelChange | None:
    """The newest change of a reviewer that he has not taken back yet."""
    undone = set()
    for change in LabelChange.objects.filter(changed_by_id=reviewer_id).order_by("-changed_at", "-id")[:UNDO_DEPTH]:
        if change.undoes:
            undone.add(change.undoes)
        elif change.id not in undone:
            return change
    return None
