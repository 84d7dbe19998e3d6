"""What the page of crawl health shows: the figures in words, and what its charts draw."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from crawler.figures import Figures, Percentiles
from crawler.health import WINDOWS, Health, SourceHealth, health
from crawler.wording import NOTHING, age, breaker_words, seconds
from mmproject.heartbeat import LATE_S

REFRESH_S = 15


def health_context(query: Mapping[str, str]) -> dict[str, Any]:
    """Of `?window=24h` or `7d`, and `?source=…` for the charts; anything else is as if it were not there."""
    window = query.get("window", "")
    window = window if window in WINDOWS else next(iter(WINDOWS))
    source = query.get("source", "")
    found = health(window=window, source=source)
    label = "H:i" if WINDOWS[window].step_hours == 1 else "m-d H:i"
    steps = [(date_format(timezone.localtime(moment), label), figures) for moment, figures in found.series]
    return {
        "window": window,
        "source": source if source in {one.source.id for one in found.sources} else "",
        "refresh_s": REFRESH_S,
        "health": found,
        "step_hours": WINDOWS[window].step_hours,
        "updated": date_format(timezone.localtime(found.at), "H:i:s"),
        "worker": _worker(found),
        "changed": [_changed(one) for one in found.sources if one.changed_shape],
        "rows": [_row(one) for one in found.sources],
        "steps": [_step(name, figures) for name, figures in reversed(steps)],
        "chart": _chart(steps),
    }


def _worker(found: Health) -> dict[str, Any]:
    seen = found.worker_seen_at
    return {
        "seen": age(seen) if seen else "",
        "late": seen is None or (found.at - seen).total_seconds() > LATE_S,
        "waiting_since": age(found.queue.oldest_pending_at),
        "taken": age(found.last_taken_at) if found.last_taken_at else "",
    }


def _changed(one: SourceHealth) -> dict[str, Any]:
    crawl = one.changed_shape
    assert crawl is not None
    return {"source": one.source, "crawl": crawl, "when": _moment(crawl.finished_at), "age": age(crawl.finished_at)}


def _row(one: SourceHealth) -> dict[str, Any]:
    figures = one.figures
    return {
        "source": one.source,
        "success": _percent(figures.success_percent),
        "figures": figures,
        "durations": _percentiles(figures.durations),
        "waits": _percentiles(figures.waits),
        "hits": _percent(one.hit_percent),
        "answers": {name: one.answers[name] for name in ("hit", "stale", "miss", "forced")},
        "queue": one.queue,
        "oldest": age(one.queue.oldest_pending_at),
        "breaker": breaker_words(one.breaker),
        "breaker_kind": "bad" if one.breaker.is_open else "warn" if one.breaker.failures else "good",
        "breaker_error": one.breaker.error,
    }


def _step(label: str, figures: Figures) -> dict[str, Any]:
    return {
        "label": label,
        "figures": figures,
        "durations": _percentiles(figures.durations),
        "waits": _percentiles(figures.waits),
    }


def _chart(steps: list[tuple[str, Figures]]) -> dict[str, Any]:
    return {
        "labels": [label for label, _figures in steps],
        "outcomes": {
            name: [getattr(figures, name) for _label, figures in steps]
            for name in ("done", "failed", "cancelled", "unfinished")
        },
        "durations": {
            name: [getattr(figures.durations, name) for _label, figures in steps] for name in ("p50", "p95", "p99")
        },
    }


def _percentiles(values: Percentiles) -> str:
    if not values.count:
        return NOTHING
    return " / ".join(seconds(value) for value in (values.p50, values.p95, values.p99))


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} %"


def _moment(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i") if moment else NOTHING
