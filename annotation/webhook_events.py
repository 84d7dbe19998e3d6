"""What webhooks are told: submissions made and taken back, labels reviewed. Each event becomes one delivery a webhook.

Writing one again changes nothing: its key comes from the webhook, the event and what it is about. Sending is
`annotation.webhook_sending`.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from annotation.models import LabelChange, Submission, Webhook, WebhookDelivery
from mmproject.queue import nudge
from mmproject.remembered import forget, remembered

SUBMISSION_CREATED, SUBMISSION_CANCELLED = "submission.created", "submission.cancelled"
LABEL_REVIEWED = "label.reviewed"
SEND = "annotation.tasks.send_webhook"


def enabled_webhooks() -> list[Webhook]:
    """The webhooks that are told. Every submission asks, so a process keeps the answer for two seconds."""
    return list(remembered("webhooks", lambda: list(Webhook.objects.filter(enabled=True)), seconds=2))


def forget_webhooks(**_signal: Any) -> None:
    """Have `enabled_webhooks` look again; a receiver of Webhook's signals."""
    forget("webhooks")


def follow_submission(submission: Submission) -> None:
    """Tell that `submission` was made, or taken back; a follower."""
    webhooks = [one for one in enabled_webhooks() if one.on_submission]
    if webhooks:
        event = SUBMISSION_CANCELLED if submission.cancelled_at else SUBMISSION_CREATED
        _tell(webhooks, event, {submission.id: _submission_data(submission)})


def follow_reviews(changes: Sequence[LabelChange]) -> None:
    """Tell of labels that reviewers changed: one event for each change."""
    webhooks = [one for one in enabled_webhooks() if one.on_review]
    if webhooks and changes:
        _tell(webhooks, LABEL_REVIEWED, {change.id: _review_data(change) for change in changes})


def _submission_data(submission: Submission) -> dict[str, Any]:
    return {
        "submission": submission.id,
        "product": submission.product_id,
        "product_name": submission.product_name,
        "keyword": submission.keyword,
        "source": submission.source,
        "annotator": submission.annotator_name,
        "shown": submission.shown_listing_ids,
        "matched": submission.matched_listing_ids,
        "refused": submission.refused_listing_ids,
        "unsure": submission.unsure_listing_ids,
        "skip_reason": submission.skip_reason,
        "created_at": submission.created_at.isoformat(),
        "cancelled_at": submission.cancelled_at.isoformat() if submission.cancelled_at else None,
    }


def _review_data(change: LabelChange) -> dict[str, Any]:
    return {
        "change": change.id,
        "label": change.label_id,
        "title": change.label_title,
        "before": change.before,
        "after": change.after,
        "reviewer": change.changed_by_name,
        "reviewed_at": change.changed_at.isoformat(),
    }


def _tell(webhooks: Sequence[Webhook], event: str, about: dict[str, dict[str, Any]]) -> None:
    now = timezone.now()
    wanted = {
        delivery.id: delivery
        for webhook in webhooks
        for key, data in about.items()
        if (delivery := _delivery(webhook, event, key, {"type": event, "timestamp": now.isoformat(), "data": data}))
    }
    known = set(WebhookDelivery.objects.filter(id__in=list(wanted)).values_list("id", flat=True))
    new = [delivery for delivery_id, delivery in wanted.items() if delivery_id not in known]
    if not new:
        return
    try:
        WebhookDelivery.objects.bulk_create(new)
    except IntegrityError:  # the same event, a moment ago, in another process
        for delivery in new:
            with contextlib.suppress(IntegrityError):
                delivery.save(force_insert=True)
    for webhook in webhooks:
        nudge(SEND, webhook.id)


def _delivery(webhook: Webhook, event: str, key: str, payload: dict[str, Any]) -> WebhookDelivery:
    now = timezone.now()
    return WebhookDelivery(
        id=WebhookDelivery.make_id(webhook_id=webhook.id, event=event, about=key),
        webhook_id=webhook.id,
        webhook_name=webhook.name,
        event=event,
        payload=payload,
        next_try_at=now,
        created_at=now,
    )
