"""ViLT's layers in 8-bit integers, for CPUs: four products in the time of one in float32.

Weights get one scale a row of the matrix, activations one a token (vector-wise quantisation, Dettmers et al. 2022,
"LLM.int8()", section 2), so that no token depends on others: x ≈ a·(q - z), W ≈ diag(w)·Q, x Wᵀ ≈ a·((q - z) Qᵀ)·w.
The sums are exact in int32. Norms, attention, GELU and what is added up stay float32.
"""

import torch
from torch import nn

from ml.models.attention import attend
from ml.models.packing import Packing
from ml.models.vilt_encoder import ViltLayer

ROWS = 256  # tokens at a time: what lies between two products stays in the caches
LEAST_GELU = -0.17  # of exact GELU, rounded down: -0.16997 at x = -0.7518


class Int8Linear(nn.Module):
    """x Wᵀ + b on tokens (T, K) → (T, N), both float32, as the `linear` it is made of, but for rounding.

    `least`: no value of x is below it. The 256 steps then reach from there to the token's greatest value; without it
    they reach to both sides of 0.
    """

    def __init__(self, linear: nn.Linear, *, least: float | None = None) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self.scale = weight.abs().amax(1).clamp(min=1e-12) / 127  # (N,)
        rounded = (weight / self.scale[:, None]).round().to(torch.int8)
        self.least, self.zero = least, 128 if least is None else 0
        self.bias = linear.bias.detach().float() + (least or 0.0) * self.scale * rounded.sum(1)  # (N,)
        self.packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self.no_offset = torch.zeros(len(weight), dtype=torch.int64)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.part(part) for part in tokens.split(ROWS)])

    def part(self, tokens: torch.Tensor, *, out: torch.Tensor | None = None) -> torch.Tensor:
        """As `forward`, for few tokens; into `out` if given."""
        greatest = tokens.amax(1, keepdim=True)  # (T, 1)
        if self.least is None:
            scale = torch.maximum(greatest, -tokens.amin(1, keepdim=True)).clamp_(min=1e-12) / 127
            steps = (tokens * scale.reciprocal()).add_(128.5)  # what follows cuts off, so this rounds half up
        else:
            scale = (greatest - self.least).clamp_(min=1e-12) / 255
            steps = (tokens * scale.reciprocal()).add_(0.5 - self.least / scale)
        product = self.product(steps.to(torch.uint8))  # (T, N)
        return torch.add(product.mul_(scale), self.bias, out=out)

    def product(self, steps: torch.Tensor) -> torch.Tensor:
        """(T, K) uint8 → (T, N) float32: (q - z) Qᵀ·w."""
        return torch.ops.onednn.qlinear_pointwise(
            steps,
            1.0,
            self.zero,
            self.packed,
            self.scale,
            self.no_offset,
            None,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )


class Int8ViltLayer(nn.Module):
    """A ViltLayer that answers, and does not learn."""

    def __init__(self, layer: ViltLayer) -> None:
        super().__init__()
        self.heads = layer.heads
        self.norm_before, self.norm_after = layer.norm_before, layer.norm_after
        self.qkv, self.out = Int8Linear(layer.qkv), Int8Linear(layer.out)
        self.up, self.down = Int8Linear(layer.up), Int8Linear(layer.down, least=LEAST_GELU)

    def forward(self, tokens: torch.Tensor, packing: Packing, *, only_first: bool = False) -> torch.Tensor:
        """As ViltLayer's."""
        qkv = tokens.new_empty(len(tokens), 3 * tokens.shape[1])
        for part, out in zip(tokens.split(ROWS), qkv.split(ROWS), strict=True):
            self.qkv.part(self.norm_before(part), out=out)
        seen = attend(qkv, packing, heads=self.heads, only_first=only_first)
        if only_first:
            tokens = tokens[packing.starts]
        answer = torch.empty_like(tokens)
        for part, those, out in zip(tokens.split(ROWS), seen.split(ROWS), answer.split(ROWS), strict=True):
            self._behind_attention(part, those, out=out)
        return answer

    def _behind_attention(self, tokens: torch.Tensor, seen: torch.Tensor, *, out: torch.Tensor) -> None:
        """(T, D), (T, D) → `out` (T, D)."""
        tokens = self.out.part(seen).add_(tokens)
        inner = torch.ops.aten.gelu_(self.up.part(self.norm_after(tokens)))  # (T, intermediate)
        torch.add(self.down.part(inner), tokens, out=out)
