"""How often a host may be asked, counted in Redis so that all workers share it."""

import time
from functools import lru_cache

from django.conf import settings
from django.utils.translation import gettext as _
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from crawler.errors import FetchError

_LONGEST_NAP = 0.25  # seconds between two looks


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix=f"{prefix}crawler-rate"))


@lru_cache(maxsize=64)
def _rate(text: str) -> RateLimitItem:
    return parse(text)


def wait_for_turn(host: str, *, rate: str, deadline: float) -> None:
    """Return when `host` may be asked again. `rate` is like "20/second"; `deadline` is on the monotonic clock.

    Raises FetchError when the turn does not come before the deadline.
    """
    item, limiter = _rate(rate), _limiter()
    while not limiter.hit(item, host):
        now = time.monotonic()
        opens_in = limiter.get_window_stats(item, host).reset_time - time.time()
        if now >= deadline:
            raise FetchError(_("%(host)s is asked too often already: try again later.") % {"host": host})
        time.sleep(min(max(opens_in, 0.01), _LONGEST_NAP, max(deadline - now, 0.01)))
