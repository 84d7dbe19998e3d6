import numpy as np
import pytest

from ml.metrics import wilson_interval
from ml.metrics.bootstrap import bootstrap_interval


def test_of_a_share_it_is_about_wilsons() -> None:
    right = np.arange(400) < 300
    interval = bootstrap_interval(lambda rows: float(right[rows].mean()), total=400)
    assert interval == pytest.approx(wilson_interval(300, 400), abs=0.01)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of 200 samples of 60 from a mean of 0, the interval of the mean holds 0 in 95 % of the cases, give or take."""
    rng = np.random.default_rng(3)
    held = 0
    for seed in range(200):
        sample = rng.normal(size=60)
        found = bootstrap_interval(lambda rows, s=sample: float(s[rows].mean()), total=60, seed=seed, resamples=200)
        assert found is not None
        held += found[0] <= 0 <= found[1]
    assert 175 <= held <= 199


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=50)
    once, twice, other = (
        bootstrap_interval(lambda rows: float(values[rows].mean()), total=50, seed=seed) for seed in (1, 1, 2)
    )
    assert once == twice != other


def test_nothing_has_no_interval() -> None:
    assert bootstrap_interval(lambda rows: 0.0, total=0) is None
