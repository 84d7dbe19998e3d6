"""Handing work to the workers. The documents hold the work; a nudge that is lost is made good by the periodic tasks."""

import logging
from functools import lru_cache

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def impatient_redis() -> Redis:
    """A client for what people wait for: a Redis that is away is noticed within about a second, and not asked again."""
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=retry)


def nudge(task: str, *args: str) -> bool:
    """Queue the task of that name; False, logged, when the broker is away. Never raises for that, never waits long."""
    try:
        impatient_redis().ping()  # Celery itself would go on trying, whatever its retry options say
        # Sent by name, a task does not know the setting: without ignore_result Celery would first subscribe to its
        # result, and without a Redis keep trying that for 20 seconds.
        current_app.send_task(task, args=args, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("%s%s is not queued yet, the broker does not answer: %s", task, args, error)
        return False
    return True
