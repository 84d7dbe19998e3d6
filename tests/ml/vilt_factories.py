"""Tiny ViLTs and batches for their tests: weights and pictures drawn at random, far from what initialisation gives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ml.models.inputs import PairBatch
from ml.models.vilt import ViltConfig, ViltMatcher

WORDS = 50


def tiny_vilt(*, seed: int = 0, **changes: Any) -> ViltMatcher:
    """Two layers on raw patches, in eval mode."""
    values: dict[str, Any] = {
        "vocabulary_size": WORDS,
        "brands": 3,
        "products": 5,
        "hidden_size": 16,
        "layers": 2,
        "heads": 2,
        "intermediate_size": 24,
        "image_size": 96,
        "max_tokens": 30,
        "dropout": 0.0,
        "patch_embedding": "linear",
        "train_patches": True,
    }
    model = ViltMatcher(ViltConfig(**values | changes)).eval()
    randomise(model, seed=seed)
    return model


def randomise(model: nn.Module, *, seed: int) -> None:
    """Every weight away from the initial zeros and ones, which would hide mistakes."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=random) * 0.2)


def pair_batch(
    titles: Sequence[int], pictures: Sequence[Sequence[tuple[int, int]]], *, seed: int = 0, width: int | None = None
) -> PairBatch:
    """One pair for each length of `titles`, with `pictures` of so many patches (rows, columns); `width` pads titles."""
    random = torch.Generator().manual_seed(seed)
    B, L = len(titles), width or max(1, *titles)
    lengths = torch.tensor(titles)
    return PairBatch(
        input_ids=torch.randint(5, WORDS, (B, L), generator=random),
        attention_mask=(torch.arange(L)[None] < lengths[:, None]).long(),
        pixels=[
            torch.randn(3, 32 * rows, 32 * columns, generator=random) for those in pictures for rows, columns in those
        ],
        owner=torch.tensor([row for row, those in enumerate(pictures) for _ in those], dtype=torch.int64),
    )


def only(batch: PairBatch, row: int) -> PairBatch:
    """The pair `row` alone, its title without padding."""
    assert batch.pixels is not None
    mine = [picture for picture, owner in zip(batch.pixels, batch.owner.tolist(), strict=True) if owner == row]
    length = max(1, int(batch.attention_mask[row].sum()))
    return PairBatch(
        input_ids=batch.input_ids[row : row + 1, :length],
        attention_mask=batch.attention_mask[row : row + 1, :length],
        pixels=mine,
        owner=torch.zeros(len(mine), dtype=torch.int64),
    )
