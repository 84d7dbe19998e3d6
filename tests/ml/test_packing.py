"""Sequences of unequal length in one row, and how they are padded for attention."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.models.packing import pack_lengths

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@given(lengths=LENGTHS)
def test_padding_is_what_a_loop_makes_of_it_and_packing_undoes_it(lengths: list[int]) -> None:
    packing = pack_lengths(torch.tensor(lengths))
    packed = torch.arange(1, sum(lengths) + 1).float()[:, None].expand(-1, 2)  # (T, 2), no zero
    padded = packing.pad(packed)
    assert padded.shape == (len(lengths), max(lengths), 2)
    mask = torch.ones(padded.shape[:2], dtype=torch.bool) if packing.mask is None else packing.mask[:, 0, 0]
    first = 0
    for row, length in enumerate(lengths):
        assert int(packing.starts[row]) == first
        assert torch.equal(padded[row, :length], packed[first : first + length])
        assert not padded[row, length:].any()
        assert mask[row].tolist() == [True] * length + [False] * (max(lengths) - length)
        first += length
    assert torch.equal(packing.pack(padded), packed)


@given(length=st.integers(1, 6), count=st.integers(1, 6))
def test_equal_lengths_are_neither_masked_nor_copied(length: int, count: int) -> None:
    packing = pack_lengths(torch.full((count,), length))
    packed = torch.randn(count * length, 3)
    assert packing.mask is None
    assert packing.pad(packed).data_ptr() == packed.data_ptr()


@given(lengths=LENGTHS)
def test_gradients_pass_through_padding_unchanged(lengths: list[int]) -> None:
    packing = pack_lengths(torch.tensor(lengths))
    packed = torch.randn(sum(lengths), 2, requires_grad=True)
    weights = torch.randn(sum(lengths), 2)
    (packing.pack(packing.pad(packed)) * weights).sum().backward()
    assert packed.grad is not None
    assert torch.equal(packed.grad, weights)


@pytest.mark.parametrize(("lengths", "message"), [([3, 0], "sequence 1 has 0 tokens"), ([], "no sequences")])
def test_an_empty_sequence_is_named(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_lengths(torch.tensor(lengths, dtype=torch.int64))
