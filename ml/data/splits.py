"""Which records are trained on, chosen by and measured on: nothing that looks the same is on two sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import numpy as np

BITS = 64  # of a perceptual hash
LARGE = 0.25  # of all pictures: a chain of look-alikes as long as this says nothing about unseen goods


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How much of the groups of pictures goes where, from 0 to 1; the rest is trained on.

    `hold_out` is a share of products, of which all is in test: for measuring on products that nobody has trained on.
    """

    val: float = 0.125
    test: float = 0.1
    hold_out: float = 0.0

    def __post_init__(self) -> None:
        for name in ("val", "test", "hold_out"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} is not between 0 and 1")


def near_duplicates(hashes: Sequence[int], *, max_distance: int) -> np.ndarray:
    """The groups (n,) of n perceptual hashes of 64 bits: the connected components of `distance ≤ max_distance` bits.

    Two hashes that differ in at most d bits agree in one of d + 1 bands of their bits, so only those are compared that
    share a band (Norouzi, Punjani & Fleet 2012, "Multi-index hashing", proposition 1).
    """
    values, places = np.unique(np.array(hashes, dtype=np.uint64), return_inverse=True)
    parent = list(range(len(values)))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    edges = np.linspace(0, BITS, max_distance + 2).astype(int)
    for low, high in pairwise(edges.tolist()):
        band = (values >> np.uint64(low)) & np.uint64(2 ** (high - low) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.diff(band[order], prepend=band[order][:1] + np.uint64(1)))
        for bucket in np.split(order, starts[1:]):
            for place in range(len(bucket) - 1):
                rest = bucket[place + 1 :]
                near = np.bitwise_count(values[rest] ^ values[bucket[place]]) <= max_distance
                for other in rest[near].tolist():
                    parent[root(other)] = root(int(bucket[place]))
    return np.array([root(one) for one in range(len(values))], dtype=np.int64)[places]


def assign_splits(
    *, pictures: Sequence[str], groups: Sequence[int] | np.ndarray, products: Sequence[str], shares: Shares
) -> list[str]:
    """ "train", "val" or "test" for each record.

    `pictures` are the SHA-256 of the records' pictures, in hex; `groups` say which look alike; `products` are ids, ""
    for records that nobody has labelled. A group goes whole into one part, by the hash of its smallest picture, so it
    keeps its part from one export to the next unless it grows by a smaller one. Of each product with as many groups as
    that takes, val and test get one at least; train always gets one, save of products that are held out.
    """
    rows_of: dict[int, list[int]] = {}
    for row, group in enumerate(np.asarray(groups).tolist()):
        rows_of.setdefault(group, []).append(row)
    names = {group: min(pictures[row] for row in rows) for group, rows in rows_of.items()}
    products_of = {group: {products[row] for row in rows} - {""} for group, rows in rows_of.items()}
    groups_of: dict[str, list[int]] = {}
    for group in sorted(rows_of, key=names.__getitem__):
        for product in products_of[group]:
            groups_of.setdefault(product, []).append(group)

    held_out = {product for product in groups_of if _share(f"hold out {product}") < shares.hold_out}
    large = {group for group, rows in rows_of.items() if len(rows) > max(1, LARGE * len(pictures))}
    fixed = {group: "test" for group in rows_of if products_of[group] & held_out}
    fixed |= {group: "train" for group in large if group not in fixed}
    parts = fixed | {group: _part(names[group], shares) for group in rows_of if group not in fixed}
    for product in sorted(groups_of):
        free = [group for group in groups_of[product] if group not in fixed]
        for part, share in (("test", shares.test), ("val", shares.val)):
            train = [group for group in free if parts[group] == "train"]
            if share and share * len(free) >= 1 and len(train) > 1 and not any(parts[one] == part for one in free):
                chosen = min((_share(f"{part} {names[group]}"), group) for group in train)[1]
                parts[chosen] = part
    # Afterwards: what one product has given to val may have been all that another had.
    for product in sorted(groups_of):
        free = [group for group in groups_of[product] if fixed.get(group) != "test"]
        if free and not any(parts[group] == "train" for group in free):
            parts[max((_share(f"train {names[group]}"), group) for group in free)[1]] = "train"
    return [parts[group] for group in np.asarray(groups).tolist()]


def _part(name: str, shares: Shares) -> str:
    if _share(f"test {name}") < shares.test:
        return "test"
    return "val" if _share(f"val {name}") < shares.val else "train"


def _share(name: str) -> float:
    """A number from 0 to 1 that follows from the name alone, as if drawn by chance."""
    return int(sha256(name.encode()).hexdigest()[:13], 16) / 16**13
