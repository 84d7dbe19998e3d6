"""Which days of judgments have to be counted again.

    mark the day → write the judgments → mark the day        (here, around every write)
    see a mark → count the day → take that mark away         (services/tallies.py)

A count takes away only the mark that it saw before it read, so what is written meanwhile is counted again. Whoever
dies after the write has left the first mark; and a day that was counted between the two, and so lost it, is `settled`
only by a count that began so long after the mark that no write can still be under way.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone
from pymongo import UpdateOne

from mmproject.ids import new_id
from mmproject.mongo.collections import collection

WRITES_TAKE_AT_MOST = timedelta(minutes=2)  # gunicorn and the browser have given up long before


def day_of(moment: datetime) -> str:
    """The day of a judgment, in the site's time zone."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date().isoformat()


def moments_of(day: str) -> tuple[datetime, datetime]:
    """When a day begins and when the next one does."""
    first = date.fromisoformat(day)
    zone = timezone.get_default_timezone()
    begin, end = (datetime(at.year, at.month, at.day, tzinfo=zone) for at in (first, first + timedelta(days=1)))
    return begin, end


@contextmanager
def changing(moments: Iterable[datetime]) -> Iterator[None]:
    """Around a write of judgments of these moments."""
    days = sorted({day_of(moment) for moment in moments})
    days_mark(days)
    try:
        yield
    finally:
        days_mark(days)


def days_mark(days: Iterable[str]) -> None:
    """Have these days counted again."""
    now = timezone.now()
    marks: list[Any] = []
    for day in days:
        mark = {"dirty": True, "settled": False, "token": new_id(), "marked_at": now}
        fresh = {"generation": "", "count": 0, "counted_at": None}
        marks.append(UpdateOne({"id": day}, {"$set": mark, "$setOnInsert": fresh}, upsert=True))
    if marks:
        # By its name: the models of judgments import this.
        collection(apps.get_model("evaluation", "JudgmentDay")).bulk_write(marks, ordered=False)
