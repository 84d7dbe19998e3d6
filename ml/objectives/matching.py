"""Which titles of a batch get another listing's picture."""

import random
from collections.abc import Callable, Hashable, Sequence

TRIES = 100


def strange_partners(
    rows: Sequence[int], *, of: int, group: Callable[[int], Hashable], rng: random.Random
) -> list[int | None]:
    """For each of a batch's `rows` the row whose picture it gets instead of its own, or None for its own.

    Exactly half of the batch, B // 2 rows, get the picture of a row of another group, out of all `of` rows (Kim et al.
    2021, section 3.2, replace with probability one half; an exact half makes batches alike). Rows of one group show the
    same thing, so their pictures are no mismatch. From all rows and not from the batch, because batches hold what is
    alike. Raises ValueError when all rows are of one group: there is nothing to tell apart.
    """
    partners: list[int | None] = [None] * len(rows)
    for place in rng.sample(range(len(rows)), len(rows) // 2):
        partners[place] = _stranger(rows[place], of=of, group=group, rng=rng)
    return partners


def _stranger(row: int, *, of: int, group: Callable[[int], Hashable], rng: random.Random) -> int:
    own = group(row)
    for _ in range(TRIES):
        other = rng.randrange(of)
        if group(other) != own:
            return other
    # One group is nearly everything: look at each row, rather than end a long training by bad luck.
    start = rng.randrange(of)
    for step in range(of):
        other = (start + step) % of
        if group(other) != own:
            return other
    raise ValueError(f"all {of} listings show the same as listing {row}: no picture is another's")
