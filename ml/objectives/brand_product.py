"""Brand and product together: a model that is only asked for products does not learn what makes a brand."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

IGNORE = -100


@dataclass(frozen=True)
class BrandProductLoss:
    """`total` = brand_weight · brand + product_weight · product; all are scalars."""

    total: torch.Tensor
    brand: torch.Tensor
    product: torch.Tensor


def brand_product_loss(
    *,
    brand_logits: torch.Tensor,
    product_logits: torch.Tensor,
    brand_labels: torch.Tensor,
    product_labels: torch.Tensor,
    brand_weight: float = 1.0,
    product_weight: float = 1.0,
    label_smoothing: float = 0.0,
) -> BrandProductLoss:
    """Weighted sum of two cross-entropies, each with label smoothing (Szegedy et al. 2016, section 7).

    Logits are (B, brands) and (B, products), labels (B,) int64. A label of IGNORE leaves that row out of its mean;
    where all are left out, that loss is 0.
    """
    brand = _cross_entropy(brand_logits, brand_labels, label_smoothing)
    product = _cross_entropy(product_logits, product_labels, label_smoothing)
    return BrandProductLoss(total=brand_weight * brand + product_weight * product, brand=brand, product=product)


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    if bool((labels == IGNORE).all()):
        return logits.sum() * 0.0
    return F.cross_entropy(logits.float(), labels, ignore_index=IGNORE, label_smoothing=smoothing)
