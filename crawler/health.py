"""How crawling goes, for operators: figures by source and over time, what waits, what needs a hand.

A constant number of queries, however many sources and crawls there are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from redis.exceptions import RedisError

from crawler.breakers import BreakerState, breaker_states
from crawler.figures import MAX_CRAWLS, Figures, count, crawl_figures, when
from crawler.models import Crawl, ErrorKind, Source, WorkState
from crawler.outcomes import Outcomes, outcomes_by_source
from crawler.selectors import OPEN_STATES
from crawler.traffic import answers_by_source
from mmproject.heartbeat import last_seen
from mmproject.mongo.collections import collection

WORKERS_SILENT = timedelta(seconds=60)


@dataclass(frozen=True)
class Window:
    """What the page looks at: the last `hours`, in steps of `step_hours` where it goes over time."""

    hours: int
    step_hours: int


WINDOWS = {"24h": Window(24, 1), "7d": Window(7 * 24, 6)}


@dataclass(frozen=True)
class Queue:
    """What waits and runs now, whenever it was asked for."""

    pending: int = 0
    running: int = 0
    oldest_pending_at: datetime | None = None
    last_taken_at: datetime | None = None  # of what runs


@dataclass(frozen=True, kw_only=True)
class SourceHealth:
    source: Source
    figures: Figures
    queue: Queue
    breaker: BreakerState
    outcomes: Outcomes
    answers: Counter[str]  # how searches were answered: hit, stale, miss, forced

    @property
    def hit_percent(self) -> float | None:
        """Of the searches that the cache could answer: whoever forces a crawl does not ask it."""
        hits = self.answers["hit"] + self.answers["stale"]
        asked = hits + self.answers["miss"]
        return 100 * hits / asked if asked else None

    @property
    def changed_shape(self) -> Crawl | None:
        """The newest failure, when it says that the page no longer matches and nothing succeeded since."""
        failure, success = self.outcomes.last_failure, self.outcomes.last_success
        if not self.source.enabled or failure is None or failure.error_kind != ErrorKind.LAYOUT:
            return None
        if success is not None and _ended(success) > _ended(failure):
            return None
        return failure


@dataclass(frozen=True, kw_only=True)
class Health:
    at: datetime
    sources: list[SourceHealth]
    series: list[tuple[datetime, Figures]]  # by when they were asked for; every step of the window, the oldest first
    truncated: bool  # there were more crawls than MAX_CRAWLS: the oldest are left out
    queue: Queue  # of all sources
    last_taken_at: datetime | None
    worker_seen_at: datetime | None  # its last heartbeat

    @property
    def workers_silent(self) -> bool:
        """Whether something has waited for a while and no worker has taken anything in that time."""
        waiting, taken = self.queue.oldest_pending_at, self.last_taken_at
        limit = self.at - WORKERS_SILENT
        return waiting is not None and waiting < limit and (taken is None or taken < limit)


def health(*, window: str = "24h", source: str = "") -> Health:
    """Everything the page shows; a configured `source` narrows the series to that one.

    Raises KeyError for an unknown window.
    """
    chosen = WINDOWS[window]
    now = timezone.now()
    sources = list(Source.objects.order_by("position", "id"))
    ids = [one.id for one in sources]
    found = crawl_figures(
        now - timedelta(hours=chosen.hours), step_hours=chosen.step_hours, source=source if source in ids else ""
    )
    queues = _queues()
    breakers, outcomes, answers = breaker_states(ids), outcomes_by_source(), _answers(ids, hours=chosen.hours)
    taken = [found.last_taken_at, *(queue.last_taken_at for queue in queues.values())]
    return Health(
        at=now,
        sources=[
            SourceHealth(
                source=one,
                figures=found.by_source.get(one.id, Figures()),
                queue=queues.get(one.id, Queue()),
                breaker=breakers[one.id],
                outcomes=outcomes.get(one.id, Outcomes()),
                answers=answers[one.id],
            )
            for one in sources
        ],
        series=_every_step(found.by_step, now=now, window=chosen),
        truncated=found.total >= MAX_CRAWLS,
        queue=_all_together(list(queues.values())),
        last_taken_at=max((moment for moment in taken if moment is not None), default=None),
        worker_seen_at=_worker_seen_at(),
    )


def _queues() -> dict[str, Queue]:
    """By source; the index on the state finds them."""
    is_pending = {"$eq": ["$state", str(WorkState.PENDING)]}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"state": {"$in": list(map(str, OPEN_STATES))}}},
        {
            "$group": {
                "_id": "$source",
                "pending": count(is_pending),
                "running": count({"$not": [is_pending]}),
                "oldest": {"$min": when(is_pending, "$created_at")},
                "taken": {"$max": "$started_at"},
            }
        },
    ]
    return {
        row["_id"]: Queue(
            pending=row["pending"],
            running=row["running"],
            oldest_pending_at=_aware(row["oldest"]) if row.get("oldest") else None,
            last_taken_at=_aware(row["taken"]) if row.get("taken") else None,
        )
        for row in collection(Crawl).aggregate(pipeline)
    }


def _all_together(queues: Sequence[Queue]) -> Queue:
    return Queue(
        pending=sum(queue.pending for queue in queues),
        running=sum(queue.running for queue in queues),
        oldest_pending_at=min((one.oldest_pending_at for one in queues if one.oldest_pending_at), default=None),
        last_taken_at=max((one.last_taken_at for one in queues if one.last_taken_at), default=None),
    )


def _every_step(found: Mapping[datetime, Figures], *, now: datetime, window: Window) -> list[tuple[datetime, Figures]]:
    """Also the steps in which nothing was asked for."""
    size = window.step_hours * 3600
    last = int(now.timestamp()) // size
    first = int((now - timedelta(hours=window.hours)).timestamp()) // size
    moments = [datetime.fromtimestamp(number * size, UTC) for number in range(first, last + 1)]
    return [(moment, found.get(moment, Figures())) for moment in moments]


def _answers(ids: Sequence[str], *, hours: int) -> dict[str, Counter[str]]:
    """Nothing where Redis does not answer: the page says so by its empty cells."""
    try:
        return answers_by_source(ids, hours=hours)
    except RedisError:
        return {one: Counter() for one in ids}


def _worker_seen_at() -> datetime | None:
    try:
        return last_seen()["crawl"]
    except RedisError:
        return None


def _ended(crawl: Crawl) -> datetime:
    return crawl.finished_at or crawl.created_at


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
