"""Which pictures look alike: perceptual hashes (pHash: the signs of a picture's lowest frequencies, 64 bits)."""

from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
from PIL import Image

# Bits in which two hashes may differ. Copies that were scaled, re-encoded or watermarked differ in 0 to 6;
# two photos of one product by as many as two photos of anything: `python -m benchmarks.crawl` counts both.
MAX_DISTANCE = 6


@dataclass(frozen=True)
class LookAlikes:
    """`group` numbers the groups of one page from 1; `count` is how many listings are in it."""

    group: int
    count: int


def perceptual_hash(image: Image.Image) -> str:
    """16 hex digits that similar pictures share but for a few bits."""
    return str(imagehash.phash(image))


def look_alikes(hashes: Sequence[str]) -> list[LookAlikes | None]:
    """For each hash of a page its group, or None where it is alone or there is no hash.

    Groups are the connected components of `distance ≤ MAX_DISTANCE`, numbered by their first member. O(n²) in the
    page's size, on integers: some 2 ms for 100.
    """
    numbers = [int(one, 16) if one else None for one in hashes]
    parent = list(range(len(numbers)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for right, number in enumerate(numbers):
        for left in range(right):
            other = numbers[left]
            if number is not None and other is not None and (number ^ other).bit_count() <= MAX_DISTANCE:
                parent[root(right)] = root(left)
    members: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        if number is not None:
            members.setdefault(root(index), []).append(index)
    found: list[LookAlikes | None] = [None] * len(numbers)
    groups = sorted((group for group in members.values() if len(group) > 1), key=min)
    for group_number, group in enumerate(groups, start=1):
        for index in group:
            found[index] = LookAlikes(group_number, len(group))
    return found
