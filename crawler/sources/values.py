"""What pages and JSON hold, as values of a listing: texts, prices."""

import math
from typing import Any

from price_parser import Price

LONGEST = 4000  # characters; no field of a listing holds more, and what strangers send may be megabytes
_LONGEST_PRICE = 100


def json_text(value: Any) -> str:
    """A text or a number of a JSON document as text; "" for anything else.

    Half a surrogate pair, which JSON can write (RFC 8259 section 8.2) and nothing can store, becomes a question mark.
    """
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() else value
    if isinstance(value, int | float):
        return str(value)[:LONGEST]
    return value.encode(errors="replace").decode().strip()[:LONGEST] if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """A finite number that is not negative, from a number or its text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def shown_price(text: str) -> tuple[float | None, str]:
    """The price that a text shows to people, like "¥1,299.00", and the currency that stands beside it."""
    shown = Price.fromstring(text[:_LONGEST_PRICE])
    return number(float(shown.amount)) if shown.amount is not None else None, shown.currency or ""
