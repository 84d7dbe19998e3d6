"""What ViLT's two trainings share: examples read by draw, the model to start from, batches."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import nn

from ml.data.bad_records import BadRecords
from ml.data.batches import plan_batches
from ml.data.images import PictureError, load_image
from ml.data.preprocessing import Preprocessing
from ml.data.records import Dataset, Record
from ml.models.vilt import ViltMatcher
from ml.serving.labels import Labels
from ml.training.features import Features, keep_features
from ml.training.vilt_config import STRIDE, ViltConfigBase
from ml.training.vilt_pictures import augmented


@dataclass(frozen=True)
class ViltDraw:
    """One example of a step: a row, the seed of its augmentation, the size of a square picture.

    `partner` is the row whose picture stands beside this row's title to be told from its own.
    """

    index: int
    seed: int
    size: int
    partner: int | None = None


class ViltData:
    """One split, as records and as pictures. A picture that cannot be read is reported, once, and passed over."""

    def __init__(
        self,
        config: ViltConfigBase,
        data: Dataset,
        *,
        split: str,
        bad: BadRecords,
        labels: Labels | None = None,
        catalogue_views: int = 0,
    ) -> None:
        self.config, self.data, self.bad = config, data, bad
        self.preprocessing = preprocessing(config)
        self.records = data.split(split, labelled=labels is not None)
        self.unknown = 0
        if labels is not None and split != "train":
            known = [labels.knows(list(data.products)[product]) for product in self.records.products]
            self.unknown = len(known) - sum(known)
            self.records = self.records.take(np.asarray(known, dtype=bool))
        self.bad.total += len(self.records)
        self.catalogue = _catalogue_records(data, labels) * catalogue_views if labels is not None else []
        self.features: Features | None = None
        self._bad_pictures: set[tuple[int, int]] = set()

    def __len__(self) -> int:
        return len(self.records) + len(self.catalogue)

    def __getitem__(self, row: int) -> Record:
        return self.records[row] if row < len(self.records) else self.catalogue[row - len(self.records)]

    def __iter__(self) -> Iterator[Record]:
        return chain(self.records, self.catalogue)

    def plan(self, steps: int, *, batch_size: int) -> Iterator[list[ViltDraw]]:
        """The draws of each step; pairs with titles of like length and pictures of like shape come together."""
        batches = plan_batches(
            np.append(self.records.title_lengths, [len(record.title) for record in self.catalogue]),
            np.append(self.records.shapes, [[0, 0] for _record in self.catalogue] or np.empty((0, 2)), axis=0),
            batch_size=batch_size,
            seed=self.config.seed,
            steps=steps,
        )
        for step, draws in enumerate(batches):
            size = self.config.pictures.train_size(step / steps)
            yield [ViltDraw(draw.index, draw.seed, size) for draw in draws]

    def drawn(self, draw: ViltDraw) -> tuple[Record, list[torch.Tensor], random.Random]:
        """A training example: its record, its pictures augmented, and the generator for what else is drawn.

        A row none of whose pictures can be read is replaced by the next one that has some.
        """
        for step in range(len(self)):
            row = (draw.index + step) % len(self)
            pictures = self.pictures(row, seed=draw.seed, size=draw.size)
            if pictures:
                return self[row], pictures, random.Random(draw.seed)  # noqa: S311 - augmentation, not secrecy
        raise AssertionError("BadRecords lets no training go on without a single picture")

    def plain(self, row: int) -> tuple[Record, list[torch.Tensor]] | None:
        """A record and its pictures as they are served; None when none of them can be read."""
        pictures = self.pictures(row, seed=None, size=0)
        return (self[row], pictures) if pictures else None

    def pictures(self, row: int, *, seed: int | None, size: int) -> list[torch.Tensor]:
        """The pictures of a row that can be read: pixels, or kept features; as they are served without a seed."""
        if self.features is not None:
            return self.features.of(row, seed=seed)
        images = self.images(row)
        if seed is None:
            return [self.preprocessing.pixels(image) for image in images]
        rng = random.Random(f"pictures/{seed}")  # noqa: S311
        change = partial(augmented, settings=self.config.pictures, preprocessing=self.preprocessing, size=size, rng=rng)
        return [change(image) for image in images]

    def images(self, row: int) -> list[Image.Image]:
        """The pictures of a row that can be read."""
        record, images = self[row], []
        for number, ref in enumerate(record.images):
            try:
                images.append(load_image(self.data.picture(ref)))
            except PictureError as error:
                if (row, number) not in self._bad_pictures:
                    self._bad_pictures.add((row, number))
                    self.bad.report(record.id, f"{ref}: {error}")
        return images

    def keep_features(self, model: ViltMatcher, *, store: Path, exact: bool, tell: Callable[[int], None]) -> None:
        """Compute the features of all pictures now: `exact` ones as they are served, in one view, or as configured."""
        views = 1 if exact else self.config.pictures.views

        def images(row: int) -> list[list[torch.Tensor]]:
            rng = random.Random(f"{self.config.seed}/{self[row].id}")  # noqa: S311 - the same views whatever the order
            size = self.config.pictures.size
            change = partial(
                augmented, settings=self.config.pictures, preprocessing=self.preprocessing, size=size, rng=rng
            )
            plain = self.preprocessing.pixels
            return [[plain(image), *(change(image) for _ in range(views - 1))] for image in self.images(row)]

        self.features = keep_features(
            images,
            rows=len(self),
            pictures=sum(len(record.images) for record in self),
            views=views,
            patches=(self.config.pictures.size // STRIDE) ** 2,
            model=model,
            exact=exact,
            store=store,
            tell=tell,
        )


def preprocessing(config: ViltConfigBase) -> Preprocessing:
    """What the pictures of a configuration become."""
    settings = config.pictures
    normalisation: Literal["lite", "vilt"] = "vilt" if config.model.patch_embedding == "linear" else "lite"
    return Preprocessing(
        shape=settings.shape, size=settings.size, longest=settings.longest, normalisation=normalisation
    )


def _catalogue_records(data: Dataset, labels: Labels) -> list[Record]:
    """The catalogue's own pictures and descriptions as listings of its products."""
    known = [product for product in data.products.values() if product.id in labels.product_index and product.images]
    return [
        Record(
            id=f"catalogue {product.id}",
            images=product.images,
            title=f"{product.name} {product.description}".strip(),
            brand=product.brand,
            product=product.id,
            split="train",
            width=0,
            height=0,
        )
        for product in known
        if product.brand in labels.brand_index
    ]


def patch_parameters(model: ViltMatcher) -> dict[str, list[nn.Parameter]]:
    """The picture network's parameters apart: what is already trained takes smaller steps."""
    patches = list(model.patches.parameters())
    known = {id(one) for one in patches}
    return {"": [one for one in model.parameters() if id(one) not in known], "patches": patches}
