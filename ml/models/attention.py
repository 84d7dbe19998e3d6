"""Attention of packed sequences: of each to itself alone."""

import torch
from torch.nn import functional as F

from ml.models.packing import Packing


def attend(qkv: torch.Tensor, packing: Packing, *, heads: int, only_first: bool = False) -> torch.Tensor:
    """(T, 3·D), query, key and value side by side → (T, D), or (B, D) of each sequence's first token.

    On a CPU sequences of unequal length take turns: nothing is copied and nothing is computed for padding. Elsewhere,
    and where it is exported or compiled, they are padded to one call.
    """
    if packing.mask is not None and qkv.device.type == "cpu" and not torch.compiler.is_compiling():
        return _one_by_one(qkv, packing, heads=heads, only_first=only_first)
    query, key, value = packing.pad(qkv).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, S, d)
    if only_first:
        query = query[:, :, :1]
    seen = F.scaled_dot_product_attention(query, key, value, attn_mask=packing.mask)  # (B, H, S or 1, d)
    seen = seen.transpose(1, 2).flatten(2)  # (B, S or 1, D)
    return seen[:, 0] if only_first else packing.pack(seen)


def _one_by_one(qkv: torch.Tensor, packing: Packing, *, heads: int, only_first: bool) -> torch.Tensor:
    starts = packing.starts.tolist()
    lengths = [end - start for start, end in zip(starts, [*starts[1:], len(qkv)], strict=True)]
    seen = []
    for part in qkv.split(lengths):
        query, key, value = part.unflatten(1, (3, heads, -1)).permute(1, 2, 0, 3)[:, None]  # (1, H, S, d)
        one = F.scaled_dot_product_attention(query[:, :, :1] if only_first else query, key, value)
        seen.append(one[0].transpose(0, 1).flatten(1))  # (S or 1, D)
    return torch.cat(seen)
