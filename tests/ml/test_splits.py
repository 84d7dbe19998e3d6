"""Nothing leaks from one part to another, whatever the pictures and products are."""

from collections import Counter, defaultdict
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.data.splits import Shares, assign_splits, near_duplicates

DISTANCE = 6


def components(hashes: list[int]) -> set[frozenset[int]]:
    """The slow, obvious way: merge groups until none are near."""
    groups = [{place} for place in range(len(hashes))]
    while True:
        for one, other in combinations(range(len(groups)), 2):
            if any((hashes[a] ^ hashes[b]).bit_count() <= DISTANCE for a in groups[one] for b in groups[other]):
                groups[one] |= groups.pop(other)
                break
        else:
            return {frozenset(group) for group in groups}


def grouped(labels: list[int]) -> set[frozenset[int]]:
    found = defaultdict(set)
    for place, label in enumerate(labels):
        found[label].add(place)
    return {frozenset(group) for group in found.values()}


@st.composite
def look_alikes(draw: st.DrawFn) -> list[int]:
    """Some hashes, and others a few bits away from one that came before."""
    hashes = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
    for _ in range(draw(st.integers(0, 10))):
        flips = draw(st.lists(st.integers(0, 63), max_size=8))
        hashes.append(draw(st.sampled_from(hashes)))
        for bit in flips:
            hashes[-1] ^= 1 << bit
    return hashes


@given(look_alikes())
def test_groups_are_what_comparing_all_pairs_finds(hashes: list[int]) -> None:
    assert grouped(near_duplicates(hashes, max_distance=DISTANCE).tolist()) == components(hashes)


def test_no_hashes_are_no_groups() -> None:
    assert len(near_duplicates([], max_distance=DISTANCE)) == 0


def sha(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


rows = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 15), st.sampled_from(["a", "b", "c", "d", ""])), max_size=80
)
shares = st.builds(Shares, val=st.sampled_from([0, 0.125, 0.4]), test=st.sampled_from([0, 0.1, 0.4]))


def split(rows: list[tuple[int, int, str]], shares: Shares) -> list[str]:
    return assign_splits(
        pictures=[sha(picture) for picture, _, _ in rows],
        groups=[group for _, group, _ in rows],
        products=[product for _, _, product in rows],
        shares=shares,
    )


@settings(max_examples=200)
@given(rows, shares, st.sampled_from([0, 0.3, 0.6]))
def test_a_group_is_in_one_part_and_each_product_has_something_to_train_on(
    rows: list[tuple[int, int, str]], shares: Shares, hold_out: float
) -> None:
    parts = split(rows, Shares(val=shares.val, test=shares.test, hold_out=hold_out))
    of_group, of_product = defaultdict(set), defaultdict(set)
    for (_, group, product), part in zip(rows, parts, strict=True):
        of_group[group].add(part)
        if product:
            of_product[product].add(part)
    assert all(len(found) == 1 for found in of_group.values())
    for product, found in of_product.items():
        assert "train" in found or found == {"test"}, product
    if not hold_out:
        assert all("train" in found for found in of_product.values())


@given(rows, shares, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(rows: list[tuple[int, int, str]], shares: Shares, random) -> None:
    places = list(range(len(rows)))
    random.shuffle(places)
    parts, again = split(rows, shares), split([rows[place] for place in places], shares)
    assert [parts[place] for place in places] == again


def test_shares_are_about_what_was_asked_for() -> None:
    found = Counter(split([(n, n, "ab"[n % 2]) for n in range(4000)], Shares(val=0.2, test=0.1)))
    assert 0.08 < found["test"] / 4000 < 0.12
    assert 0.15 < found["val"] / 4000 < 0.21


def test_every_product_with_enough_pictures_is_measured() -> None:
    products = [f"p{n}" for n in range(60)]
    many = [(100 * p + n, 100 * p + n, product) for p, product in enumerate(products) for n in range(10)]
    found = defaultdict(set)
    for (_, _, product), part in zip(many, split(many, Shares()), strict=True):
        found[product].add(part)
    assert all(parts == {"train", "val", "test"} for parts in found.values())


def test_pictures_keep_their_part_when_others_come() -> None:
    before = [(n, n, "abcd"[n % 4]) for n in range(800)]
    after = before + [(n, n, "abcdefgh"[n % 8]) for n in range(800, 1600)]
    parts, again = split(before, Shares()), split(after, Shares())[:800]
    assert sum(one != other for one, other in zip(parts, again, strict=True)) <= 2


def test_held_out_products_are_in_test_whole() -> None:
    many = [(n, n, f"p{n % 40}") for n in range(800)]
    found = defaultdict(set)
    for (_, _, product), part in zip(many, split(many, Shares(hold_out=0.25)), strict=True):
        found[product].add(part)
    held_out = [product for product, parts in found.items() if parts == {"test"}]
    assert 4 <= len(held_out) <= 17
    assert all("train" in parts for product, parts in found.items() if product not in held_out)


def test_a_chain_of_look_alikes_that_is_most_of_the_data_is_trained_on() -> None:
    parts = split([(n, 0 if n < 60 else n, "ab"[n % 2]) for n in range(100)], Shares(val=0.4, test=0.4))
    assert set(parts[:60]) == {"train"}


@pytest.mark.parametrize("values", [{"val": 1}, {"test": -0.1}, {"hold_out": 2}])
def test_an_impossible_share_is_named(values: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Shares(**values)
