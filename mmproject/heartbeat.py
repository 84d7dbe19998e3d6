"""Proof that workers consume: a task goes round every queue, and the worker that takes it leaves the time in Redis.

A ping is no proof: after a restart of Redis a Celery worker can stay alive and take nothing any more.
"""

import time
from datetime import UTC, datetime

from django.conf import settings

from mmproject.queue import impatient_redis

QUEUES = ("crawl", "predict", "train")
# Beats come every 15 s to `crawl` and every 60 s to the others, whose workers do one thing at a time.
LATE_S = 60
_KEPT_S = 30 * 24 * 3600


def heartbeat_note(*, queue: str) -> None:
    """Note that a worker of `queue` took its heartbeat now. Raises ValueError for no queue of ours, RedisError."""
    impatient_redis().set(_key(queue), repr(time.time()), ex=_KEPT_S)


def last_seen() -> dict[str, datetime | None]:
    """When a worker of each queue took a heartbeat last; None: not within a month. Raises RedisError."""
    stored: list[bytes | None] = impatient_redis().mget([_key(queue) for queue in QUEUES])  # type: ignore[assignment]
    return {
        queue: None if value is None else datetime.fromtimestamp(float(value), UTC)
        for queue, value in zip(QUEUES, stored, strict=True)
    }


def _key(queue: str) -> str:
    if queue not in QUEUES:
        raise ValueError(f"{queue!r} is none of the queues {', '.join(QUEUES)}")
    return f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}heartbeat:{queue}"
