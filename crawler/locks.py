"""Locks between processes in Redis; without Redis the work goes on unlocked, because every write can be repeated."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from redis.exceptions import LockError, RedisError

from mmproject.queue import impatient_redis

logger = logging.getLogger(__name__)


@contextmanager
def one_at_a_time(name: str, *, held_s: float = 10.0, wait_s: float = 5.0) -> Iterator[None]:
    """Only one block of this name runs at a time, for `held_s` at most; whoever waited `wait_s` runs nevertheless."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    lock = impatient_redis().lock(f"{prefix}lock:{name}", timeout=held_s, blocking_timeout=wait_s, sleep=0.02)
    try:
        held = lock.acquire()
    except RedisError as error:
        logger.warning("no lock for %s, going on without: %s", name, error)
        held = False
    try:
        yield
    finally:
        if held:
            try:
                lock.release()
            except (LockError, RedisError) as error:
                logger.warning("the lock %s was not released: %s", name, error)
