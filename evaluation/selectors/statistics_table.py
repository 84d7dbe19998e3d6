"""The table of judgments: any page of any selection, and all of it for an export.

The columns say which rows a page holds; only those are read from the judgments, by their keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.models import Judgment
from evaluation.selectors.statistics_filters import Filters, Selection, selection_of
from evaluation.selectors.statistics_rows import Part, ids_of, parts, settled

PAGE_SIZE = 50
NEWEST, OLDEST, SURE, UNSURE = "newest", "oldest", "sure", "unsure"
ORDERS = (NEWEST, OLDEST, SURE, UNSURE)
_AT_ONCE = 1000


@dataclass(frozen=True)
class TablePage:
    """One page; `number` from 1 to `pages`, which is 1 for no rows."""

    rows: list[Judgment]
    count: int
    number: int
    pages: int

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def following(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


def table_page(*, filters: Filters, number: int = 1, order: str = NEWEST) -> TablePage:
    """The page of that number, the last one where there are fewer. `order`: one of ORDERS, ties by time and key."""
    return settled(lambda: _page(selection_of(filters), number, order))


def _page(selection: Selection, number: int, order: str) -> TablePage:
    by_confidence = order in {SURE, UNSURE}
    found: list[tuple[Part, np.ndarray]] = []  # with the places of its rows that are meant
    keys: list[np.ndarray] = []
    for part in parts(selection, selection.columns | ({"confidence"} if by_confidence else set())):
        mask = selection.mask(part.columns, part.count)
        places = np.arange(part.count, dtype=np.uint16) if mask is None else np.flatnonzero(mask).astype(np.uint16)
        if by_confidence:
            keys.append(part.columns["confidence"][places])
        found.append((Part(part.day, part.part, part.count, {}), places))
    ends = np.cumsum([len(places) for _part, places in found])
    count = int(ends[-1]) if found else 0
    pages = max(1, -(-count // PAGE_SIZE))
    number = min(max(number, 1), pages)
    chosen = _chosen(count, number, order, keys)
    ids = []
    for row in chosen:
        which = int(np.searchsorted(ends, row, side="right"))
        part, places = found[which]
        ids.append((part.day, part.part, int(places[row - (ends[which] - len(places))])))
    return TablePage(_judgments(ids), count, number, pages)


def _chosen(count: int, number: int, order: str, keys: list[np.ndarray]) -> list[int]:
    """The places, among all rows that are meant, of those on the page."""
    first, last = (number - 1) * PAGE_SIZE, min(number * PAGE_SIZE, count)
    if order == OLDEST:
        return list(range(first, last))
    if order == NEWEST:
        return list(range(count - 1 - first, count - 1 - last, -1))
    if not count:
        return []
    ordered = np.argsort(np.concatenate(keys), kind="stable")  # radix sort: the numbers are small
    return (ordered if order == UNSURE else ordered[::-1])[first:last].tolist()


def _judgments(places: list[tuple[str, int, int]]) -> list[Judgment]:
    known = ids_of({(day, part) for day, part, _place in places})
    ids = [known[day, part][place] for day, part, place in places]
    rows = {row.id: row for row in Judgment.objects.filter(id__in=ids)}
    return [rows[one] for one in ids if one in rows]


def judgments_of(filters: Filters) -> Iterator[Judgment]:
    """All judgments that are meant, the oldest first; what is changed while they are read may be missing."""
    selection = selection_of(filters)
    for part in parts(selection, selection.columns | {"outcome"}):
        mask = selection.mask(part.columns, part.count)
        if mask is not None and not mask.any():
            continue
        ids = ids_of([(part.day, part.part)])[part.day, part.part]
        wanted = ids if mask is None else [ids[place] for place in np.flatnonzero(mask)]
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            rows = {row.id: row for row in Judgment.objects.filter(id__in=some)}
            yield from (rows[one] for one in some if one in rows)
