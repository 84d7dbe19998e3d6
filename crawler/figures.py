"""How the crawls of a window went: outcomes, durations and waits, by source and over time, in one aggregation.

Durations: from the start of the last attempt to its end, of crawls that were done or failed.
Waits: from being asked for to the start, of crawls that needed one attempt only.
Percentiles are by nearest rank: the smallest value that at least so many per cent of the values do not exceed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crawler.models import Crawl, WorkState
from crawler.selectors import OPEN_STATES
from mmproject.mongo.collections import collection

MAX_CRAWLS = 100_000
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Percentiles:
    """Seconds, of `count` crawls; without any there are none."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True)
class Figures:
    """What came of a group of crawls, and how long they took."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0
    unfinished: int = 0
    durations: Percentiles = field(default_factory=Percentiles)
    waits: Percentiles = field(default_factory=Percentiles)

    @property
    def success_percent(self) -> float | None:
        ended = self.done + self.failed
        return 100 * self.done / ended if ended else None


@dataclass(frozen=True)
class CrawlFigures:
    by_source: dict[str, Figures]
    by_step: dict[datetime, Figures]  # by when they were asked for; steps without any are not there
    total: int
    last_taken_at: datetime | None


def crawl_figures(since: datetime, *, step_hours: int, source: str = "") -> CrawlFigures:
    """Of the crawls that were asked for since then, of the newest MAX_CRAWLS at most.

    `source` narrows what is by step, which are so many hours long, counted from midnight UTC.
    """
    step = {"$dateTrunc": {"date": "$created_at", "unit": "hour", "binSize": step_hours}}
    of_source: list[dict[str, Any]] = [{"$match": {"source": source}}] if source else []
    pipeline: list[dict[str, Any]] = [
        {"$match": {"created_at": {"$gte": since}}},
        {"$sort": {"created_at": -1}},
        {"$limit": MAX_CRAWLS},
        {"$project": {"_id": 0, "source": 1, "state": 1, "created_at": 1, "started_at": 1} | _seconds()},
        {
            "$facet": {
                "by_source": _figures("$source"),
                "by_step": [*of_source, *_figures(step)],
                "total": [{"$group": {"_id": None, "count": {"$sum": 1}, "taken": {"$max": "$started_at"}}}],
            }
        },
    ]
    facets = next(iter(collection(Crawl).aggregate(pipeline, allowDiskUse=True)))
    total: dict[str, Any] = facets["total"][0] if facets["total"] else {"count": 0, "taken": None}
    return CrawlFigures(
        by_source={row["_id"]: _figures_of(row) for row in facets["by_source"]},
        by_step={row["_id"].replace(tzinfo=UTC): _figures_of(row) for row in facets["by_step"]},
        total=total["count"],
        last_taken_at=total["taken"].replace(tzinfo=UTC) if total["taken"] else None,
    )


def _seconds() -> dict[str, Any]:
    """The two times of a crawl, missing where they say nothing."""
    ended = {"$in": ["$state", [str(WorkState.DONE), str(WorkState.FAILED)]]}
    started, finished = {"$gt": ["$started_at", None]}, {"$gt": ["$finished_at", None]}
    at_once = {"$and": [started, {"$lte": ["$attempts", 1]}]}
    return {
        "duration": when({"$and": [ended, started, finished]}, _difference("$finished_at", "$started_at")),
        "wait": when(at_once, _difference("$started_at", "$created_at")),
    }


def _difference(later: str, earlier: str) -> dict[str, Any]:
    return {"$divide": [{"$subtract": [later, earlier]}, 1000]}


def when(condition: dict[str, Any], value: Any) -> dict[str, Any]:
    """The value where the condition is met, else none: accumulators then leave the document out."""
    return {"$cond": [condition, value, "$$REMOVE"]}


def _figures(key: Any) -> list[dict[str, Any]]:
    """Group by `key`; the values of each group are sorted and their percentiles picked."""
    states = {"done": [WorkState.DONE], "failed": [WorkState.FAILED], "cancelled": [WorkState.CANCELLED]}
    counted = {name: count({"$in": ["$state", list(map(str, of))]}) for name, of in states.items()}
    unfinished = count({"$in": ["$state", list(map(str, OPEN_STATES))]})
    values = {"durations": {"$push": "$duration"}, "waits": {"$push": "$wait"}}
    return [
        {"$group": {"_id": key, **counted, "unfinished": unfinished, **values}},
        {"$set": {name: {"$sortArray": {"input": f"${name}", "sortBy": 1}} for name in values}},
        {"$set": {name: _percentiles(f"${name}") for name in values}},
    ]


def _percentiles(values: str) -> dict[str, Any]:
    size = {"$size": values}
    rank = {name: {"$ceil": {"$multiply": [share, size]}} for name, share in _QUANTILES.items()}
    picked = {name: {"$arrayElemAt": [values, {"$subtract": [at, 1]}]} for name, at in rank.items()}
    return when({"$gt": [size, 0]}, {"count": size, **picked})


def count(condition: dict[str, Any]) -> dict[str, Any]:
    """The accumulator of how many documents meet a condition."""
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _figures_of(row: Mapping[str, Any]) -> Figures:
    counts = {name: row[name] for name in ("done", "failed", "cancelled", "unfinished")}
    durations, waits = (Percentiles(**row.get(name, {})) for name in ("durations", "waits"))
    return Figures(**counts, durations=durations, waits=waits)
