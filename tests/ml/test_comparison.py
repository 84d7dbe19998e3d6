from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.comparison import Comparison, mcnemar


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_it_is_the_binomial_tail(answers: list[tuple[bool, bool]]) -> None:
    first = np.array([one for one, _ in answers], dtype=bool)
    second = np.array([other for _, other in answers], dtype=bool)
    found = mcnemar(first, second)
    only_first = sum(one and not other for one, other in answers)
    only_second = sum(other and not one for one, other in answers)
    n = only_first + only_second
    tail = sum(comb(n, i) for i in range(min(only_first, only_second) + 1)) / 2**n
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(second, first).p_value == found.p_value


def test_one_side_of_ten_is_rare_by_chance() -> None:
    found = mcnemar(np.array([True] * 10 + [False]), np.array([False] * 11))
    assert found == Comparison(10, 0, pytest.approx(2 / 1024))


def test_many_answers_are_no_trouble() -> None:
    first = np.arange(20_000) % 2 == 0
    assert mcnemar(first, ~first).p_value == 1.0


def test_answers_to_other_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="2 answers of the first model, 1"):
        mcnemar(np.array([True, True]), np.array([True]))
