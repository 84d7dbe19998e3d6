"""What came of each source's newest crawls: its last success, its last failure."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from crawler.models import Crawl, Source, WorkState
from mmproject.mongo.collections import collection

_FIELDS = ("id", "source", "keyword", "page", "state", "error", "error_kind", "raw_page", "created_at", "finished_at")


@dataclass(frozen=True)
class Outcomes:
    """Crawls with only the fields that tell their outcome; None: there was none in the time that crawls are kept."""

    last_success: Crawl | None = None
    last_failure: Crawl | None = None

    @property
    def last(self) -> Crawl | None:
        """Whichever was asked for last."""
        both = [crawl for crawl in (self.last_success, self.last_failure) if crawl is not None]
        return max(both, key=lambda crawl: crawl.created_at, default=None)


def outcomes_by_source() -> dict[str, Outcomes]:
    """Of every configured source, in one query: for each, two walks down the index from the newest crawl."""
    states = {"last_success": str(WorkState.DONE), "last_failure": str(WorkState.FAILED)}
    pipeline: list[dict[str, Any]] = [
        *({"$lookup": _newest(state, name)} for name, state in states.items()),
        {"$project": {"id": 1, **dict.fromkeys(states, 1)}},
    ]
    return {
        row["id"]: Outcomes(**{name: _crawl(row[name]) for name in states})
        for row in collection(Source).aggregate(pipeline)
    }


def _newest(state: str, name: str) -> dict[str, Any]:
    return {
        "from": Crawl._meta.db_table,
        "let": {"source": "$id"},
        "pipeline": [
            {"$match": {"$expr": {"$eq": ["$source", "$$source"]}, "state": state}},
            {"$sort": {"created_at": -1}},
            {"$limit": 1},
            {"$project": {"_id": 0, **dict.fromkeys(_FIELDS, 1)}},
        ],
        "as": name,
    }


def _crawl(found: list[dict[str, Any]]) -> Crawl | None:
    if not found:
        return None
    values = found[0]
    for name in ("created_at", "finished_at"):
        if values.get(name) is not None:
            values[name] = values[name].replace(tzinfo=UTC)
    return Crawl(**values)
