"""Which records make each batch: an endless shuffle of epochs, in which the pairs of a batch are alike in size.

A plan has no state: any step can be computed from the seed alone, so a run that is resumed goes on as if it had not
stopped, and any number of processes share the batches of one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SORTED_TOGETHER = 64  # batches at most: more of them are alike more closely, but not noticeably
SORTED_SHARE = 4  # … and at most a quarter of an epoch, or records that are alike would meet in every epoch


@dataclass(frozen=True, slots=True)
class Draw:
    """One record of a batch, and the seed for what is left to chance with it this time."""

    index: int
    seed: int


def plan_batches(
    lengths: Sequence[int] | np.ndarray,
    shapes: Sequence[tuple[int, int]] | np.ndarray,
    batch_size: int,
    seed: int,
    steps: int,
    start: int = 0,
) -> Iterator[list[Draw]]:
    """The batches of steps `start` … `steps` - 1, each of `batch_size` draws.

    `lengths` (n,) are the records' tokens, `shapes` (n, 2) their pictures' heights and widths, in any unit. Of every n
    draws from the first on, each record is drawn once. A batch across the end of an epoch is not sorted.

    Raises ValueError for no records, for shapes that do not fit lengths, and for a batch size below 1.
    """
    keys = np.column_stack([np.asarray(shapes).reshape(-1, 2), np.asarray(lengths).reshape(-1, 1)])  # (n, 3)
    n = len(keys)
    if n == 0:
        raise ValueError("no records to draw from")
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} is less than 1")

    @lru_cache(maxsize=2)
    def epoch(number: int) -> np.ndarray:
        return _epoch(keys, number=number, batch_size=batch_size, seed=seed)

    for step in range(start, steps):
        draws = range(step * batch_size, (step + 1) * batch_size)
        yield [Draw(int(epoch(draw // n)[draw % n]), _mixed(seed, draw)) for draw in draws]


def slice_for(rank: int, world_size: int) -> slice:
    """The part of each batch that process `rank` of `world_size` takes: `batch[slice_for(rank, world_size)]`.

    Raises ValueError unless 0 ≤ rank < world_size.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank={rank} is not between 0 and world_size={world_size}")
    return slice(rank, None, world_size)


def _epoch(keys: np.ndarray, *, number: int, batch_size: int, seed: int) -> np.ndarray:
    """The order (n,) of all records in one epoch.

    What lies in batches that are wholly within the epoch is sorted, some batches together, and those are shuffled; the
    rest, which shares a batch with the epochs beside it, stays as it was drawn.
    """
    n = len(keys)
    rng = np.random.default_rng([seed, number])
    order = rng.permutation(n)
    first = -number * n % batch_size  # of the epoch's first whole batch
    whole = max(0, n - first) // batch_size
    if not whole:
        return order
    inner = order[first : first + whole * batch_size]
    together = max(1, min(SORTED_TOGETHER, whole // SORTED_SHARE))
    batches = [
        batch
        for place in range(0, whole, together)
        for batch in _alike(inner[place * batch_size : (place + together) * batch_size], keys, batch_size)
    ]
    order[first : first + whole * batch_size] = np.concatenate([batches[place] for place in rng.permutation(whole)])
    return order


def _alike(rows: np.ndarray, keys: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut `rows` into batches of records that are alike by all keys.

    Sorted by one key and cut into slabs, each slab by the next, and so on (Leutenegger, Lopez & Edgington 1997, "STR",
    section 3). A key that all share would only waste cuts.
    """
    batches = len(rows) // batch_size
    telling = [column for column in range(keys.shape[1]) if np.ptp(keys[rows, column])]
    if batches == 1 or not telling:
        return np.split(rows, batches)
    ordered = rows[np.argsort(keys[rows, telling[0]], kind="stable")]
    if len(telling) == 1:
        return np.split(ordered, batches)
    slabs = max(1, round(batches ** (1 / len(telling))))
    edges = [round(slab * batches / slabs) * batch_size for slab in range(1, slabs)]
    rest = keys[:, telling[1:]]
    return [batch for slab in np.split(ordered, edges) for batch in _alike(slab, rest, batch_size)]


def _mixed(seed: int, draw: int) -> int:
    """A number of 64 bits that looks like chance (SplitMix64: Steele, Lea & Flood 2014, figure 17)."""
    mask = 2**64 - 1
    value = (seed * 0xD1342543DE82EF95 + (draw + 1) * 0x9E3779B97F4A7C15) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)
