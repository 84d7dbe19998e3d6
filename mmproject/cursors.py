"""Pages of a list that grows at its head, by cursor: a place in (moment, id), so that what arrives meanwhile shifts
nothing, and the hundredth page costs what the first does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)  # MongoDB keeps no less


def newest(rows: QuerySet, *, by: str, after: str, size: int) -> tuple[list[Any], str]:
    """`size` rows, those with the latest `by` first, and the cursor of what follows ("" when nothing does).

    `after` is the cursor of the page before, or "". Raises ValueError for what is no cursor of ours.
    """
    if after:
        moment, last_id = _place(after)
        # The first condition says nothing new; an index can be entered by it, not by the OR.
        rows = rows.filter(**{f"{by}__lte": moment})
        rows = rows.filter(Q(**{f"{by}__lt": moment}) | Q(**{by: moment, "id__lt": last_id}))
    found = list(rows.order_by(f"-{by}", "-id")[: size + 1])
    return found[:size], _cursor(found[size - 1], by=by) if len(found) > size else ""


def _cursor(row: Any, *, by: str) -> str:
    return f"{(getattr(row, by) - _EPOCH) // _MILLISECOND}-{row.id}"


def _place(cursor: str) -> tuple[datetime, str]:
    milliseconds, dash, last_id = cursor.partition("-")
    if not dash or not last_id or not (milliseconds.isascii() and milliseconds.isdigit()):
        raise ValueError(f"{cursor!r} is not a cursor")
    try:
        return _EPOCH + int(milliseconds) * _MILLISECOND, last_id
    except OverflowError as error:
        raise ValueError(f"{cursor!r} is not a cursor") from error
