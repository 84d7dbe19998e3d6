"""Brand and product together: a model that is only asked for products does not learn what makes a brand."""

import torch
from torch.nn import functional as F

from ml.objectives.part import LossPart

IGNORE = -100


def brand_product_loss(
    *,
    brand_logits: torch.Tensor,
    product_logits: torch.Tensor,
    brand_labels: torch.Tensor,
    product_labels: torch.Tensor,
    brand_class_weights: torch.Tensor | None = None,
    product_class_weights: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
) -> dict[str, LossPart]:
    """Cross-entropies "brand" and "product", each with label smoothing (Szegedy et al. 2016, section 7).

    Logits are (B, brands) and (B, products), labels (B,) int64; a label of IGNORE leaves that row out. Class weights
    (brands,) and (products,) weigh each row by its label's: total = Σ w·loss, count = Σ w.
    """
    return {
        "brand": _cross_entropy(brand_logits, brand_labels, brand_class_weights, label_smoothing),
        "product": _cross_entropy(product_logits, product_labels, product_class_weights, label_smoothing),
    }


def _cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None, smoothing: float
) -> LossPart:
    losses = F.cross_entropy(
        logits.float(), labels, ignore_index=IGNORE, label_smoothing=smoothing, reduction="none"
    )  # (B,), 0 where ignored
    known = (labels != IGNORE).float()
    by_row = known if weights is None else known * weights[labels.clamp(min=0)]
    return LossPart((losses * by_row).sum(), by_row.sum())
