"""What a class counts, against the formulas of the papers computed in plain Python."""

import itertools
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.objectives.class_balance import class_weights

COUNTS = st.lists(st.integers(0, 5000), min_size=1, max_size=20).filter(any)


def slow_weights(counts: list[int], kind: str) -> list[float]:
    """Mahajan et al. 2018, section 2.2; Cui et al. 2019, equations 2 and 3, with E_n as the sum it stands for."""
    if kind == "inverse_sqrt":
        raw = [1 / sqrt(n) if n else 0.0 for n in counts]
    elif kind == "effective":
        raw = [1 / sum(0.999**i for i in range(n)) if n else 0.0 for n in counts]
    else:
        raw = [1.0 if n else 0.0 for n in counts]
    mean = sum(n * weight for n, weight in zip(counts, raw, strict=True)) / sum(counts)
    return [weight / mean for weight in raw]


@pytest.mark.parametrize("kind", ["none", "inverse_sqrt", "effective"])
@given(counts=COUNTS)
def test_it_is_what_the_formulas_say(kind, counts: list[int]) -> None:
    assert class_weights(counts, kind=kind).tolist() == pytest.approx(slow_weights(counts, kind), rel=1e-5)


@pytest.mark.parametrize("kind", ["inverse_sqrt", "effective"])
@given(counts=COUNTS)
def test_a_rarer_class_never_weighs_less_and_examples_weigh_1_on_average(kind, counts: list[int]) -> None:
    weights = class_weights(counts, kind=kind).tolist()
    seen = sorted((n, weight) for n, weight in zip(counts, weights, strict=True) if n)
    assert all(left[1] >= right[1] * (1 - 1e-6) for left, right in itertools.pairwise(seen))
    assert sum(n * weight for n, weight in seen) / sum(counts) == pytest.approx(1, rel=1e-5)
    assert all(weight == 0 for n, weight in zip(counts, weights, strict=True) if not n)


def test_equal_classes_weigh_the_same_whatever_the_kind() -> None:
    for kind in ("none", "inverse_sqrt", "effective"):
        assert class_weights([7, 7, 7], kind=kind).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("counts", [[], [0], [0, 0]])
def test_no_example_at_all_is_an_error(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="no class has an example"):
        class_weights(counts, kind="none")


def test_a_negative_count_is_named() -> None:
    with pytest.raises(ValueError, match=r"\[3, -1\]"):
        class_weights([3, -1], kind="effective")
