"""Word-patch alignment: how far a title's words lie from a picture's patches (Kim et al. 2021, section 3.2; Chen et al.
2020, "UNITER", section 3.2, word-region alignment)."""

import torch
from torch.nn import functional as F

from ml.objectives.optimal_transport import ipot
from ml.objectives.part import LossPart


def cosine_cost(text: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """1 − cosine: (B, L, D), (B, N, D) → (B, L, N), in float32 under autocast too."""
    with torch.autocast(text.device.type, enabled=False):
        return 1 - F.normalize(text.float(), dim=-1) @ F.normalize(image.float(), dim=-1).transpose(1, 2)


def word_patch_alignment(
    text: torch.Tensor, text_mask: torch.Tensor, image: torch.Tensor, image_mask: torch.Tensor, matched: torch.Tensor
) -> LossPart:
    """Σ distance over pairs that match − Σ over those that do not, of B pairs.

    `text` (B, L, D) and `image` (B, N, D) are last-layer features, their masks (B, L) and (B, N) bool without [CLS],
    [SEP] and image [CLS]; `matched` (B,) bool. The plan is no path for gradients. A pair with no word or no patch to
    show has distance 0.
    """
    both = text_mask.any(1) & image_mask.any(1)  # (B,)
    cost = cosine_cost(text, image)
    with torch.no_grad():
        plan = ipot(cost[both].detach(), text_mask[both], image_mask[both])
    distance = (plan * cost[both]).sum((1, 2))  # (pairs with both,)
    sign = torch.where(matched[both], 1.0, -1.0)
    return LossPart((sign * distance).sum(), float(len(matched)))
