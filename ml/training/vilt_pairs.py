"""Batches of pairs as fine-tuning shows them: some pictures hidden, some titles left out."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from ml.models.inputs import PairBatch
from ml.models.vilt import ViltMatcher


def with_pictures(pairs: PairBatch, shown: torch.Tensor, *, model: ViltMatcher) -> PairBatch:
    """`pairs` as features, with only the pictures that `shown` (I,) bool says."""
    if pairs.pixels is not None:
        patches, grids = model.extract(pairs.pixels)
    else:
        assert pairs.grids is not None
        patches, grids = list(pairs.patches or ()), pairs.grids
    kept = [one for one, is_shown in zip(patches, shown.tolist(), strict=True) if is_shown]
    return replace(pairs, pixels=None, patches=kept, grids=grids[shown], owner=pairs.owner[shown])


def also_alone(pairs: PairBatch, untitled: torch.Tensor) -> PairBatch:
    """B pairs as features → 2·B: as they are, then each without its title; the features are not computed again.

    `untitled` (M,) int64: the tokens of an empty title.
    """
    assert pairs.patches is not None
    assert pairs.grids is not None
    B, L = pairs.input_ids.shape
    length = max(L, len(untitled))
    empty_ids = F.pad(untitled, (0, length - len(untitled))).expand(B, length)
    empty_mask = F.pad(torch.ones_like(untitled), (0, length - len(untitled))).expand(B, length)
    return PairBatch(
        input_ids=torch.cat([F.pad(pairs.input_ids, (0, length - L)), empty_ids]),
        attention_mask=torch.cat([F.pad(pairs.attention_mask, (0, length - L)), empty_mask]),
        patches=[*pairs.patches, *pairs.patches],
        grids=torch.cat([pairs.grids, pairs.grids]),
        owner=torch.cat([pairs.owner, pairs.owner + B]),
    )
