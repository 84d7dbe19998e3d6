"""Image-text matching: is this picture this title's (Kim et al. 2021, section 3.2)."""

import torch
from torch.nn import functional as F

from ml.objectives.part import LossPart


def image_text_matching_loss(logits: torch.Tensor, matched: torch.Tensor) -> LossPart:
    """Cross-entropy of logits (B, 2) for [another's, its own]; matched (B,) bool is True for its own."""
    return LossPart(F.cross_entropy(logits.float(), matched.long(), reduction="sum"), float(len(matched)))
