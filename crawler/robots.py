"""robots.txt (RFC 9309): what hosts do not want fetched, and how slowly they want to be asked."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from protego import Protego
from redis.exceptions import RedisError

from crawler.errors import FetchError, RobotsError
from crawler.rates import per_second

logger = logging.getLogger(__name__)

MAX_BYTES = 512 * 1024  # RFC 9309 section 2.5 asks for 500 KiB at least
_KEPT_S = 3600  # section 2.4: not more than a day
_MAX_DELAY_S = 60.0
_ALLOW_ALL = ""


@dataclass(frozen=True, kw_only=True)
class HostRules:
    """The rules of one origin, as far as they concern us."""

    host: str
    parsed: Protego

    def check(self, url: str) -> None:
        """Raises RobotsError when `url` is not to be fetched."""
        if not self.parsed.can_fetch(url, settings.CRAWLER_USER_AGENT):
            raise RobotsError(_("%(host)s does not want this fetched (robots.txt).") % {"host": self.host})

    def slower(self, rate: str) -> str:
        """`rate`, or the crawl delay that the host asks for where that is slower; at most a minute."""
        delay = self.parsed.crawl_delay(settings.CRAWLER_USER_AGENT) or 0
        if delay <= 0 or 1 / delay >= per_second(rate):
            return rate
        return f"1/{math.ceil(min(float(delay), _MAX_DELAY_S))} second"


def host_rules(origin: str, *, host: str, fetch: Callable[[str], str]) -> HostRules:
    """The rules of `origin` (scheme, host and port), from the cache or by `fetch(url)`, which returns the text.

    A host without robots.txt (a 4xx) allows everything. Raises FetchError when it cannot be read: then nothing may
    be fetched (RFC 9309 section 2.3.1.4).
    """
    key = f"robots:{origin}"
    text = _cached(key)
    if text is None:
        try:
            text = fetch(f"{origin}/robots.txt")
        except FetchError as error:
            if not 400 <= error.status < 500 or error.status == 429:
                raise
            text = _ALLOW_ALL
        _cache(key, text)
    return HostRules(host=host, parsed=Protego.parse(text))


def _cached(key: str) -> str | None:
    try:
        return cache.get(key)
    except RedisError as error:
        logger.warning("robots.txt is not cached: %s", error)
        return None


def _cache(key: str, text: str) -> None:
    try:
        cache.set(key, text, _KEPT_S)
    except RedisError as error:
        logger.warning("robots.txt is not cached: %s", error)
