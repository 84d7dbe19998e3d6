"""Reading the columns of judgments, a chunk at a time: however many there are, few of them are in memory."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from evaluation.columns import unpacked, unpacked_ids
from evaluation.models import JudgmentColumns, JudgmentDay, TallyName
from evaluation.selectors.statistics_filters import Selection
from mmproject.mongo.collections import collection

CHUNK_ROWS = 32_000
_PARTS_AT_ONCE = 50  # a megabyte or two
_TRIES = 5
_turn = Lock()  # one at a time: a process with many threads needs no more memory than with one
T = TypeVar("T")


class ColumnsChangedError(Exception):
    """Days were counted again while they were read."""


@dataclass(frozen=True)
class Part:
    """The columns (count,) of up to PART_ROWS judgments of one day."""

    day: str
    part: int
    count: int
    columns: dict[str, np.ndarray]


@dataclass(frozen=True)
class Chunk:
    """The chosen rows of several days, one after the other: each column (rows,); `day` is the place in `days`."""

    columns: dict[str, np.ndarray]
    day: np.ndarray
    days: list[str]


def chunks(selection: Selection, columns: Collection[str]) -> Iterator[Chunk]:
    """The rows that are meant, with the columns asked for; the oldest day first.

    Raises ColumnsChangedError, see `settled`.
    """
    waiting: list[Part] = []
    rows = 0
    for part in parts(selection, {*columns, *selection.columns}):
        waiting.append(part)
        rows += part.count
        if rows >= CHUNK_ROWS:
            yield _chunk(waiting, selection, columns)
            waiting, rows = [], 0
    if waiting:
        yield _chunk(waiting, selection, columns)


def parts(selection: Selection, columns: Collection[str]) -> Iterator[Part]:
    """All rows of the days that are meant. Raises ColumnsChangedError after the last when some were not there."""
    heads = _heads(selection)
    seen: dict[str, int] = dict.fromkeys(heads, 0)
    if not heads:
        return
    between = {"day": {"$gte": min(heads), "$lte": max(heads)}}
    wanted = {"_id": 0, "day": 1, "part": 1, "generation": 1, "count": 1, **{f"columns.{name}": 1 for name in columns}}
    order = [("day", 1), ("part", 1)]
    for row in collection(JudgmentColumns).find(between, wanted, sort=order, batch_size=_PARTS_AT_ONCE):
        if heads.get(row["day"], (None, 0))[0] == row["generation"]:
            seen[row["day"]] += row["count"]
            packed = row.get("columns") or {}
            yield Part(
                row["day"], row["part"], row["count"], {name: unpacked(packed[name], row["count"]) for name in columns}
            )
    if any(seen[day] != count for day, (_generation, count) in heads.items()):
        raise ColumnsChangedError


def ids_of(which: Collection[tuple[str, int]]) -> dict[tuple[str, int], list[str]]:
    """The ids of the judgments of these parts, (day, part), in order. Raises ColumnsChangedError when one is gone."""
    days = {day for day, _part in which}
    heads = dict(JudgmentDay.objects.filter(id__in=sorted(days)).values_list("id", "generation"))
    keys = [JudgmentColumns.make_id(day=day, generation=heads.get(day, ""), part=part) for day, part in which]
    fields = {"_id": 0, "day": 1, "part": 1, "columns.id": 1}
    found = collection(JudgmentColumns).find({"id": {"$in": keys}}, fields, batch_size=_PARTS_AT_ONCE)
    ids = {(row["day"], row["part"]): unpacked_ids(row["columns"]["id"]) for row in found}
    if len(ids) < len(which):
        raise ColumnsChangedError
    return ids


def settled(read: Callable[[], T]) -> T:
    """What `read` returns, called again when days were counted meanwhile; never two at once."""
    for attempt in range(_TRIES):
        try:
            with _turn:
                return read()
        except ColumnsChangedError:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


def _heads(selection: Selection) -> dict[str, tuple[str, int]]:
    days: dict[str, Any] = {"count": {"$gt": 0}}
    if selection.since or selection.until:
        bounds = {"$gte": selection.since, "$lte": selection.until}
        days["id"] = {name: value for name, value in bounds.items() if value}
    fields = {"_id": 0, "id": 1, "generation": 1, "count": 1}
    return {row["id"]: (row["generation"], row["count"]) for row in collection(JudgmentDay).find(days, fields)}


def _chunk(parts: list[Part], selection: Selection, columns: Collection[str]) -> Chunk:
    names = {*columns, *selection.columns}
    together = {name: np.concatenate([part.columns[name] for part in parts]) for name in names}
    days = list(dict.fromkeys(part.day for part in parts))
    place = {day: number for number, day in enumerate(days)}
    day = np.repeat([place[part.day] for part in parts], [part.count for part in parts])
    mask = selection.mask(together, len(day))
    if mask is not None:
        together = {name: together[name][mask] for name in columns}
        day = day[mask]
    return Chunk({name: together[name] for name in columns}, day, days)


def names_of(dimension: str, numbers: Collection[int]) -> Mapping[int, tuple[str, str]]:
    """The (value, name) of each number of a dimension's names."""
    found = TallyName.objects.filter(dimension=dimension, number__in=[int(number) for number in numbers])
    return {row["number"]: (row["value"], row["name"]) for row in found.values("number", "value", "name")}
