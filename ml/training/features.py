"""The features of a frozen network, computed once for each view of each picture."""

import logging
import random
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path

import torch
from PIL import Image

from ml.data.images import PictureError, augment, load_image, to_tensor
from ml.data.records import DatasetError, Record
from ml.models.vilt import ViltMatcher
from ml.training.precision import trains_in_bfloat16

BATCH = 32
MAX_BAD_SHARE, MAX_BAD = 0.05, 10
log = logging.getLogger(__name__)


class Features:
    """Patch features of records, (records, views, N, width) in half or single precision. Indexing returns the row."""

    def __init__(self, records: list[Record], views: torch.Tensor, *, skipped: int) -> None:
        self.records, self.views, self.skipped = records, views, skipped

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, row: int) -> int:
        return row

    def first_view(self, row: int) -> torch.Tensor:
        """The picture as it is: (N, width) float32."""
        return self.views[row, 0].float()

    def view(self, row: int, rng: random.Random) -> torch.Tensor:
        """One of the views, by chance: (N, width) float32."""
        return self.views[row, rng.randrange(self.views.shape[1])].float()


@torch.inference_mode()
def extract_features(
    records: Sequence[Record],
    *,
    model: ViltMatcher,
    views: int,
    seed: int,
    exact: bool,
    store: Path,
    tell: Callable[[int], None],
) -> Features:
    """Decode, augment and run each picture through `model.extract`; `tell(done)` after each batch.

    The features are kept in the file `store`, which the system holds in memory while there is room: 125 kB a view at
    224 px in half precision; `exact` ones, as a predictor computes them, take twice that and longer. A picture that
    cannot be read is named in the log and left out. Raises DatasetError once more than MAX_BAD of them and more than
    MAX_BAD_SHARE of all are so.
    """
    device = next(model.parameters()).device
    quick = not exact and trains_in_bfloat16(device)
    shape = (len(records), views, model.shape.patches, model.extract.width)
    dtype = torch.float32 if exact else torch.half
    rows = torch.from_file(str(store), shared=True, size=prod(shape), dtype=dtype).view(shape)
    kept: list[Record] = []
    waiting: list[torch.Tensor] = []  # views of the records last kept, not yet run
    bad: list[str] = []

    def run_waiting() -> None:
        if waiting:
            with torch.autocast(device.type, torch.bfloat16, enabled=quick):
                features = model.extract(torch.stack(waiting).to(device))  # (records · views, N, width)
            first = len(kept) - len(waiting) // views
            rows[first : len(kept)] = features.to(dtype).cpu().unflatten(0, (-1, views))
            waiting.clear()

    for number, record in enumerate(records, 1):
        try:
            image = load_image(record.image)
        except PictureError as error:
            bad.append(record.id)
            log.warning("record %s is left out: %s: %s", record.id, record.image, error)
        else:
            rng = random.Random(f"{seed}/{record.id}")  # noqa: S311 - the same views whatever the order
            kept.append(record)
            waiting += [_view(image, index, rng=rng, size=model.shape.image_size) for index in range(views)]
        if len(waiting) >= BATCH or number == len(records):
            run_waiting()
            tell(number)
    if len(bad) > MAX_BAD and len(bad) > MAX_BAD_SHARE * len(records):
        raise DatasetError(f"{len(bad)} of {len(records)} pictures cannot be read, the first is of record {bad[0]}")
    return Features(kept, rows, skipped=len(bad))


def _view(image: Image.Image, index: int, *, rng: random.Random, size: int) -> torch.Tensor:
    return to_tensor(augment(image, rng=rng) if index else image, size=size)
