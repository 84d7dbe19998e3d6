"""Perceptual hashes, and the groups of a page."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crawler.look_alikes import MAX_DISTANCE, LookAlikes, look_alikes, perceptual_hash

hashes = st.lists(
    st.one_of(
        st.just(""), st.integers(0, 255).map(lambda n: f"{n:016x}"), st.integers(0, 2**64 - 1).map("{:016x}".format)
    ),
    max_size=20,
)


def distance(one: str, other: str) -> int:
    return bin(int(one, 16) ^ int(other, 16)).count("1")


def slow_groups(found: list[str]) -> list[set[int]]:
    """By merging until nothing merges any more."""
    groups = [{index} for index, one in enumerate(found) if one]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                near = any(distance(found[a], found[b]) <= MAX_DISTANCE for a in one for b in other)
                if one is not other and near:
                    one |= other
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    return [group for group in groups if len(group) > 1]


@given(hashes)
def test_groups_are_those_of_the_obvious_way(found):
    groups: dict[int, set[int]] = {}
    for index, alike in enumerate(look_alikes(found)):
        if alike:
            groups.setdefault(alike.group, set()).add(index)
            assert alike.count == sum(1 for one in look_alikes(found) if one and one.group == alike.group)
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, slow_groups(found)))
    assert list(groups) == sorted(groups) == list(range(1, len(groups) + 1))  # numbered by their first member


def test_nothing_and_one_alone_are_no_group():
    assert look_alikes([]) == []
    assert look_alikes(["0" * 16]) == [None]
    assert look_alikes(["", ""]) == [None, None]
    assert look_alikes(["0" * 16, "", "0" * 16]) == [LookAlikes(1, 2), None, LookAlikes(1, 2)]


def test_a_copy_looks_alike_however_it_was_saved(goods):
    photo = Image.open(io.BytesIO(goods.goods[3].picture())).convert("RGB")
    original = perceptual_hash(photo)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=40)
    for copy in (photo.resize((200, 200)), photo.resize((640, 640)), Image.open(buffer)):
        assert distance(original, perceptual_hash(copy)) <= MAX_DISTANCE


def test_photos_of_different_products_do_not_look_alike(goods):
    kinds: dict[str, bytes] = {}
    for good in goods.goods:
        kinds.setdefault(good.product_id, good.picture())
        if len(kinds) == 12:
            break
    found = [perceptual_hash(Image.open(io.BytesIO(picture))) for picture in kinds.values()]
    assert not any(look_alikes(found))


@pytest.mark.parametrize("colour", ["white", "black", (3, 200, 7)])
def test_a_plain_picture_has_a_hash_too(colour):
    assert len(perceptual_hash(Image.new("RGB", (40, 30), colour))) == 16
