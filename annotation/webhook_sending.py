"""Sending what webhooks are told: again and again for about a day, by one worker at a time.

Whoever moves a delivery's `next_try_at` from what was read holds it, for LEASE; a worker that dies meanwhile leaves it
due again. So it may arrive twice, with the same `webhook-id`, and is never lost.
"""

import json
import random
import time
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Webhook, WebhookDelivery
from annotation.webhook_events import SEND
from annotation.webhook_post import PostError, post
from crawler.models import WorkState
from mmproject.queue import nudge

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 12
FIRST_PAUSE_S, FACTOR, LONGEST_PAUSE_S = 15.0, 3.0, 6 * 3600.0  # 15 s, 45 s, 2 min, … 6 h: about a day in all
KEEP = timedelta(days=30)
_TURN_S = 45.0  # after so long a worker lets others in
_FAILURES_IN_A_ROW = 3


def deliveries_send(*, webhook_id: str) -> int:
    """Send what is due of one webhook; returns how many arrived.

    It stops after some failures in a row: the rest comes later, and nobody else waits for a server that is away.
    """
    turn = f"annotation:webhook:{webhook_id}"
    if not cache.add(turn, 1, _TURN_S + 2 * LEASE.total_seconds()):
        return 0  # another worker is at it
    try:
        return _send_due(webhook_id)
    finally:
        cache.delete(turn)


def _send_due(webhook_id: str) -> int:
    webhook = Webhook.objects.filter(id=webhook_id, enabled=True).first()
    if webhook is None:
        waiting = WebhookDelivery.objects.filter(webhook_id=webhook_id, state=WorkState.PENDING)
        waiting.update(state=WorkState.CANCELLED, error=_("The webhook is switched off or deleted."))
        return 0
    until = time.monotonic() + _TURN_S
    sent = failures = 0
    while failures < _FAILURES_IN_A_ROW:
        due = WebhookDelivery.objects.filter(
            webhook_id=webhook_id, state=WorkState.PENDING, next_try_at__lte=timezone.now()
        )
        delivery = due.order_by("next_try_at").first()
        if delivery is None:
            return sent
        if time.monotonic() > until:
            nudge(SEND, webhook_id)
            return sent
        arrived = delivery_send(delivery=delivery, webhook=webhook)
        sent += arrived
        failures = 0 if arrived else failures + 1
    return sent


def delivery_send(*, delivery: WebhookDelivery, webhook: Webhook) -> bool:
    """Try once, unless somebody else holds it; writes what came of it. True when it arrived."""
    held_until = timezone.now() + LEASE
    held_until = held_until.replace(microsecond=held_until.microsecond // 1000 * 1000)  # as MongoDB keeps it
    attempts = delivery.attempts + 1
    mine = WebhookDelivery.objects.filter(
        id=delivery.id, state=WorkState.PENDING, next_try_at=delivery.next_try_at, attempts=delivery.attempts
    )
    if not mine.update(next_try_at=held_until, attempts=attempts):
        return False
    held = WebhookDelivery.objects.filter(id=delivery.id, state=WorkState.PENDING, next_try_at=held_until)
    try:
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
        status = post(url=webhook.url, secret=webhook.secret, message_id=delivery.id, body=body)
    except PostError as error:
        state = WorkState.FAILED if attempts >= MAX_ATTEMPTS else WorkState.PENDING
        next_try_at = timezone.now() + timedelta(seconds=pause_s(attempts))
        held.update(state=state, status=error.status, error=str(error)[:500], next_try_at=next_try_at)
        return False
    held.update(state=WorkState.DONE, status=status, error="", delivered_at=timezone.now())
    return True


def pause_s(attempts: int) -> float:
    """Seconds to the next try after so many: exponential, give or take a quarter so that not all come at once."""
    pause = min(FIRST_PAUSE_S * FACTOR ** (attempts - 1), LONGEST_PAUSE_S)
    return pause * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


def deliveries_resume() -> int:
    """Queue the sending of what is due, and forget what is long over; returns for how many webhooks."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(state=WorkState.PENDING, next_try_at__lte=now)
    webhook_ids = set(due.order_by("next_try_at").values_list("webhook_id", flat=True)[:1000])
    for webhook_id in webhook_ids:
        nudge(SEND, webhook_id)
    old = WebhookDelivery.objects.filter(created_at__lt=now - KEEP).exclude(state=WorkState.PENDING)
    if ids := list(old.values_list("id", flat=True)[:1000]):
        WebhookDelivery.objects.filter(id__in=ids).delete()
    return len(webhook_ids)


def deliveries_send_again(*, delivery_ids: list[str]) -> int:
    """Send these anew, from the first attempt; returns how many. One that is waiting is tried at once."""
    now = timezone.now()
    chosen = WebhookDelivery.objects.filter(id__in=delivery_ids)
    webhook_ids = set(chosen.values_list("webhook_id", flat=True))
    count = chosen.update(
        state=WorkState.PENDING, attempts=0, next_try_at=now, error="", status=None, delivered_at=None
    )
    for webhook_id in webhook_ids:
        nudge(SEND, webhook_id)
    return count
