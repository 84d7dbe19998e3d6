"""Titles and pictures as a batch for a model."""

from collections.abc import Sequence
from math import isqrt

import torch

from ml.data.tokenizer import TextTokenizer
from ml.models.inputs import PairBatch


def batch_of(
    tokenizer: TextTokenizer, pairs: Sequence[tuple[str, Sequence[torch.Tensor]]], *, as_features: bool = False
) -> PairBatch:
    """Titles with their pictures: pixels (3, H, W), or with `as_features` features (N, width) of square ones."""
    tokens = tokenizer.encode([title for title, _pictures in pairs])
    pictures = [picture for _title, those in pairs for picture in those]
    owner = torch.tensor([row for row, (_title, those) in enumerate(pairs) for _ in those], dtype=torch.int64)
    ids, mask = tokens.input_ids, tokens.attention_mask
    if not as_features:
        return PairBatch(input_ids=ids, attention_mask=mask, pixels=pictures, owner=owner)
    sides = [isqrt(len(picture)) for picture in pictures]
    grids = torch.tensor([[side, side] for side in sides], dtype=torch.int64).reshape(-1, 2)
    return PairBatch(input_ids=ids, attention_mask=mask, patches=pictures, grids=grids, owner=owner)
