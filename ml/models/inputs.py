"""What models of titles and pictures take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, kw_only=True)
class PairBatch:
    """B pairs of a title and 0, 1 or more pictures; I pictures in all.

    `input_ids`, `attention_mask` (B, L) int64. Pictures are either `pixels`, I tensors (3, H, W) whose H and W are
    multiples of 32 and may differ, or `patches`, I tensors (N_i, width) of features with their `grids` (I, 2) as rows ×
    columns. `owner` (I,) int64 is the pair that each picture belongs to. Raises ValueError for shapes that do not fit.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    owner: torch.Tensor
    pixels: Sequence[torch.Tensor] | None = None
    patches: Sequence[torch.Tensor] | None = None
    grids: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.input_ids.dim() != 2 or self.attention_mask.shape != self.input_ids.shape:
            raise ValueError(
                f"attention_mask has the shape {tuple(self.attention_mask.shape)} and input_ids "
                f"{tuple(self.input_ids.shape)}: both must be (B, L)"
            )
        pictures = self.pixels if self.pixels is not None else self.patches
        if (self.pixels is None) == (self.patches is None) or pictures is None:
            raise ValueError("a batch has either pixels or patches")
        if len(pictures) != len(self.owner):
            raise ValueError(f"{len(pictures)} pictures, but owner names the pairs of {len(self.owner)}")
        if (self.patches is None) != (self.grids is None):
            raise ValueError("patches come with their grids, and pixels without")
        if self.grids is not None and self.grids.shape != (len(pictures), 2):
            raise ValueError(f"grids has the shape {tuple(self.grids.shape)}, not ({len(pictures)}, 2)")

    def __len__(self) -> int:
        return len(self.input_ids)

    def to(self, device: torch.device | str) -> "PairBatch":
        """The same batch on `device`."""
        return replace(
            self,
            input_ids=self.input_ids.to(device),
            attention_mask=self.attention_mask.to(device),
            owner=self.owner.to(device),
            pixels=None if self.pixels is None else [one.to(device) for one in self.pixels],
            patches=None if self.patches is None else [one.to(device) for one in self.patches],
            grids=None if self.grids is None else self.grids.to(device),
        )
