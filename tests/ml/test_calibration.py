import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.calibration import (
    Bin,
    brier_terms,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
    negative_log_likelihood,
    truth_probability,
)

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def columns(answers: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([confidence for confidence, _ in answers]), np.array([right for _, right in answers])


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@given(ANSWERS, st.integers(1, 20))
def test_equal_width_is_as_counted_by_hand(answers: list[tuple[float, bool]], bins: int) -> None:
    """Naeini et al. 2015 and Guo et al. 2017, as a loop over the intervals."""
    error = 0.0
    for number in range(bins):
        inside = [one for one in answers if max(0, math.ceil(one[0] * bins) - 1) == number]
        if inside:
            gap = abs(mean([right for _, right in inside]) - mean([confidence for confidence, _ in inside]))
            error += len(inside) / len(answers) * gap
    found = equal_width_bins(*columns(answers), bins=bins)
    assert expected_calibration_error(found) == pytest.approx(error)
    for one in found:
        assert one.low - 1e-9 <= one.confidence <= one.high + 1e-9


@given(ANSWERS, st.integers(1, 20), st.integers(0, 99))
def test_equal_mass_knows_no_order_and_splits_no_equals(
    answers: list[tuple[float, bool]], bins: int, seed: int
) -> None:
    found = equal_mass_bins(*columns(answers), bins=bins)
    assert sum(one.count for one in found) == len(answers)
    assert len(found) <= bins
    assert all(left.high < right.low for left, right in pairwise(found))
    shuffled = random.Random(seed).sample(answers, len(answers))
    again = equal_mass_bins(*columns(shuffled), bins=bins)
    assert [(one.low, one.high, one.count) for one in again] == [(one.low, one.high, one.count) for one in found]
    assert expected_calibration_error(again) == pytest.approx(expected_calibration_error(found))


def test_equal_mass_is_equal_where_no_two_are_alike() -> None:
    confidence = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, 60))
    assert [one.count for one in equal_mass_bins(confidence, confidence > 0.5, bins=6)] == [10] * 6


def test_a_model_that_knows_itself_has_no_error_and_a_boaster_has() -> None:
    confidence, right = np.full(10, 0.8), np.array([True] * 8 + [False] * 2)
    assert expected_calibration_error(equal_width_bins(confidence, right)) == pytest.approx(0)
    assert expected_calibration_error(equal_width_bins(np.ones(10), right)) == pytest.approx(0.2)


def test_the_ends_belong_to_the_first_and_the_last_interval() -> None:
    found = equal_width_bins(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]), bins=2)
    assert found == [Bin(0.0, 0.5, 2, 0.25, 0.5), Bin(0.5, 1.0, 1, 1.0, 1.0)]


@pytest.mark.parametrize("confidence", [1.5, -0.1, float("nan")])
def test_what_is_no_confidence_is_refused(confidence: float) -> None:
    for bins in (equal_width_bins, equal_mass_bins):
        with pytest.raises(ValueError, match="not 0 to 1"):
            bins(np.array([confidence]), np.array([True]))
        with pytest.raises(ValueError, match="bins=0"):
            bins(np.array([0.5]), np.array([True]), bins=0)


def test_brier_and_likelihood_are_as_summed_by_hand() -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(4), size=20)
    truth = np.arange(20) % 4
    for row, wanted, term in zip(rows, truth, brier_terms(rows, truth), strict=True):
        assert term == pytest.approx(sum((row[place] - (place == wanted)) ** 2 for place in range(4)))
    by_hand = mean([-math.log(row[wanted]) for row, wanted in zip(rows, truth, strict=True)])
    assert negative_log_likelihood(truth_probability(rows, truth)) == pytest.approx(by_hand)


def test_a_truth_that_the_model_lacks_got_nothing() -> None:
    rows, truth = np.array([[0.5, 0.5]]), np.array([-1])
    assert truth_probability(rows, truth).tolist() == [0.0]
    assert brier_terms(rows, truth).tolist() == [1.5]
    assert math.isfinite(negative_log_likelihood(np.array([0.0])) or math.inf)


def test_nothing_says_nothing() -> None:
    nothing, right = np.array([]), np.array([], dtype=bool)
    assert equal_width_bins(nothing, right) == equal_mass_bins(nothing, right) == []
    assert expected_calibration_error([]) is None
    assert negative_log_likelihood(nothing) is None
