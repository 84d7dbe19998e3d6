"""How searches were answered, by source and hour, counted in Redis: what the cache's hit rate is computed from.

Counters, not records: without Redis they are not kept, and after a week they are forgotten.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from mmproject.queue import impatient_redis

logger = logging.getLogger(__name__)

Answer = Literal["hit", "stale", "miss", "forced"]
_KEPT_S = 8 * 24 * 3600


def count(source: str, answer: Answer) -> None:
    """Note that a search of `source` was answered like this: in one round trip, and never at anybody's cost."""
    key = _key(source, timezone.now())
    try:
        with impatient_redis().pipeline(transaction=False) as pipe:
            pipe.hincrby(key, answer, 1)
            pipe.expire(key, _KEPT_S)
            pipe.execute()
    except RedisError as error:
        logger.warning("a search was not counted: %s", error)


def answers(source: str, *, hours: int) -> Counter[str]:
    """How often each answer was given in the last `hours`, the current one included. Raises RedisError."""
    return answers_by_source([source], hours=hours)[source]


def answers_by_source(sources: Sequence[str], *, hours: int) -> dict[str, Counter[str]]:
    """The same of several sources, in one round trip. Raises RedisError."""
    now = timezone.now()
    keys = [(source, _key(source, now - timedelta(hours=ago))) for source in sources for ago in range(hours)]
    totals: dict[str, Counter[str]] = {source: Counter() for source in sources}
    with impatient_redis().pipeline(transaction=False) as pipe:
        for _source, key in keys:
            pipe.hgetall(key)
        for (source, _key_of_hour), counts in zip(keys, pipe.execute(), strict=True):
            totals[source].update({name.decode(): int(value) for name, value in counts.items()})
    return totals


def _key(source: str, moment: datetime) -> str:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return f"{prefix}searches:{source}:{moment:%Y%m%d%H}"
