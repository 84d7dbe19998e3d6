"""The features of a network that is not trained, computed once for each view of each picture."""

import random
from collections.abc import Callable
from math import prod
from pathlib import Path

import torch

from ml.models.vilt import ViltMatcher
from ml.training.precision import computes_in_bfloat16

BATCH = 32


class Features:
    """Patch features of pictures, kept in a file that the system holds in memory while there is room.

    125 kB a view at 224 px in half precision; `exact` ones, as a predictor computes them, take twice that and longer.
    """

    def __init__(self, store: Path, *, pictures: int, views: int, patches: int, width: int, exact: bool) -> None:
        shape = (pictures, views, patches, width)
        self.exact, self.views = exact, views
        dtype = torch.float32 if exact else torch.half
        self._kept = torch.from_file(str(store), shared=True, size=prod(shape), dtype=dtype).view(shape)
        # The mapping stays; whatever ends this process, nothing is left lying about. No pictures make no file.
        store.unlink(missing_ok=True)
        self._places: dict[int, list[int]] = {}  # of a row's pictures; rows without one that can be read have none
        self._used = 0

    def of(self, row: int, *, seed: int | None) -> list[torch.Tensor]:
        """(N, width) float32 for each picture of `row`: the first view, or with a seed any of them."""
        rng = random.Random(seed)  # noqa: S311 - augmentation, not secrecy
        view = 0 if seed is None else rng.randrange(self.views)
        return [self._kept[place, view].float() for place in self._places.get(row, [])]

    @torch.inference_mode()
    def add(self, rows: list[int], pixels: list[torch.Tensor], *, model: ViltMatcher) -> None:
        """Run pictures through the network: `pixels` holds `views` tensors for each of `rows`."""
        device = next(model.parameters()).device
        quick = not self.exact and computes_in_bfloat16(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=quick):
            features, _grids = model.extract([one.to(device) for one in pixels])
        first = self._used
        self._used += len(rows)
        kept = torch.stack(list(features)).unflatten(0, (-1, self.views))  # (pictures, views, N, width)
        self._kept[first : self._used] = kept.to(self._kept.dtype).cpu()
        for place, row in enumerate(rows, first):
            self._places.setdefault(row, []).append(place)


def keep_features(
    images: Callable[[int], list[list[torch.Tensor]]],
    *,
    rows: int,
    pictures: int,
    views: int,
    patches: int,
    model: ViltMatcher,
    exact: bool,
    store: Path,
    tell: Callable[[int], None],
) -> Features:
    """The features of `rows` rows; images(row) gives the views of each of its pictures that can be read."""
    features = Features(store, pictures=pictures, views=views, patches=patches, width=model.patches.width, exact=exact)
    waiting: list[tuple[int, list[torch.Tensor]]] = []

    def run() -> None:
        if waiting:
            features.add([row for row, _views in waiting], [one for _row, made in waiting for one in made], model=model)
            waiting.clear()

    for row in range(rows):
        waiting += [(row, made) for made in images(row)]
        if len(waiting) * views >= BATCH:
            run()
            tell(row + 1)
    run()
    tell(rows)
    return features
