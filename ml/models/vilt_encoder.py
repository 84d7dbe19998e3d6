"""ViLT's transformer on packed tokens (Kim, Son & Kim 2021, section 3.1): the weights of transformers' ViltModel.

A pair is one sequence: the tokens of its title, then for each picture an image [CLS] and its patches. Nothing is padded
but inside attention, and nothing is drawn by chance: all patches are seen.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from ml.models.attention import attend
from ml.models.layout import Layout
from ml.models.packing import Packing


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The shape of a ViltEncoder; `grid` is how many patches a side the position embeddings were made for."""

    vocabulary_size: int
    hidden_size: int = 768
    layers: int = 12
    heads: int = 12
    intermediate_size: int = 3072
    max_tokens: int = 40
    grid: int = 12
    dropout: float = 0.0
    layer_norm_eps: float = 1e-12


class ViltLayer(nn.Module):
    """One pre-norm layer: x + attention(norm(x)), then x + mlp(norm(x)); (T, D) → (T, D)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        D, eps = config.hidden_size, config.layer_norm_eps
        self.norm_before = nn.LayerNorm(D, eps=eps)
        self.qkv = nn.Linear(D, 3 * D)
        self.out = nn.Linear(D, D)
        self.norm_after = nn.LayerNorm(D, eps=eps)
        self.up = nn.Linear(D, config.intermediate_size)
        self.down = nn.Linear(config.intermediate_size, D)

    def forward(self, tokens: torch.Tensor, packing: Packing, *, only_first: bool = False) -> torch.Tensor:
        """(T, D) → (T, D), or (B, D) of each sequence's first token, which sees all others, with `only_first`."""
        qkv = self.qkv(self.norm_before(tokens))  # (T, 3·D)
        seen = attend(qkv, packing, heads=self.heads, only_first=only_first)  # (T or B, D)
        if only_first:
            tokens = tokens.index_select(0, packing.starts)
        tokens = tokens + F.dropout(self.out(seen), self.dropout, self.training)
        inner = F.gelu(self.up(self.norm_after(tokens)))  # (T, intermediate)
        return tokens + F.dropout(self.down(inner), self.dropout, self.training)


@dataclass(frozen=True)
class PackedOutput:
    """`tokens` (T, D) after the last norm, in the order of the layout, or None; `pooled` (B, D)."""

    tokens: torch.Tensor | None
    pooled: torch.Tensor


class ViltEncoder(nn.Module):
    """Tokens and projected patches in, contextual tokens and the pooled [CLS] out."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        D, eps = config.hidden_size, config.layer_norm_eps
        self.words = nn.Embedding(config.vocabulary_size, D)
        self.positions = nn.Embedding(config.max_tokens, D)
        self.text_type = nn.Parameter(torch.zeros(D))  # BERT's token type 0, the only one in use
        self.text_norm = nn.LayerNorm(D, eps=eps)
        self.modality = nn.Embedding(2, D)  # text, picture
        self.image_cls = nn.Parameter(torch.zeros(D))
        self.image_positions = nn.Parameter(torch.zeros(1 + config.grid**2, D))
        self.layers = nn.ModuleList(ViltLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(D, eps=eps)
        self.pooler = nn.Linear(D, D)
        self.apply(_init)
        for parameter in (self.image_cls, self.image_positions, self.text_type):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(
        self, *, input_ids: torch.Tensor, patches: torch.Tensor, layout: Layout, only_pooled: bool = False
    ) -> PackedOutput:
        """`input_ids` (B, L) and `patches` (P, D), projected, of all pictures one after the other, in their `layout`.

        With `only_pooled` the last layer is computed for each sequence's first token alone. Nothing here depends on
        values, so one export answers batches of all sizes. Raises ValueError for titles longer than max_tokens.
        """
        if input_ids.shape[1] > self.config.max_tokens:
            raise ValueError(
                f"titles of {input_ids.shape[1]} tokens are longer than max_tokens={self.config.max_tokens}"
            )
        pieces = torch.cat([self._embed_words(input_ids, layout), self._embed_pictures(patches, layout)])
        tokens, packing = pieces.index_select(0, layout.order), layout.packing  # (T, D)
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            tokens = layer(tokens, packing, only_first=only_pooled and number == last)
        tokens = self.norm(tokens)
        first = tokens if only_pooled else tokens.index_select(0, packing.starts)  # (B, D)
        return PackedOutput(None if only_pooled else tokens, torch.tanh(self.pooler(first)))

    def _embed_words(self, input_ids: torch.Tensor, layout: Layout) -> torch.Tensor:
        """(B, L) → (W, D): the words that are shown."""
        ids = input_ids.flatten().index_select(0, layout.words)  # (W,)
        embedded = self.words(ids) + self.text_type + self.positions(layout.words % input_ids.shape[1])
        embedded = F.dropout(self.text_norm(embedded), self.config.dropout, self.training)
        return embedded + self.modality.weight[0]

    def _embed_pictures(self, patches: torch.Tensor, layout: Layout) -> torch.Tensor:
        """(P, D) → (I + P, D): each picture's patches behind an image [CLS], all with their places."""
        learned = F.embedding(layout.corners, self.image_positions)  # (1 + G, 4, D)
        positions = (learned * layout.shares[..., None].to(learned.dtype)).sum(1)  # (1 + G, D)
        # embedding, not index_select: pictures share places and [CLS], whose gradients it adds up in a fixed order
        contents = F.embedding(layout.contents, torch.cat([self.image_cls[None], patches]))  # (I + P, D)
        embedded = contents + F.embedding(layout.places, positions)
        return F.dropout(embedded, self.config.dropout, self.training) + self.modality.weight[1]


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.trunc_normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
