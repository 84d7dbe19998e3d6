"""Where each token of a batch of pairs stands, against a loop over the pairs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from ml.models.layout import Layout, lay_out

GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 4))
PAIRS = st.lists(
    st.tuples(st.lists(st.booleans(), min_size=5, max_size=5), st.lists(GRIDS, max_size=3)).filter(
        lambda pair: any(pair[0]) or bool(pair[1])
    ),
    min_size=1,
    max_size=4,
)


def layout_of(pairs: list[tuple[list[bool], list[tuple[int, int]]]], *, side: int = 3) -> Layout:
    return lay_out(
        attention_mask=torch.tensor([mask for mask, _grids in pairs]).long(),
        grids=torch.tensor([grid for _mask, grids in pairs for grid in grids], dtype=torch.int64).reshape(-1, 2),
        owner=torch.tensor([row for row, (_mask, grids) in enumerate(pairs) for _ in grids], dtype=torch.int64),
        side=side,
    )


@settings(deadline=None)
@given(pairs=PAIRS)
def test_the_sequences_are_those_of_a_loop(pairs: list[tuple[list[bool], list[tuple[int, int]]]]) -> None:
    layout = layout_of(pairs)
    sequences, patch = [], 0
    for row, (mask, grids) in enumerate(pairs):
        sequence = [("word", 5 * row + place) for place, shown in enumerate(mask) if shown]
        for rows, columns in grids:
            sequence.append(("cls", 0))
            sequence += [("patch", patch + number) for number in range(rows * columns)]
            patch += rows * columns
        sequences.append(sequence)
    pieces = [("word", word) for word in layout.words.tolist()]
    pieces += [("patch", content - 1) if content else ("cls", 0) for content in layout.contents.tolist()]
    packed = [pieces[number] for number in layout.order.tolist()]
    starts = layout.packing.starts.tolist()
    ends = [*starts[1:], len(packed)]
    assert [packed[start:end] for start, end in zip(starts, ends, strict=True)] == sequences
    assert layout.is_word.tolist() == [kind == "word" for kind, _number in packed]
    assert layout.is_patch.tolist() == [kind == "patch" for kind, _number in packed]


@settings(deadline=None)
@given(side=st.integers(1, 5), grids=st.lists(GRIDS, min_size=1, max_size=3))
def test_places_are_stretched_as_interpolation_stretches_them(side: int, grids: list[tuple[int, int]]) -> None:
    layout = layout_of([([True] * 5, grids)], side=side)
    learned = torch.randn(1 + side * side, 6)  # (1 + side², D), the first of the image [CLS]
    positions = (learned[layout.corners] * layout.shares[..., None]).sum(1)[layout.places]  # (I + P, D)
    expected = []
    for grid in grids:
        stretched = F.interpolate(learned[1:].T.reshape(1, 6, side, side), grid, mode="bilinear", align_corners=True)
        expected += [learned[:1], stretched.flatten(2)[0].T]
    torch.testing.assert_close(positions, torch.cat(expected), rtol=1e-5, atol=1e-5)


def test_the_learned_positions_stand_as_they_are_on_their_own_grid() -> None:
    layout = layout_of([([True] * 5, [(3, 3)])])
    learned = torch.randn(10, 6)
    assert torch.equal((learned[layout.corners] * layout.shares[..., None]).sum(1)[layout.places], learned)


@pytest.mark.parametrize(
    ("grids", "owner", "message"),
    [
        ([[2, 0]], [0], r"grids\[0\]=\(2, 0\) holds no patches"),
        ([[1, 1], [1, 1]], [0, 2], r"owner\[1\]=2 is none of the batch's 2 pairs"),
        ([[1, 1]], [-1], r"owner\[0\]=-1 is none"),
        ([[1, 1]], [0], "pair 1 has neither a title nor a picture"),
    ],
)
def test_what_cannot_be_laid_out_is_named(grids: list[list[int]], owner: list[int], message: str) -> None:
    mask = torch.tensor([[1, 1], [0, 0]])
    with pytest.raises(ValueError, match=message):
        lay_out(attention_mask=mask, grids=torch.tensor(grids), owner=torch.tensor(owner), side=3)
