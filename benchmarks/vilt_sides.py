"""The two sides of `benchmarks.vilt`: transformers' ViLT as its documentation uses it, and ours, of like weights."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import nn
from transformers import ViltModel

from ml.models.inputs import PairBatch
from ml.models.layout import lay_out
from ml.models.patches import STRIDE
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.models.vilt_weights import to_transformers
from ml.objectives.brand_product import brand_product_loss
from ml.serving.lanes import part_size, share_out
from ml.serving.precision import Precision, computing_in

# Height × width as ViltImageProcessor makes them of squares, landscapes and portraits: the shorter side 384 unless the
# longer one became more than 639.
PICTURES = [(384, 384), (384, 512), (384, 384), (512, 384), (352, 608), (384, 576), (384, 384), (576, 384)]
TITLES = [12, 23, 8, 40, 17, 31, 9, 26]  # tokens
BRANDS, PRODUCTS = 9, 81
CPU = torch.device("cpu")
VILT_B32 = ViltConfig(
    vocabulary_size=30522,
    brands=BRANDS,
    products=PRODUCTS,
    hidden_size=768,
    layers=12,
    heads=12,
    intermediate_size=3072,
    image_size=384,
    dropout=0.0,
    patch_embedding="linear",
    train_patches=True,
    wide=False,
)
QUICK = replace(VILT_B32, vocabulary_size=5000, hidden_size=384, layers=3, heads=6, intermediate_size=1536)


@dataclass(frozen=True)
class Asked:
    """One batch: `pairs` as ours takes it, `padded` as transformers' processor pads it, with the right answers."""

    pairs: PairBatch
    padded: dict[str, torch.Tensor]
    brand: torch.Tensor
    product: torch.Tensor

    @cached_property
    def lengths(self) -> list[int]:
        """Tokens of each pair: title, image [CLS], patches."""
        assert self.pairs.pixels is not None
        patches = [pixels.shape[1] * pixels.shape[2] // STRIDE**2 for pixels in self.pairs.pixels]
        return [
            title + 1 + count for title, count in zip(self.pairs.attention_mask.sum(1).tolist(), patches, strict=True)
        ]


def parts_of(asked: Asked) -> list[Asked]:
    """The batch as the parts that serving's threads take."""
    pairs, size = asked.pairs, part_size(device=CPU, count=len(asked.pairs), batch_size=len(asked.pairs))
    assert pairs.pixels is not None
    parts = []
    for start in range(0, len(pairs), size):
        rows = slice(start, start + size)
        ids, mask = pairs.input_ids[rows], pairs.attention_mask[rows]
        part = replace(
            pairs, input_ids=ids, attention_mask=mask, pixels=pairs.pixels[rows], owner=torch.arange(len(ids))
        )
        padded = {name: values[rows] for name, values in asked.padded.items()}
        parts.append(Asked(pairs=part, padded=padded, brand=asked.brand[rows], product=asked.product[rows]))
    return parts


def make_batch(shape: ViltConfig) -> Asked:
    """Eight pairs of random words and pixels, always the same."""
    random = torch.Generator().manual_seed(0)
    B, L = len(TITLES), max(TITLES)
    mask = (torch.arange(L)[None] < torch.tensor(TITLES)[:, None]).long()  # (B, L)
    ids = torch.randint(5, shape.vocabulary_size, (B, L), generator=random) * mask
    pictures = [torch.rand(3, *size, generator=random) * 2 - 1 for size in PICTURES]
    height, width = (max(size[axis] for size in PICTURES) for axis in (0, 1))
    pixels, pixel_mask = torch.zeros(B, 3, height, width), torch.zeros(B, height, width, dtype=torch.int64)
    for row, picture in enumerate(pictures):
        pixels[row, :, : picture.shape[1], : picture.shape[2]] = picture
        pixel_mask[row, : picture.shape[1], : picture.shape[2]] = 1
    return Asked(
        pairs=PairBatch(input_ids=ids, attention_mask=mask, owner=torch.arange(B), pixels=pictures),
        padded={"input_ids": ids, "attention_mask": mask, "pixel_values": pixels, "pixel_mask": pixel_mask},
        brand=torch.randint(0, BRANDS, (B,), generator=random),
        product=torch.randint(0, PRODUCTS, (B,), generator=random),
    )


class Ours:
    def __init__(self, model: ViltMatcher) -> None:
        self.model = model

    def pooled(self, asked: Asked) -> torch.Tensor:
        pairs = asked.pairs
        patches, grids = self.model.extract(pairs.pixels or [])
        side = self.model.shape.image_size // STRIDE
        layout = lay_out(attention_mask=pairs.attention_mask, grids=grids, owner=pairs.owner, side=side)
        projected = self.model.project(torch.cat(patches))
        return self.model.encoder(input_ids=pairs.input_ids, patches=projected, layout=layout, only_pooled=True).pooled

    def pooled_in_lanes(self, parts: Sequence[Asked], precision: Precision) -> torch.Tensor:
        """As `ml.serving` computes on a CPU: each thread a part of its own."""
        answers: list[torch.Tensor] = [torch.empty(0)] * len(parts)

        @torch.inference_mode()
        def work(number: int) -> None:
            with computing_in(precision, device=CPU):
                answers[number] = self.pooled(parts[number]).float()

        share_out(work, range(len(parts)), device=CPU)
        return torch.cat(answers)

    def logits(self, asked: Asked) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(asked.pairs)
        return output.brand, output.product


class Theirs:
    def __init__(self, vilt: ViltModel, heads: nn.ModuleList) -> None:
        self.vilt, self.heads = vilt, heads
        self.module = nn.ModuleList([vilt, heads])

    @classmethod
    def of(cls, model: ViltMatcher) -> "Theirs":
        """The same weights, copied."""
        heads = nn.ModuleList([copy.deepcopy(model.brand_head), copy.deepcopy(model.product_head)])
        return cls(to_transformers(model).vilt, heads)

    def pooled(self, asked: Asked) -> torch.Tensor:
        return self.vilt(**asked.padded).pooler_output

    def logits(self, asked: Asked) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = self.pooled(asked)
        return self.heads[0](pooled), self.heads[1](pooled)


class Step:
    """A training step in float32: forward, the losses of brand and product, backward, AdamW."""

    def __init__(self, module: nn.Module, logits: Callable[[Asked], tuple[torch.Tensor, torch.Tensor]]) -> None:
        self.logits = logits
        self.optimiser = torch.optim.AdamW(module.parameters(), lr=1e-5)

    def __call__(self, asked: Asked) -> None:
        brand, product = self.logits(asked)
        losses = brand_product_loss(
            brand_logits=brand, product_logits=product, brand_labels=asked.brand, product_labels=asked.product
        )
        torch.stack([part.total / part.count for part in losses.values()]).sum().backward()
        self.optimiser.step()
        self.optimiser.zero_grad()


def flops(shape: ViltConfig, asked: Asked) -> float:
    """Operations of the products of one forward on the packed tokens; a multiplication with its addition is two.

    Projection of the patches; per layer qkv, out, up, down and the two products of attention; of the last layer all but
    keys and values for [CLS] alone. Norms, GELU and the heads are left out.
    """
    D, inner, B = shape.hidden_size, shape.intermediate_size, len(asked.pairs)
    T = sum(asked.lengths)
    patches = T - B - int(asked.pairs.attention_mask.sum())
    qkv, behind = 2 * D * 3 * D, 2 * D * D + 2 * 2 * D * inner  # for each token
    attention = sum(4 * length * length * D for length in asked.lengths)
    whole = T * (qkv + behind) + attention
    last = T * qkv + B * behind + 4 * T * D
    return 2 * patches * 3 * STRIDE * STRIDE * D + (shape.layers - 1) * whole + last
