"""What a process keeps in mind for some seconds, so that not every page has to ask for it again."""

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_MAX = 1000
_kept: dict[Hashable, tuple[float, Any]] = {}


def remembered(key: Hashable, ask: Callable[[], T], *, seconds: float) -> T:
    """What `ask` said at most `seconds` ago in this process, else what it says now."""
    now = time.monotonic()
    until, value = _kept.get(key, (0.0, None))
    if now >= until:
        value = ask()
        if len(_kept) >= _MAX:
            _kept.clear()
        _kept[key] = (now + seconds, value)
    return value


def forget(key: Hashable | None = None) -> None:
    """Ask for this again, or for everything."""
    if key is None:
        _kept.clear()
    else:
        _kept.pop(key, None)
