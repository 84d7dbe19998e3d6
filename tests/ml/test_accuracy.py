import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics import Accuracy, wilson_interval

Z = 1.959963984540054


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_gives_the_published_intervals(right: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_both_ends_solve_wilsons_equation(counts: tuple[int, int]) -> None:
    """|share − p| = z·√(p(1−p)/n) at either end, unless cut at 0 or 1."""
    right, total = counts
    low, high = wilson_interval(right, total)
    assert 0 <= low <= right / total <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert (right / total - end) ** 2 == pytest.approx(Z**2 * end * (1 - end) / total, abs=1e-9)


def test_nothing_tried_says_nothing() -> None:
    assert Accuracy(0, 0).as_dict() == {"right": 0, "total": 0, "accuracy": None, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(("right", "total"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(right: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"right={right}"):
        wilson_interval(right, total)
