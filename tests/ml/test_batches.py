"""A plan draws every record once an epoch, can be entered anywhere, and keeps padding small."""

import random
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.batches import Draw, plan_batches, slice_for


def sizes(n: int, seed: int = 0) -> tuple[list[int], list[tuple[int, int]]]:
    """Titles of 3 to 40 tokens, pictures of 12 × 12 to 12 × 20 patches in either direction."""
    rng = random.Random(seed)
    shapes = [(12, rng.randint(12, 20)) if rng.random() < 0.5 else (rng.randint(12, 20), 12) for _ in range(n)]
    return [rng.randint(3, 40) for _ in range(n)], shapes


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5), st.integers(1, 4))
def test_every_record_is_drawn_once_an_epoch(n: int, batch_size: int, seed: int, epochs: int) -> None:
    lengths, shapes = sizes(n)
    steps = -(-epochs * n // batch_size)
    batches = list(plan_batches(lengths, shapes, batch_size, seed, steps))
    assert [len(batch) for batch in batches] == [batch_size] * steps
    drawn = [draw.index for batch in batches for draw in batch]
    for epoch in range(epochs):
        assert sorted(drawn[epoch * n : (epoch + 1) * n]) == list(range(n))


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 30))
def test_it_can_be_entered_at_any_step(n: int, batch_size: int, start: int) -> None:
    lengths, shapes = sizes(n)
    from_the_start = plan_batches(lengths, shapes, batch_size, 3, start + 4)
    assert list(plan_batches(lengths, shapes, batch_size, 3, start + 4, start)) == list(
        islice(from_the_start, start, None)
    )


def test_the_seed_decides_and_epochs_differ() -> None:
    lengths, shapes = sizes(40)
    first, again, other = (list(plan_batches(lengths, shapes, 8, seed, 10)) for seed in (1, 1, 2))
    assert first == again != other
    assert [draw.index for batch in first[:5] for draw in batch] != [
        draw.index for batch in first[5:] for draw in batch
    ]


def test_every_draw_has_a_seed_of_its_own() -> None:
    lengths, shapes = sizes(10)
    draws = [draw for seed in range(20) for batch in plan_batches(lengths, shapes, 5, seed, 40) for draw in batch]
    assert len({draw.seed for draw in draws}) == len(draws)
    assert all(0 <= draw.seed < 2**64 for draw in draws)


def padded(lengths: list[int], shapes: list[tuple[int, int]], batches: list[list[int]]) -> tuple[int, int]:
    """Positions that batches take when titles are padded to the longest, pictures to the highest and the widest; and
    those of them that hold something."""
    taken = held = 0
    for batch in batches:
        tokens = [lengths[index] for index in batch]
        heights, widths = zip(*(shapes[index] for index in batch), strict=True)
        taken += len(batch) * (max(tokens) + max(heights) * max(widths))
        held += sum(tokens) + sum(height * width for height, width in zip(heights, widths, strict=True))
    return taken, held


def waste(lengths: list[int], shapes: list[tuple[int, int]], batches: list[list[int]]) -> float:
    taken, held = padded(lengths, shapes, batches)
    return 1 - held / taken


def test_much_less_is_padding_than_without_sorting() -> None:
    lengths, shapes = sizes(4000)
    planned = [[draw.index for draw in batch] for batch in plan_batches(lengths, shapes, 32, 0, 125)]
    shuffled = [list(rows) for rows in np.random.default_rng(0).permutation(4000).reshape(125, 32)]
    assert waste(lengths, shapes, shuffled) > 0.4
    assert waste(lengths, shapes, planned) < 0.15


def test_where_all_pictures_are_alike_titles_are_sorted_more_closely() -> None:
    lengths, _ = sizes(2048)
    batches = [[draw.index for draw in batch] for batch in plan_batches(lengths, [(7, 7)] * 2048, 32, 0, 64)]
    spread = [max(lengths[index] for index in batch) - min(lengths[index] for index in batch) for batch in batches]
    assert max(spread) <= 4


def test_batches_come_in_no_order_of_size() -> None:
    """A model that sees short titles first forgets them."""
    lengths, _ = sizes(2048)
    means = [
        np.mean([lengths[draw.index] for draw in batch]) for batch in plan_batches(lengths, [(7, 7)] * 2048, 32, 0, 64)
    ]
    assert abs(np.corrcoef(range(64), means)[0, 1]) < 0.4


def test_no_two_records_are_always_together() -> None:
    lengths, shapes = sizes(640)
    together: Counter[tuple[int, int]] = Counter()
    for batch in plan_batches(lengths, shapes, 16, 0, 40 * 12):
        indices = sorted(draw.index for draw in batch)
        together.update((one, other) for place, one in enumerate(indices) for other in indices[place + 1 :])
    assert together.most_common(1)[0][1] <= 10


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
def test_processes_share_a_batch_without_rest(world_size: int) -> None:
    batch = [Draw(index, index) for index in range(20)]
    parts = [batch[slice_for(rank, world_size)] for rank in range(world_size)]
    assert sorted((draw for part in parts for draw in part), key=lambda draw: draw.index) == batch
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("rank", "world_size"), [(-1, 2), (2, 2), (0, 0)])
def test_a_process_that_is_not_there_is_named(rank: int, world_size: int) -> None:
    with pytest.raises(ValueError, match=f"rank={rank}"):
        slice_for(rank, world_size)


def test_no_records_and_no_batch_size_are_named() -> None:
    with pytest.raises(ValueError, match="no records"):
        next(plan_batches([], [], 4, 0, 1))
    with pytest.raises(ValueError, match="batch_size=0"):
        next(plan_batches([3], [(1, 1)], 0, 0, 1))
    with pytest.raises(ValueError, match="dimension"):
        next(plan_batches([3, 4], [(1, 1)], 1, 0, 1))
