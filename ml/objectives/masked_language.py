"""Masked language modelling: which words stood under the masks (Devlin et al. 2019, section 3.1, task 1)."""

import torch
from torch.nn import functional as F

from ml.objectives.part import LossPart

IGNORE = -100


def masked_language_loss(logits: torch.Tensor, labels: torch.Tensor) -> LossPart:
    """Cross-entropy over what was masked: logits (…, vocabulary), labels (…) int64 with IGNORE for all other tokens.

    Cheaper with the masked tokens alone: logits (M, vocabulary), labels (M,).
    """
    losses = F.cross_entropy(logits.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORE, reduction="sum")
    return LossPart(losses, (labels != IGNORE).sum())
