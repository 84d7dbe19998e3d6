"""Whose picture stands beside a title: half its own, half that of something else."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.objectives.matching import strange_partners

GROUPS = st.lists(st.integers(0, 4), min_size=2, max_size=30).filter(lambda groups: len(set(groups)) > 1)


@given(GROUPS, st.data(), st.integers(0, 10_000))
def test_exactly_half_get_a_picture_of_another_group(groups: list[int], data: st.DataObject, seed: int) -> None:
    rows = data.draw(st.lists(st.integers(0, len(groups) - 1), max_size=20))
    partners = strange_partners(rows, of=len(groups), group=groups.__getitem__, rng=random.Random(seed))
    assert len(partners) == len(rows)
    strangers = [(row, other) for row, other in zip(rows, partners, strict=True) if other is not None]
    assert len(strangers) == len(rows) // 2
    assert all(groups[row] != groups[other] for row, other in strangers)


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        strange_partners(range(8), of=100, group=lambda row: row % 7, rng=random.Random(3)) for _ in range(2)
    )
    assert first == second


def test_every_place_and_every_other_listing_is_as_likely() -> None:
    places: Counter[int] = Counter()
    drawn: Counter[int] = Counter()
    rng = random.Random(0)
    for _ in range(3000):
        partners = strange_partners([0, 0, 1, 1], of=10, group=lambda row: row, rng=rng)
        places.update(place for place, other in enumerate(partners) if other is not None)
        drawn.update(other for place, other in enumerate(partners) if other is not None and place < 2)
    assert all(count == pytest.approx(1500, rel=0.08) for count in places.values())  # σ is 27
    assert set(drawn) == set(range(1, 10))
    assert all(count == pytest.approx(3000 / 9, rel=0.25) for count in drawn.values())  # σ is 17


def test_the_one_stranger_among_thousands_is_found() -> None:
    """A shop that sells nearly nothing but one product must not end a training by bad luck."""
    partners = strange_partners([5, 6], of=5000, group=lambda row: row == 4321, rng=random.Random(0))
    assert sorted(partners, key=str) == [4321, None]


def test_one_group_alone_is_an_error() -> None:
    with pytest.raises(ValueError, match="all 30 listings show the same as listing 2"):
        strange_partners([2, 2], of=30, group=lambda row: "tea", rng=random.Random(0))
