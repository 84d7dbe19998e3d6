"""A batch of pairs says at once what does not fit."""

from typing import Any

import pytest
import torch

from ml.models.inputs import PairBatch
from tests.ml.vilt_factories import pair_batch, tiny_vilt


def values(**changes: Any) -> dict[str, Any]:
    """Two titles of three words; the first has a picture."""
    given: dict[str, Any] = {
        "input_ids": torch.full((2, 3), 7),
        "attention_mask": torch.ones(2, 3, dtype=torch.int64),
        "pixels": [torch.zeros(3, 32, 64)],
        "owner": torch.tensor([0]),
    }
    return given | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attention_mask": torch.ones(2, 4)}, r"attention_mask has the shape \(2, 4\) and input_ids \(2, 3\)"),
        ({"pixels": None}, "either pixels or patches"),
        ({"patches": [torch.zeros(2, 3072)], "grids": torch.tensor([[1, 2]])}, "either pixels or patches"),
        ({"owner": torch.tensor([0, 1])}, "1 pictures, but owner names the pairs of 2"),
        ({"pixels": None, "patches": [torch.zeros(2, 3072)]}, "patches come with their grids"),
        ({"grids": torch.tensor([[1, 2]])}, "patches come with their grids"),
        (
            {"pixels": None, "patches": [torch.zeros(2, 3072)], "grids": torch.tensor([[1, 2], [1, 1]])},
            r"grids has the shape \(2, 2\), not \(1, 2\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PairBatch(**values(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"owner": torch.tensor([2])}, r"owner\[0\]=2 is none of the batch's 2 pairs"),
        ({"pixels": [torch.zeros(3, 32, 50)]}, "a picture of 32 × 50 pixels"),
        ({"pixels": [torch.zeros(3, 0, 32)]}, "a picture of 0 × 32 pixels"),
        (
            {"pixels": None, "patches": [torch.zeros(3, 3072)], "grids": torch.tensor([[1, 2]])},
            r"patches\[0\] has the shape \(3, 3072\), but grids\[0\]=\(1, 2\) holds 2 of width 3072",
        ),
        (
            {"pixels": None, "patches": [torch.zeros(2, 1280)], "grids": torch.tensor([[1, 2]])},
            r"patches\[0\] has the shape \(2, 1280\)",
        ),
        (
            {"input_ids": torch.full((2, 31), 7), "attention_mask": torch.ones(2, 31, dtype=torch.int64)},
            "titles of 31 tokens are longer than max_tokens=30",
        ),
    ],
)
def test_what_the_model_cannot_take_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny_vilt()(PairBatch(**values(**changes)))


def test_a_batch_moves_to_a_device_whole() -> None:
    pairs = pair_batch([2, 3], [[(1, 2)], []])
    moved = pairs.to("meta")
    assert len(moved) == 2
    assert moved.pixels is not None
    assert {one.device.type for one in (moved.input_ids, moved.attention_mask, moved.owner, *moved.pixels)} == {"meta"}
