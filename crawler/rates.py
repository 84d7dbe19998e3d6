"""How often a host may be asked, counted in Redis so that all workers share it."""

import logging
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from crawler.errors import BusyError

logger = logging.getLogger(__name__)

_LONGEST_NAP = 0.25  # seconds between two looks
# Requests do not all take equally long to arrive: two that leave a window apart must not arrive within one.
_GUARD_S = 0.05


class _GuardedStorage(RedisStorage):
    # A window with its guard is no whole number of seconds, as which Redis wants the life of a key.
    SCRIPT_ACQUIRE_MOVING_WINDOW = RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW.replace(
        b"KEYS[1], expiry)", b"KEYS[1], math.ceil(expiry))"
    )


@lru_cache(maxsize=1)
def _storage() -> RedisStorage:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    waits: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 5}
    return _GuardedStorage(settings.REDIS_URL, key_prefix=f"{prefix}crawler-rate", **waits)


@lru_cache(maxsize=64)
def parse_rate(text: str) -> RateLimitItem:
    """A rate like "2/second" or "30/minute". Raises ValueError for anything else."""
    item = parse(text)
    if item.amount < 1:
        raise ValueError(f"{text!r} allows nothing")
    return item


def per_second(rate: str) -> float:
    """How many requests a second `rate` amounts to. Raises ValueError for what is no rate."""
    item = parse_rate(rate)
    return item.amount / item.get_expiry()


def wait_for_turn(host: str, *, rate: str, deadline: float) -> None:
    """Return when `host` may be asked again. `rate` is like "20/second"; `deadline` is on the monotonic clock.

    A Redis that is away is waited for. Raises BusyError when the turn does not come before the deadline.
    """
    item = parse_rate(rate)
    while (wait_s := _turn_opens_in(item, host)) > 0:
        now = time.monotonic()
        if now >= deadline:
            raise BusyError(_("%(host)s is asked too often already: try again later.") % {"host": host})
        time.sleep(min(max(wait_s, 0.01), _LONGEST_NAP, max(deadline - now, 0.01)))


def _turn_opens_in(item: RateLimitItem, host: str) -> float:
    """0 when the turn was taken, else the seconds until another look is worth it."""
    storage, key, window = _storage(), item.key_for(host), item.get_expiry() + _GUARD_S
    try:
        if storage.acquire_entry(key, item.amount, window):  # type: ignore[arg-type]
            return 0.0
        start, _count = storage.get_moving_window(key, item.amount, window)  # type: ignore[arg-type]
    except RedisError as error:
        logger.warning("the rate of %s cannot be counted, waiting for Redis: %s", host, error)
        return _LONGEST_NAP
    return max(start + window - time.time(), 0.001)
