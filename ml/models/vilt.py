"""ViLT with a brand head and a product head (Kim, Son & Kim 2021, "ViLT", figure 3), on transformers' ViltModel.

Tokens of the title and patches of the picture run through one transformer; its pooled [CLS] says brand and product.
Beside it, linear layers on the mean token and the mean patch add their word ("Wide & Deep Learning", Cheng et al. 2016,
section 3): on a thousand examples they learn in minutes what the transformer would need hours for.
"""

from dataclasses import dataclass

import torch
from torch import nn
from transformers import ViltConfig as TransformersViltConfig
from transformers import ViltModel

from ml.models.patches import STRIDE, PatchKind, make_patches


@dataclass(frozen=True, kw_only=True)
class ViltConfig:
    """The shape of a ViltMatcher."""

    vocabulary_size: int
    brands: int
    products: int
    hidden_size: int = 192
    layers: int = 4
    heads: int = 4
    image_size: int = 224
    max_tokens: int = 40
    dropout: float = 0.1
    patch_embedding: PatchKind = "efficientnet_lite0"

    def __post_init__(self) -> None:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size={self.hidden_size} is not a multiple of heads={self.heads}")
        if self.image_size % STRIDE:
            raise ValueError(f"image_size={self.image_size} is not a multiple of {STRIDE}")
        if self.patch_embedding not in ("linear", "efficientnet_lite0"):
            raise ValueError(f"patch_embedding={self.patch_embedding!r} is neither linear nor efficientnet_lite0")
        for name in ("vocabulary_size", "brands", "products", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} is less than 1")

    @property
    def patches(self) -> int:
        return (self.image_size // STRIDE) ** 2


@dataclass(frozen=True)
class ViltOutput:
    """Logits of the two heads: `brand` (B, brands), `product` (B, products)."""

    brand: torch.Tensor
    product: torch.Tensor


class WideHead(nn.Module):
    """(B, N, width), mask (B, N) → (B, classes): a linear layer on the normalised mean of what the mask shows."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, parts: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        shown = mask[..., None].to(parts.dtype)  # (B, N, 1)
        mean = (parts * shown).sum(1) / shown.sum(1).clamp(min=1)  # (B, width), zero where nothing is shown
        return self.linear(self.norm(mean))


class ViltMatcher(nn.Module):
    """Title and picture in, brand and product logits out.

    `extract` turns pixels into patch features; it learns nothing, so its result may be kept. `forward` does the rest.
    """

    def __init__(self, config: ViltConfig, *, pretrained: bool = True) -> None:
        super().__init__()
        self.shape = config
        self.extract = make_patches(config.patch_embedding, pretrained=pretrained)
        self.project = nn.Linear(self.extract.width, config.hidden_size)
        self.vilt = ViltModel(
            TransformersViltConfig(
                vocab_size=config.vocabulary_size,
                hidden_size=config.hidden_size,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                intermediate_size=4 * config.hidden_size,
                hidden_dropout_prob=config.dropout,
                attention_probs_dropout_prob=0.0,
                image_size=config.image_size,
                patch_size=STRIDE,
                max_position_embeddings=config.max_tokens,
            )
        )
        # Pixels never reach transformers' own patch embedding: `project` stands in its place.
        self.vilt.embeddings.patch_embeddings.projection = nn.Identity()  # type: ignore[assignment]
        nn.init.trunc_normal_(self.vilt.embeddings.position_embeddings, std=0.02)
        nn.init.trunc_normal_(self.vilt.embeddings.cls_token, std=0.02)
        self.brand_head = nn.Linear(config.hidden_size, config.brands)
        self.product_head = nn.Linear(config.hidden_size, config.products)
        self.wide_title = WideHead(config.hidden_size, config.brands + config.products)
        self.wide_picture = WideHead(self.extract.width, config.brands + config.products)

    def forward(
        self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor, patches: torch.Tensor, patch_mask: torch.Tensor
    ) -> ViltOutput:
        """`input_ids`, `attention_mask` (B, L); `patches` (B, N, width of `extract`); `patch_mask` (B, N), 1 for seen.

        Raises ValueError when N is not the number of patches of the configured image size.
        """
        if self.shape.patches != patches.shape[1]:
            raise ValueError(
                f"{patches.shape[1]} patches, but image_size={self.shape.image_size} makes {self.shape.patches}"
            )
        pooled = self.pool(input_ids=input_ids, attention_mask=attention_mask, patches=patches, patch_mask=patch_mask)
        tokens = self.vilt.embeddings.text_embeddings.word_embeddings(input_ids)  # (B, L, D)
        wide = self.wide_title(tokens, attention_mask)  # (B, brands + products)
        wide = wide + self.wide_picture(patches, patch_mask)
        wide_brand, wide_product = wide.split([self.shape.brands, self.shape.products], dim=-1)
        return ViltOutput(brand=self.brand_head(pooled) + wide_brand, product=self.product_head(pooled) + wide_product)

    def pool(
        self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor, patches: torch.Tensor, patch_mask: torch.Tensor
    ) -> torch.Tensor:
        """ViLT itself: its pooled [CLS] (B, D). Inputs as of `forward`."""
        B = len(patches)
        embeddings = self.vilt.embeddings
        cls = embeddings.cls_token.expand(B, -1, -1)  # (B, 1, D)
        image = torch.cat([cls, self.project(patches)], dim=1) + embeddings.position_embeddings  # (B, 1 + N, D)
        image = embeddings.dropout(image)
        image_mask = torch.cat([patch_mask.new_ones(B, 1), patch_mask], dim=1)  # (B, 1 + N)
        output = self.vilt(
            input_ids=input_ids, attention_mask=attention_mask, image_embeds=image, pixel_mask=image_mask
        )
        return output.pooler_output
