import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.per_class import class_figures

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])


@given(PAIRS)
def test_each_class_is_as_counted_by_hand(pairs: list[tuple[int, int]]) -> None:
    figures = class_figures(*columns(pairs), classes=5)
    f1s = []
    for one in range(5):
        right = sum(truth == said == one for truth, said in pairs)
        support, said = sum(truth == one for truth, _ in pairs), sum(said == one for _, said in pairs)
        precision, recall = right / said if said else 0.0, right / support if support else 0.0
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        assert figures.precision[one] == pytest.approx(precision)
        assert figures.recall[one] == pytest.approx(recall)
        assert figures.f1[one] == pytest.approx(f1)
        f1s += [f1] if support else []
    assert figures.macro(figures.f1) == pytest.approx(sum(f1s) / len(f1s))


@given(PAIRS)
def test_micro_f1_is_accuracy(pairs: list[tuple[int, int]]) -> None:
    figures = class_figures(*columns(pairs), classes=5)
    assert figures.micro_f1 == pytest.approx(sum(truth == said for truth, said in pairs) / len(pairs))


def test_nothing_has_no_mean() -> None:
    nothing = np.array([], dtype=int)
    figures = class_figures(nothing, nothing, classes=3)
    assert figures.macro(figures.f1) is None
    assert figures.micro_f1 is None


def test_classes_out_of_range_and_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="predicted holds classes 0 to 3, but classes=3"):
        class_figures(np.array([0, 1]), np.array([0, 3]), classes=3)
    with pytest.raises(ValueError, match="truth holds classes -1"):
        class_figures(np.array([-1]), np.array([0]), classes=3)
    with pytest.raises(ValueError, match="2 truths for 1"):
        class_figures(np.array([0, 1]), np.array([0]), classes=3)
