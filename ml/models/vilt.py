"""ViLT with its heads (Kim, Son & Kim 2021, figure 3): brand and product, masked words, matching.

Beside the transformer, linear layers on the mean token and the mean patch may add their word about brand and product
("Wide & Deep Learning", Cheng et al. 2016, section 3): on a thousand examples they learn in minutes what the
transformer would need hours for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import nn
from torch.nn import functional as F

from ml.models.inputs import PairBatch
from ml.models.layout import Layout, lay_out
from ml.models.patches import STRIDE, PatchKind, extract_patches, make_patches
from ml.models.vilt_encoder import EncoderConfig, ViltEncoder


@dataclass(frozen=True, kw_only=True)
class ViltConfig:
    """The shape of a ViltMatcher. Without brands and products it is a pre-trained model, with no such heads."""

    vocabulary_size: int
    brands: int = 0
    products: int = 0
    hidden_size: int = 192
    layers: int = 4
    heads: int = 4
    intermediate_size: int = 768
    image_size: int = 224
    max_tokens: int = 40
    dropout: float = 0.1
    layer_norm_eps: float = 1e-12
    patch_embedding: PatchKind = "efficientnet_lite0"
    train_patches: bool = False
    frozen_blocks: int = 0
    wide: bool = True

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "hidden_size", "layers", "heads", "intermediate_size", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} is less than 1")
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size={self.hidden_size} is not a multiple of heads={self.heads}")
        if self.image_size < STRIDE or self.image_size % STRIDE:
            raise ValueError(f"image_size={self.image_size} is not a multiple of {STRIDE} above 0")
        if self.patch_embedding not in get_args(PatchKind):
            raise ValueError(f"patch_embedding={self.patch_embedding!r} is none of {', '.join(get_args(PatchKind))}")
        if bool(self.brands) != bool(self.products) or self.brands < 0 or self.products < 0:
            raise ValueError(f"brands={self.brands} and products={self.products}: both or neither")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout} is not between 0 and 1")
        if self.layer_norm_eps <= 0:
            raise ValueError(f"layer_norm_eps={self.layer_norm_eps} is not above 0")
        if self.frozen_blocks < 0:
            raise ValueError(f"frozen_blocks={self.frozen_blocks} is less than 0")

    @property
    def encoder(self) -> EncoderConfig:
        return EncoderConfig(
            vocabulary_size=self.vocabulary_size,
            hidden_size=self.hidden_size,
            layers=self.layers,
            heads=self.heads,
            intermediate_size=self.intermediate_size,
            max_tokens=self.max_tokens,
            grid=self.image_size // STRIDE,
            dropout=self.dropout,
            layer_norm_eps=self.layer_norm_eps,
        )


@dataclass(frozen=True)
class ViltOutput:
    """Logits of the two heads: `brand` (B, brands), `product` (B, products)."""

    brand: torch.Tensor
    product: torch.Tensor


@dataclass(frozen=True)
class Encoded:
    """`text` (B, L, D) and `image` (B, N, D) without image [CLS], padded, with masks, True for what is there;
    `pooled` (B, D); `grids` (I, 2) of the pictures, whose patches stand one after the other in `image`."""

    text: torch.Tensor
    text_mask: torch.Tensor
    image: torch.Tensor
    image_mask: torch.Tensor
    pooled: torch.Tensor
    grids: torch.Tensor


class WideHead(nn.Module):
    """(B, width) → (B, classes): a linear layer on a normalised mean."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, mean: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm(mean))


class MaskedWordHead(nn.Module):
    """(…, D) → (…, vocabulary): BERT's, whose last matrix is the word embeddings."""

    def __init__(self, config: ViltConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))

    def forward(self, hidden: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return F.linear(self.norm(F.gelu(self.dense(hidden))), words, self.bias)


class ViltMatcher(nn.Module):
    """Title and pictures in, brand and product logits out; masked words and matching for pre-training.

    Several pictures of a pair stand in one sequence, each with an image [CLS] and positions of its own, so their order
    does not matter. A pair without a picture is its title alone.
    """

    def __init__(self, config: ViltConfig, *, pretrained: bool = True) -> None:
        super().__init__()
        self.shape = config
        self.patches = make_patches(
            config.patch_embedding,
            pretrained=pretrained,
            trained=config.train_patches,
            frozen_blocks=config.frozen_blocks,
        )
        self.project = nn.Linear(self.patches.width, config.hidden_size)
        self.encoder = ViltEncoder(config.encoder)
        self.mlm_head = MaskedWordHead(config)
        self.itm_head = nn.Linear(config.hidden_size, 2)
        classes = config.brands + config.products
        if classes:
            self.brand_head = nn.Linear(config.hidden_size, config.brands)
            self.product_head = nn.Linear(config.hidden_size, config.products)
        if classes and config.wide:
            self.wide_title = WideHead(config.hidden_size, classes)
            self.wide_picture = WideHead(self.patches.width, classes)

    def extract(self, pixels: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Pictures (3, H, W) → features (N_i, width) and grids (I, 2). Where the network is frozen they may be kept."""
        return extract_patches(self.patches, pixels)

    def forward(self, pairs: PairBatch) -> ViltOutput:
        """Logits of brand and product. Raises ValueError for a model that is only pre-trained."""
        if not self.shape.products:
            raise ValueError("this model is only pre-trained: it knows no brands and products")
        patches, grids = self._patches(pairs)
        layout = self._lay_out(pairs, grids)
        pooled = self.encoder(
            input_ids=pairs.input_ids, patches=self._project(patches), layout=layout, only_pooled=True
        ).pooled
        brand, product = self.brand_head(pooled), self.product_head(pooled)
        if self.shape.wide:
            wide = self.wide_title(self._mean_word(pairs)) + self.wide_picture(self._mean_patch(pairs, patches))
            wide_brand, wide_product = wide.split([self.shape.brands, self.shape.products], dim=-1)
            brand, product = brand + wide_brand, product + wide_product
        return ViltOutput(brand=brand, product=product)

    def encode(self, pairs: PairBatch) -> Encoded:
        """All tokens in their context."""
        patches, grids = self._patches(pairs)
        layout = self._lay_out(pairs, grids)
        output = self.encoder(input_ids=pairs.input_ids, patches=self._project(patches), layout=layout)
        assert output.tokens is not None
        B, L = pairs.input_ids.shape
        text_mask = pairs.attention_mask.bool()
        text = output.tokens.new_zeros(B, L, self.shape.hidden_size)
        text[text_mask] = output.tokens[layout.is_word]
        counts = torch.zeros(B, dtype=torch.int64, device=grids.device).index_add(0, pairs.owner, grids.prod(1))
        image_mask = torch.arange(max(1, int(counts.max())), device=grids.device)[None] < counts[:, None]  # (B, N)
        image = output.tokens.new_zeros(*image_mask.shape, self.shape.hidden_size)
        image[image_mask] = output.tokens[layout.is_patch]
        return Encoded(text, text_mask, image, image_mask, output.pooled, grids)

    def mlm_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, D) of masked tokens → (…, vocabulary)."""
        return self.mlm_head(hidden, self.encoder.words.weight)

    def itm_logits(self, pooled: torch.Tensor) -> torch.Tensor:
        """(B, D) → (B, 2): another listing's picture, its own."""
        return self.itm_head(pooled)

    def _patches(self, pairs: PairBatch) -> tuple[list[torch.Tensor], torch.Tensor]:
        if pairs.pixels is not None:
            features, grids = self.extract(pairs.pixels)
            return features, grids.to(pairs.owner.device)
        assert pairs.patches is not None
        assert pairs.grids is not None
        for number, (one, grid) in enumerate(zip(pairs.patches, pairs.grids.tolist(), strict=True)):
            if one.shape != (grid[0] * grid[1], self.patches.width):
                raise ValueError(
                    f"patches[{number}] has the shape {tuple(one.shape)}, but "
                    f"grids[{number}]={tuple(grid)} holds {grid[0] * grid[1]} of width {self.patches.width}"
                )
        return list(pairs.patches), pairs.grids

    def _project(self, patches: Sequence[torch.Tensor]) -> torch.Tensor:
        """I features (N_i, width) → (P, D)."""
        flat = torch.cat(list(patches)) if patches else self.encoder.words.weight.new_zeros(0, self.patches.width)
        return self.project(flat)

    def _lay_out(self, pairs: PairBatch, grids: torch.Tensor) -> Layout:
        side = self.shape.image_size // STRIDE
        return lay_out(attention_mask=pairs.attention_mask, grids=grids, owner=pairs.owner, side=side)

    def _mean_word(self, pairs: PairBatch) -> torch.Tensor:
        """(B, D): the mean embedding of each title's tokens."""
        shown = pairs.attention_mask[..., None].to(self.encoder.words.weight.dtype)  # (B, L, 1)
        return (self.encoder.words(pairs.input_ids) * shown).sum(1) / shown.sum(1).clamp(min=1)

    def _mean_patch(self, pairs: PairBatch, patches: Sequence[torch.Tensor]) -> torch.Tensor:
        """(B, width): the mean patch over a pair's pictures, each counted once; zero without any."""
        B, weight = len(pairs), self.encoder.words.weight
        sums = weight.new_zeros(B, self.patches.width)
        if not patches:
            return sums
        means = torch.stack([one.mean(0) for one in patches]).to(weight.dtype)  # (I, width)
        counts = torch.zeros(B, dtype=torch.int64, device=weight.device)
        counts = counts.index_add(0, pairs.owner, torch.ones_like(pairs.owner))
        return sums.index_add(0, pairs.owner, means) / counts[:, None].clamp(min=1)
