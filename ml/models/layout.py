"""Where each token of a batch of pairs stands, from masks and sizes alone.

It is worked out on the host, where sizes are numbers: the network then is nothing but tensors, so it can be exported
and compiled, and a GPU waits once for a batch.
"""

from dataclasses import dataclass

import torch

from ml.models.packing import Packing, pack_lengths


@dataclass(frozen=True)
class Layout:
    """B pairs with W title tokens, and I pictures with P patches in all, on G places; T = W + I + P tokens.

    All int64 but the shares. `words` (W,): the place b·L + l of each token that a title shows.
    `contents` (I + P,): what each token of the pictures is, 0 for an image [CLS], else 1 + the patch;
    `places` (I + P,): where it stands, a row of `corners` and `shares` (1 + G, 4): the learned positions that it lies
    between, and how near each is. `order` (T,): all words and then all tokens of the pictures, as they follow each
    other in the sequences; `packing` of these.
    """

    words: torch.Tensor
    contents: torch.Tensor
    places: torch.Tensor
    corners: torch.Tensor
    shares: torch.Tensor
    order: torch.Tensor
    packing: Packing

    @property
    def is_word(self) -> torch.Tensor:
        """(T,) bool, in the order of the sequences."""
        return self.order < len(self.words)

    @property
    def is_patch(self) -> torch.Tensor:
        """(T,) bool, in the order of the sequences; an image [CLS] is no patch."""
        return torch.cat([torch.zeros_like(self.words), self.contents])[self.order] > 0

    def to(self, device: torch.device | str) -> "Layout":
        """The same layout on `device`."""
        return Layout(
            words=self.words.to(device),
            contents=self.contents.to(device),
            places=self.places.to(device),
            corners=self.corners.to(device),
            shares=self.shares.to(device),
            order=self.order.to(device),
            packing=self.packing.to(device),
        )


def lay_out(*, attention_mask: torch.Tensor, grids: torch.Tensor, owner: torch.Tensor, side: int) -> Layout:
    """The layout of titles with `attention_mask` (B, L) and of pictures with `grids` (I, 2) of rows and columns.

    `owner` (I,) int64 is the pair of each picture; the position embeddings were learned on side × side patches.
    It lies on the mask's device. Raises ValueError for a grid without patches, for an owner that is no pair, and for a
    pair with neither a title nor a picture.
    """
    device = attention_mask.device
    mask, grids, owner = attention_mask.cpu().bool(), grids.cpu(), owner.cpu()
    _check(mask, grids, owner)
    lengths = 1 + grids.prod(1)  # (I,) tokens of each picture
    packing = pack_lengths(mask.sum(1).index_add(0, owner, lengths))
    pairs = torch.cat([mask.nonzero()[:, 0], owner.repeat_interleave(lengths)])  # (T,) the pair of each token
    order = pairs.argsort(stable=True)  # so a pair's title comes first, then its pictures as they were given
    is_patch = torch.ones(int(lengths.sum()), dtype=torch.bool)
    is_patch[lengths.cumsum(0) - lengths] = False
    contents = is_patch.cumsum(0) * is_patch  # (I + P,)
    places, corners, shares = _places([(rows, columns) for rows, columns in grids.tolist()], side)
    words = mask.flatten().nonzero()[:, 0]
    layout = Layout(words, contents, places, corners, shares, order, packing)
    return layout if device.type == "cpu" else layout.to(device)


def _check(mask: torch.Tensor, grids: torch.Tensor, owner: torch.Tensor) -> None:
    B = len(mask)
    for number, grid in enumerate(grids.tolist()):
        if min(grid) < 1:
            raise ValueError(f"grids[{number}]={tuple(grid)} holds no patches")
    for number, pair in enumerate(owner.tolist()):
        if not 0 <= pair < B:
            raise ValueError(f"owner[{number}]={pair} is none of the batch's {B} pairs")
    seen = mask.any(1)
    seen[owner] = True
    if not seen.all():
        raise ValueError(f"pair {int(seen.long().argmin())} has neither a title nor a picture")


def _places(grids: list[tuple[int, int]], side: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Places (I + P,), corners and shares (1 + G, 4), whose first row is the image [CLS]'s own position."""
    corners, shares = [torch.zeros(1, 4, dtype=torch.int64)], [torch.tensor([[1.0, 0.0, 0.0, 0.0]])]
    first: dict[tuple[int, int], int] = {}
    count = 1
    for rows, columns in dict.fromkeys(grids):
        first[rows, columns] = count
        count += rows * columns
        corner, share = _stretch(rows, columns, side)
        corners.append(1 + corner)
        shares.append(share)
    places = [torch.empty(0, dtype=torch.int64)]
    for grid in grids:
        places += [torch.zeros(1, dtype=torch.int64), first[grid] + torch.arange(grid[0] * grid[1])]
    return torch.cat(places), torch.cat(corners), torch.cat(shares)


def _stretch(rows: int, columns: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Corners and shares (rows·columns, 4) of a grid laid over side × side positions, corner on corner (bilinear)."""
    up, down, low = (one[:, None] for one in _between(rows, side))  # (rows, 1)
    left, right, far = (one[None, :] for one in _between(columns, side))  # (1, columns)
    corners = [up * side + left, up * side + right, down * side + left, down * side + right]
    shares = [(1 - low) * (1 - far), (1 - low) * far, low * (1 - far), low * far]
    return torch.stack(corners, -1).flatten(0, 1), torch.stack(shares, -1).flatten(0, 1)


def _between(count: int, side: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each of `count` points from the first to the last of `side`: the one before, the one behind, and how far."""
    at = torch.arange(count) * ((side - 1) / max(1, count - 1))  # (count,)
    before = at.long().clamp(max=side - 1)
    return before, (before + 1).clamp(max=side - 1), at - before
