"""Sequences of unequal length, one after the other without padding: where each begins, and how attention sees them.

Linear layers and norms run on the packed tokens (T, D). Only attention, a few per cent of the work, looks at sequences
apart, see `ml.models.attention`.
"""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Packing:
    """The layout of B sequences of T tokens in all, padded to S.

    `starts` (B,) int64: the first token of each. `slots` (T,) int64: the place b·S + s of each token in the padded
    form. `mask` (B, 1, 1, S): True for tokens. Where all sequences are equally long, nothing is padded: `slots` and
    `mask` are None.
    """

    starts: torch.Tensor
    slots: torch.Tensor | None
    mask: torch.Tensor | None

    def pad(self, packed: torch.Tensor) -> torch.Tensor:
        """(T, …) → (B, S, …), zero where there is no token."""
        B = self.starts.shape[0]  # not len(), which exporting would take for a constant
        if self.slots is None or self.mask is None:
            return packed.unflatten(0, (B, -1))
        S = self.mask.shape[-1]
        return packed.new_zeros(B * S, *packed.shape[1:]).index_copy(0, self.slots, packed).unflatten(0, (B, S))

    def pack(self, padded: torch.Tensor) -> torch.Tensor:
        """(B, S, …) → (T, …)."""
        flat = padded.flatten(0, 1)
        return flat if self.slots is None else flat.index_select(0, self.slots)

    def to(self, device: torch.device | str) -> "Packing":
        """The same layout on `device`."""
        return replace(
            self,
            starts=self.starts.to(device),
            slots=None if self.slots is None else self.slots.to(device),
            mask=None if self.mask is None else self.mask.to(device),
        )


def pack_lengths(lengths: torch.Tensor) -> Packing:
    """The layout of sequences of `lengths` (B,) int64. Raises ValueError for none, or for one without a token."""
    if not len(lengths):
        raise ValueError("no sequences to pack")
    if int(lengths.min()) < 1:
        raise ValueError(f"sequence {int(lengths.argmin())} has {int(lengths.min())} tokens, fewer than 1")
    starts = lengths.cumsum(0) - lengths  # (B,)
    longest = int(lengths.max())
    if bool((lengths == longest).all()):
        return Packing(starts, None, None)
    mask = torch.arange(longest, device=lengths.device)[None, :] < lengths[:, None]  # (B, S)
    return Packing(starts, mask.flatten().nonzero()[:, 0], mask[:, None, None, :])
