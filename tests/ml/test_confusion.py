from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.confusion import confused_pairs, worst_confusion

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40)
NAMES = ["a", "b", "c", "d", "e", "f", "g"]


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([one for one, _ in pairs], dtype=int), np.array([other for _, other in pairs], dtype=int)


@given(PAIRS)
def test_pairs_are_counted_most_often_first(pairs: list[tuple[int, int]]) -> None:
    found = confused_pairs(*columns(pairs))
    assert {(one, other): count for one, other, count in found} == Counter(p for p in pairs if p[0] != p[1])
    assert [count for *_, count in found] == sorted((count for *_, count in found), reverse=True)


@given(PAIRS, st.integers(2, 7))
def test_the_worst_part_holds_the_counts_of_its_classes(pairs: list[tuple[int, int]], limit: int) -> None:
    worst = worst_confusion(*columns(pairs), NAMES, limit)
    names, counts = worst["names"], worst["counts"]
    assert len(names) <= limit
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            assert counts[i][j] == pairs.count((NAMES.index(one), NAMES.index(other)))
    if any(one != other for one, other in pairs):
        first, second, _count = confused_pairs(*columns(pairs))[0]
        assert {NAMES[first], NAMES[second]} <= set(names)
    else:
        assert worst == {"names": [], "counts": []}


def test_it_is_made_of_what_json_knows() -> None:
    worst = worst_confusion(np.array([0, 0, 1]), np.array([1, 1, 1]), NAMES)
    assert worst == {"names": ["a", "b"], "counts": [[0, 2], [0, 1]]}
    assert {type(count) for row in worst["counts"] for count in row} == {int}
