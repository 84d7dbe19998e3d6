"""How the shop misbehaves, and what it counts. Changed at run time by `POST /_behave`, read by `GET /_stats`."""

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

PICTURE_MODES = ("ok", "truncated", "bomb", "html", "missing", "endless")
SEARCH_MODES = ("ok", "endless", "binary", "no-cards", "gbk", "gbk-undeclared", "invalid-utf8")
API_MODES = ("ok", "error", "not-json", "html", "other-shape")
AREAS = ("all", "search", "api", "pictures", "robots")
FAILURES = ("status", "hang", "reset", "cut", "drip")
_CHOICES = {
    "applies_to": AREAS,
    "failure": FAILURES,
    "search": SEARCH_MODES,
    "api": API_MODES,
    "pictures": PICTURE_MODES,
}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What `POST /_behave` takes; each post starts from the ordinary behaviour again."""

    delay_s: float = 0.0  # before every answer
    fail_next: int = 0  # so many answers fail
    failure: str = "status"  # how: with `status`, no answer, a reset, a reset half-way, a byte now and then
    status: int = 503
    retry_after: str = ""  # sent with failures and refusals: seconds or an HTTP date
    rate_limit_per_s: float = 0.0  # more than this many requests a second get 429; 0 is no limit
    applies_to: str = "all"  # which pages `delay_s`, `fail_next` and the rate limit concern
    redirect_to: str = ""  # every search answers 302 to here
    search: str = "ok"
    api: str = "ok"
    pictures: str = "ok"
    robots: str = ""  # the text of /robots.txt; without one there is none

    @classmethod
    def parse(cls, values: Any) -> "Behaviour":
        """Raises ValueError naming the field that is unknown or has a value of the wrong kind."""
        if not isinstance(values, dict):
            raise ValueError("send a JSON object")
        kinds = {one.name: one.type for one in fields(cls)}
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(f"{name} is unknown: use {', '.join(kinds)}")
            allowed: tuple[type, ...] = {int: (int,), float: (int, float), str: (str,)}[kinds[name]]  # type: ignore[index]
            if isinstance(value, bool) or not isinstance(value, allowed):
                raise ValueError(f"{name}={value!r} should be of type {allowed[-1].__name__}")
        behaviour = replace(cls(), **values)
        for name, choices in _CHOICES.items():
            if getattr(behaviour, name) not in choices:
                raise ValueError(f"{name}={getattr(behaviour, name)!r} is unknown: use {', '.join(choices)}")
        return behaviour


@dataclass(frozen=True)
class Refusal:
    status: int
    retry_after: str
    failure: str = "status"

    def __str__(self) -> str:
        return str(self.status) if self.failure == "status" else self.failure


class Conduct:
    """The shop's behaviour and its counters, shared by all request threads."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._lock = threading.Lock()
        self._behaviour = behaviour
        self._failures_left = behaviour.fail_next
        self._counts: Counter[str] = Counter()
        self._by_path: Counter[str] = Counter()
        self._recent: list[float] = []
        self._open = self._most_open = 0

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    def behave(self, behaviour: Behaviour) -> None:
        with self._lock:
            self._behaviour, self._failures_left, self._recent = behaviour, behaviour.fail_next, []

    def enter(self, area: str, path: str) -> Refusal | None:
        """Count a request of `area` and decide whether it is refused. `leave` must follow."""
        with self._lock:
            self._counts[area] += 1
            self._by_path[path] += 1
            self._open += 1
            self._most_open = max(self._most_open, self._open)
            refusal = self._refusal(area)
            if refusal:
                self._counts[f"refused_{refusal}"] += 1
            return refusal

    def leave(self) -> None:
        with self._lock:
            self._open -= 1

    def concerns(self, area: str) -> bool:
        return self._behaviour.applies_to in ("all", area)

    def stats(self, *, reset: bool = False) -> dict[str, Any]:
        with self._lock:
            stats = {
                "requests": dict(self._counts),
                "by_path": dict(self._by_path),
                "most_at_once": self._most_open,
                "behaviour": asdict(self._behaviour),
            }
            if reset:
                self._counts.clear()
                self._by_path.clear()
                self._most_open = self._open
            return stats

    def _refusal(self, area: str) -> Refusal | None:
        behaviour = self._behaviour
        if not self.concerns(area):
            return None
        if self._failures_left > 0:
            self._failures_left -= 1
            return Refusal(behaviour.status, behaviour.retry_after, behaviour.failure)
        if behaviour.rate_limit_per_s:
            now = time.monotonic()
            self._recent = [at for at in self._recent if at > now - 1]
            if len(self._recent) >= behaviour.rate_limit_per_s:
                return Refusal(429, behaviour.retry_after or "1")
            self._recent.append(now)
        return None
