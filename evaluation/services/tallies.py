"""Counts days of judgments into columns: those that people look at now, those that changed, and every night all."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from pymongo import DESCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from evaluation.columns import DIMENSIONS, FIELDS, PART_ROWS, packed, value_of
from evaluation.marks import WRITES_TAKE_AT_MOST, days_mark, moments_of
from evaluation.models import Judgment, JudgmentColumns, JudgmentDay, TallyName
from mmproject.ids import new_id
from mmproject.mongo.collections import collection
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

COUNT_DAYS = "evaluation.tasks.count_judgments"
AT_ONCE = 20_000  # judgments that somebody who opens a page waits for; more than that a worker counts
_READ = 5_000


def days_refresh() -> list[str]:
    """Count the days that have changed, as many as a person can wait for; returns those left to a worker."""
    dirty = list(collection(JudgmentDay).find({"dirty": True}, {"id": 1, "_id": 0}, sort=[("id", DESCENDING)]))
    if not dirty and not JudgmentDay.objects.exists():
        days_find()
        dirty = list(collection(JudgmentDay).find({"dirty": True}, {"id": 1, "_id": 0}, sort=[("id", DESCENDING)]))
    left, room = [], AT_ONCE
    for day in [row["id"] for row in dirty]:
        size = _size(day, most=room + 1) if room > 0 else 1
        room -= size
        if room < 0:
            left.append(day)
        else:
            day_count(day=day)
    if left:
        nudge(COUNT_DAYS)
    return sorted(left)


def days_count() -> int:
    """Count every day that has changed, or was counted while a write may have been under way; returns how many."""
    if not JudgmentDay.objects.exists():
        days_find()
    settled_before = timezone.now() - WRITES_TAKE_AT_MOST
    days = set(JudgmentDay.objects.filter(dirty=True).values_list("id", flat=True))
    days |= set(JudgmentDay.objects.filter(settled=False, marked_at__lt=settled_before).values_list("id", flat=True))
    for day in sorted(days, reverse=True):
        day_count(day=day)
    return len(days)


def days_find() -> int:
    """Mark every day that has judgments or columns, whoever wrote them; returns how many."""
    zone = timezone.get_default_timezone_name()
    text = {"$dateToString": {"format": "%Y-%m-%d", "date": "$judged_at", "timezone": zone}}
    days = {row["_id"] for row in collection(Judgment).aggregate([{"$group": {"_id": text}}])}
    days |= set(JudgmentDay.objects.values_list("id", flat=True))
    days_mark(days)
    return len(days)


def day_count(*, day: str) -> int:
    """Write the columns of one day anew, from its judgments; returns how many it has.

    Safe to run at any time, by anyone: columns count only once the day names their generation, and it does so only
    when nothing was marked meanwhile. Else, the day stays dirty.
    """
    head = JudgmentDay.objects.filter(id=day).values("token", "generation", "marked_at").first()
    if head is None:
        return 0
    began, generation = timezone.now(), new_id()
    count = part = 0
    for rows in _parts(day):
        _part_write(day, generation, part, rows)
        part, count = part + 1, count + len(rows)
    counted = {
        "dirty": False,
        "settled": began - head["marked_at"] > WRITES_TAKE_AT_MOST,
        "generation": generation,
        "count": count,
        "counted_at": timezone.now(),
    }
    # Neither marked nor counted by somebody else since then.
    as_it_was = {"id": day, "token": head["token"], "generation": head["generation"]}
    is_named = collection(JudgmentDay).update_one(as_it_was, {"$set": counted}).modified_count
    # Ids are ordered by time: of those that count this day at the same moment, whoever began later goes on.
    gone = {"$lt": generation} if is_named else generation
    collection(JudgmentColumns).delete_many({"day": day, "generation": gone})
    return count


def _size(day: str, *, most: int) -> int:
    begin, end = moments_of(day)
    between = {"judged_at": {"$gte": _naive(begin), "$lt": _naive(end)}}
    return collection(Judgment).count_documents(between, limit=most)


def _parts(day: str) -> Iterator[list[dict[str, Any]]]:
    begin, end = moments_of(day)
    between = {"judged_at": {"$gte": _naive(begin), "$lt": _naive(end)}}
    fields = {"_id": 0, **dict.fromkeys(FIELDS, 1)}
    found = collection(Judgment).find(between, fields, sort=[("judged_at", 1), ("id", 1)], batch_size=_READ)
    rows: list[dict[str, Any]] = []
    for row in found:
        rows.append(row)
        if len(rows) == PART_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _part_write(day: str, generation: str, part: int, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = packed(rows, numbers_of(rows))
    document = {
        "id": JudgmentColumns.make_id(day=day, generation=generation, part=part),
        "day": day,
        "generation": generation,
        "part": part,
        "count": len(rows),
        "columns": columns,
    }
    collection(JudgmentColumns).insert_one(document)


def numbers_of(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    """The number of each (names, value) of these judgments: the one that it has, or a new one."""
    names: dict[tuple[str, str], str] = {}
    for row in rows:
        for key, dimension in DIMENSIONS.items():
            names[dimension.names, value_of(row, key)] = str(row.get(dimension.name_field) or "")
    ids = {TallyName.make_id(dimension=names_of, value=value): (names_of, value) for names_of, value in names}
    known = _known(ids)
    _rename({ids[key]: names[ids[key]] for key, row in known.items() if row["name"] != names[ids[key]][:300]})
    numbers = {ids[key]: row["number"] for key, row in known.items()}
    while missing := {key: pair for key, pair in ids.items() if pair not in numbers}:
        _name({pair: names[pair] for pair in missing.values()})
        numbers |= {ids[key]: row["number"] for key, row in _known(missing).items()}
    return numbers


def _known(ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    found = collection(TallyName).find({"id": {"$in": list(ids)}}, {"_id": 0, "id": 1, "number": 1, "name": 1})
    return {row["id"]: row for row in found}


def _name(missing: Mapping[tuple[str, str], str]) -> None:
    """Give these values numbers; where somebody else takes one first, his stays and the caller tries again."""
    following = {dimension: _following(dimension) for dimension in {dimension for dimension, _value in missing}}
    documents = []
    for (dimension, value), name in sorted(missing.items()):
        number = following[dimension]
        following[dimension] += 1
        documents.append(
            {
                "id": TallyName.make_id(dimension=dimension, value=value),
                "dimension": dimension,
                "value": value,
                "number": number,
                "slot": f"{dimension} {number}",
                "name": name[:300],
            }
        )
    try:
        collection(TallyName).insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(one["code"] != 11000 for one in error.details["writeErrors"]):  # another than "this is taken"
            raise


def _following(dimension: str) -> int:
    last = collection(TallyName).find_one({"dimension": dimension}, {"number": 1}, sort=[("number", DESCENDING)])
    return last["number"] + 1 if last else 0


def _rename(names: Mapping[tuple[str, str], str]) -> None:
    changes = [
        UpdateOne({"id": TallyName.make_id(dimension=dimension, value=value)}, {"$set": {"name": name[:300]}})
        for (dimension, value), name in names.items()
        if name
    ]
    if changes:
        collection(TallyName).bulk_write(changes, ordered=False)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
