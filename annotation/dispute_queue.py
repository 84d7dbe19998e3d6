"""Reads of disputes: which wait for a reviewer, what is known of one, what he can take back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import Dispute, Label
from crawler.models import WorkState


def open_disputes(chosen: Mapping[str, Any]) -> QuerySet[Dispute]:
    """The disputes that nobody has decided, oldest first, of the product that is `chosen` if any is."""
    wanted = {"product_id": chosen["product"]} if "product" in chosen else {}
    return Dispute.objects.filter(state=WorkState.PENDING, **wanted).order_by("opened_at", "id")


def next_dispute(
    chosen: Mapping[str, Any], *, after: Dispute | None = None, skipped: Sequence[str] = ()
) -> Dispute | None:
    """The next dispute behind `after`, from the start again at the end."""
    queue = open_disputes(chosen)
    if skipped:
        queue = queue.exclude(id__in=list(skipped))
    if after is not None:
        behind = Q(opened_at__gt=after.opened_at) | Q(opened_at=after.opened_at, id__gt=after.id)
        if (found := queue.filter(behind).first()) is not None:
            return found
        queue = queue.exclude(id=after.id)
    return queue.first()


def last_decision(*, reviewer_name: str) -> Dispute | None:
    """The dispute that this reviewer decided last."""
    return Dispute.objects.filter(decided_by=reviewer_name, state=WorkState.DONE).order_by("-decided_at").first()


def disputed_labels(dispute: Dispute) -> list[Label]:
    """The labels that say what the dispute is about, the newest first."""
    labels = Label.objects.filter(listing_id=dispute.listing_id, product_id=dispute.product_id)
    return list(labels.order_by("-created_at")[:50])
