import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.metrics.risk_coverage import risk_coverage

ANSWERS = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.6, 0.9]), st.booleans()), min_size=1, max_size=40)


@given(ANSWERS)
def test_each_point_is_as_counted_by_hand(answers: list[tuple[float, bool]]) -> None:
    curve = risk_coverage(np.array([one for one, _ in answers]), np.array([right for _, right in answers]))
    thresholds = sorted({confidence for confidence, _ in answers}, reverse=True)
    assert curve.threshold.tolist() == thresholds
    for threshold, coverage, risk in zip(thresholds, curve.coverage, curve.risk, strict=True):
        answered = [right for confidence, right in answers if confidence >= threshold]
        assert coverage == pytest.approx(len(answered) / len(answers))
        assert risk == pytest.approx(answered.count(False) / len(answered))


def test_a_model_that_knows_when_it_errs_has_the_smaller_area() -> None:
    confidence, right = np.array([0.9, 0.8, 0.3, 0.2]), np.array([True, True, False, False])
    good, bad = risk_coverage(confidence, right).area, risk_coverage(confidence[::-1], right).area
    assert good == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert bad is not None
    assert bad > good


def test_nothing_has_no_curve() -> None:
    curve = risk_coverage(np.array([]), np.array([], dtype=bool))
    assert len(curve.coverage) == 0
    assert curve.area is None
