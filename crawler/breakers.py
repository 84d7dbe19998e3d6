"""A circuit breaker for each source, shared by all workers in Redis.

After FAILURES in a row the source is left alone for PAUSE_S seconds; then one crawl tries it, and its outcome decides
(M. Nygard, Release It!, chapter 5). Without Redis nothing is counted and nothing is paused.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from crawler.errors import PausedError, SourceError
from mmproject.queue import impatient_redis

logger = logging.getLogger(__name__)

FAILURES = 5
PAUSE_S = 60
_TRIAL_S = 60  # no second trial beside one that takes so long
_KEPT_S = 24 * 3600  # failures of long ago say nothing
_ERROR_LENGTH = 500


@dataclass(frozen=True, kw_only=True)
class BreakerState:
    """What operators see: how many failures in a row, the last one's message, and until when nobody asks."""

    failures: int = 0
    error: str = ""
    paused_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the source has failed too often; a trial may be due all the same."""
        return self.failures >= FAILURES


@contextmanager
def breaker(source_id: str) -> Iterator[None]:
    """Run a block that asks the source, and count how it ends.

    Raises PausedError instead of running it while the source is left alone.
    """
    trial = _check(source_id)
    try:
        yield
    except BaseException as error:
        if isinstance(error, SourceError) and error.blames_source:
            _failed(source_id, str(error))
        elif trial:
            _give_up_trial(source_id)
        raise
    _succeeded(source_id)


def breaker_state(source_id: str) -> BreakerState:
    """Where the source's breaker stands; closed when Redis does not answer."""
    try:
        return _state(source_id)
    except RedisError as error:
        logger.warning("the breaker of %s cannot be read: %s", source_id, error)
        return BreakerState()


def breaker_states(source_ids: Sequence[str]) -> dict[str, BreakerState]:
    """The same of several sources, in one round trip."""
    try:
        with impatient_redis().pipeline(transaction=False) as pipe:
            for source_id in source_ids:
                pipe.hgetall(_key(source_id))
            stored = pipe.execute()
    except RedisError as error:
        logger.warning("the breakers cannot be read: %s", error)
        return dict.fromkeys(source_ids, BreakerState())
    return {source_id: _parsed(values) for source_id, values in zip(source_ids, stored, strict=True)}


def breaker_reset(source_id: str) -> None:
    """Forget the failures: the source is asked again at once. Raises RedisError."""
    impatient_redis().delete(_key(source_id), _trial_key(source_id))


def _check(source_id: str) -> bool:
    """Whether the block that follows is the trial of a source that failed. Raises PausedError when it may not run."""
    state = breaker_state(source_id)
    if not state.is_open:
        return False
    if state.paused_until is not None and state.paused_until <= datetime.now(UTC):
        try:
            if impatient_redis().set(_trial_key(source_id), "1", nx=True, ex=_TRIAL_S):
                return True
        except RedisError:
            return False
    message = _("The source failed %(count)d times in a row and is left alone for a while. The last time: %(error)s")
    raise PausedError(message % {"count": state.failures, "error": state.error})


def _state(source_id: str) -> BreakerState:
    stored: Any = impatient_redis().hgetall(_key(source_id))
    return _parsed(stored)


def _parsed(stored: dict[bytes, bytes]) -> BreakerState:
    values = {name.decode(): value.decode() for name, value in stored.items()}
    failures, until = int(values.get("failures", 0)), float(values.get("paused_until", 0))
    return BreakerState(
        failures=failures,
        error=values.get("error", ""),
        paused_until=datetime.fromtimestamp(until, UTC) if until and failures >= FAILURES else None,
    )


def _failed(source_id: str, error: str) -> None:
    # All or nothing, and the end of the pause each time: failures counted by a worker that died before it could write
    # until when would leave the source paused for good.
    values = {"error": error[:_ERROR_LENGTH], "paused_until": str(time.time() + PAUSE_S)}
    try:
        with impatient_redis().pipeline(transaction=True) as pipe:
            pipe.hincrby(_key(source_id), "failures", 1)
            pipe.hset(_key(source_id), mapping=values)  # type: ignore[arg-type]
            pipe.expire(_key(source_id), _KEPT_S)
            pipe.delete(_trial_key(source_id))
            pipe.execute()
    except RedisError as reason:
        logger.warning("a failure of %s was not counted: %s", source_id, reason)


def _give_up_trial(source_id: str) -> None:
    """Nothing was learned of the source: the next one who asks may try it."""
    try:
        impatient_redis().delete(_trial_key(source_id))
    except RedisError as reason:
        logger.warning("the trial of %s was not given up: %s", source_id, reason)


def _succeeded(source_id: str) -> None:
    try:
        breaker_reset(source_id)
    except RedisError as reason:
        logger.warning("the breaker of %s was not closed: %s", source_id, reason)


def _key(source_id: str) -> str:
    return f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}breaker:{source_id}"


def _trial_key(source_id: str) -> str:
    return f"{_key(source_id)}:trial"
