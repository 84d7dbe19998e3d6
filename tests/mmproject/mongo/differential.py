"""The same random queries over the same random rows, by the ORM, on MongoDB and on SQLite: every answer must agree.

SQLite is the oracle of SQL's null logic. Left out, because the two mean different things or one cannot say it: text
that differs only in a case that has no one-to-one mapping, division, floats that binary cannot hold, moments finer than
a millisecond, and what the backend refuses (tests/mmproject/mongo/test_refused.py).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from tests.mmproject.mongo.random_queries import Maker, Query
from tests.mmproject.mongo.random_rows import fill
from tests.mmproject.mongo.worlds import MONGO, TWIN, at

CASES_A_WORLD = 250


@dataclass(frozen=True)
class Mismatch:
    """One query on which the two did not agree."""

    seed: int
    case: int
    what: str
    sqlite: Any
    mongo: Any


def compare(*, cases: int, seed: int, told: Callable[[int], None] = lambda done: None) -> list[Mismatch]:
    """Run `cases` random queries; the mismatches among them. An exception on either side is an answer, too."""
    found: list[Mismatch] = []
    for start in range(0, cases, CASES_A_WORLD):
        fill(random.Random(f"{seed}-{start}-rows"))
        for case in range(start, min(start + CASES_A_WORLD, cases)):
            answers = {}
            for alias in (TWIN, MONGO):
                maker = Maker(random.Random(f"{seed}-{case}"))
                query = maker.query()
                with at(alias):
                    answers[alias] = answer(query)
            if answers[TWIN] != answers[MONGO] or (isinstance(answers[TWIN], str)):
                found.append(Mismatch(seed, case, maker.name, answers[TWIN], answers[MONGO]))
        told(min(start + CASES_A_WORLD, cases))
    return found


def answer(query: Query) -> Any:
    try:
        return plain(query())
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def plain(value: Any) -> Any:
    """Comparable: querysets as lists, sums of floats without the order of their summing."""
    if isinstance(value, QuerySet | list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return round(value, 9) if isinstance(value, float) else value
