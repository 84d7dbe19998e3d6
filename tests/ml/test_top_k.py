import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.top_k import hits, top_k

ROWS = st.integers(1, 7).flatmap(
    lambda classes: st.lists(
        st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), min_size=classes, max_size=classes), min_size=1, max_size=5
    )
)


@given(ROWS, st.integers(1, 9))
def test_it_is_a_sort_that_keeps_the_first(rows: list[list[float]], k: int) -> None:
    best = top_k(np.array(rows), k)
    assert best.shape == (len(rows), min(k, len(rows[0])))
    for row, places in zip(rows, best.tolist(), strict=True):
        slow = sorted(range(len(row)), key=lambda place: -row[place])[:k]
        assert [row[place] for place in places] == [row[place] for place in slow]
        assert len(set(places)) == len(places)


def test_the_first_of_equal_ones_comes_first() -> None:
    assert top_k(np.array([[0.2, 0.4, 0.4]]), 3).tolist() == [[1, 2, 0]]


def test_a_hit_is_within_the_first_k() -> None:
    top = np.array([[3, 1], [0, 2], [0, 2]])
    assert hits(top, np.array([1, 0, -1]), 1).tolist() == [False, True, False]
    assert hits(top, np.array([1, 0, -1]), 5).tolist() == [True, True, False]


def test_no_answer_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="k=0"):
        top_k(np.zeros((1, 2)), 0)
