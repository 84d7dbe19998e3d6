"""Fine-tuning ViLT: which brand and which product, from labelled listings."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from ml.data.bad_records import BadRecords
from ml.data.pairs import batch_of
from ml.data.records import Dataset, DatasetError, Record
from ml.metrics import Accuracy
from ml.metrics.confusion import worst_confusion
from ml.models.inputs import PairBatch
from ml.objectives.brand_product import IGNORE, brand_product_loss
from ml.objectives.class_balance import class_weights
from ml.objectives.part import LossPart
from ml.serving.labels import Labels
from ml.serving.model_folder import ModelFolder
from ml.training.vilt_base import ViltData, ViltDraw, patch_parameters, preprocessing
from ml.training.vilt_config import ViltFinetuneConfig
from ml.training.vilt_pairs import also_alone, with_pictures
from ml.training.vilt_start import build_model

EVALUATION_BATCH = 32


@dataclass(frozen=True)
class Example:
    """One pair with its classes; `pictures` holds pixels, or features where the network that makes them is frozen.

    Without `shown` the pictures go through the picture network and no further: so that every batch has as many, which
    is what its compiled form was made for.
    """

    title: str
    pictures: Sequence[torch.Tensor]
    shown: bool
    brand: int
    product: int


class ViltFinetune:
    """See `ml.training.tasks.Task`."""

    # Both ways: with titles alone the choice falls on a step whose pictures have hardly been learned.
    best: tuple[tuple[str, ...], Literal["higher", "lower"]] = (("product", "product_image_only"), "higher")

    def __init__(
        self,
        config: ViltFinetuneConfig,
        data: Dataset,
        *,
        work: Path,
        bad: BadRecords,
        tell: Callable[[int, int], None],
    ) -> None:
        self.config = config
        self.labels = Labels.of(data)
        self.train = ViltData(
            config, data, split="train", labels=self.labels, bad=bad, catalogue_views=config.catalogue_views
        )
        self.val = ViltData(config, data, split="val", labels=self.labels, bad=bad)
        _check(data, self.train)
        self.model, self.tokenizer = build_model(
            config, titles=(record.title for record in self.train), labels=self.labels
        )
        if config.pictures.views:
            total = len(self.train) + len(self.val)
            store, before = work / f"features-{os.getpid()}", len(self.train)
            self.train.keep_features(self.model, store=store, exact=False, tell=lambda done: tell(done, total))
            store = store.with_suffix(".val")  # measured as it is served, so exact
            self.val.keep_features(self.model, store=store, exact=True, tell=lambda done: tell(before + done, total))
            _check_readable(data, self.train)
        self.weights = {"brand": config.brand_weight, "product": config.product_weight}
        self.learned_weights = config.weighting == "learned"
        self.class_weights = self._class_weights()
        self.examples = len(self.train)
        self.untitled = self.tokenizer.encode([""]).input_ids[0]

    def _class_weights(self) -> dict[str, torch.Tensor]:
        brands = Counter(self.labels.brand_index[record.brand] for record in self.train)
        products = Counter(self.labels.product_index[record.product] for record in self.train)
        kind = self.config.class_balance
        return {
            "brand": class_weights([brands[row] for row in range(len(self.labels.brands))], kind=kind),
            "product": class_weights([products[row] for row in range(len(self.labels.products))], kind=kind),
        }

    def plan(self, steps: int) -> Iterator[list[ViltDraw]]:
        return self.train.plan(steps, batch_size=self.config.batch_size)

    def example(self, draw: ViltDraw) -> Example:
        record, pictures, rng = self.train.drawn(draw)
        fate = rng.random()
        title = "" if fate < self.config.drop_title else record.title
        hidden = self.config.drop_title <= fate < self.config.drop_title + self.config.drop_image
        return Example(
            title,
            pictures,
            shown=not hidden,
            brand=self.labels.brand_index[record.brand],
            product=self.labels.product_index[record.product],
        )

    def collate(self, examples: Sequence[Example]) -> dict[str, Any]:
        brands, products = [one.brand for one in examples], [one.product for one in examples]
        if self.config.picture_alone:
            brands += [one.brand if one.shown else IGNORE for one in examples]
            products += [one.product if one.shown else IGNORE for one in examples]
        return {
            "pairs": self._batch([(one.title, one.pictures) for one in examples]),
            "shown": torch.tensor([one.shown for one in examples for _ in one.pictures], dtype=torch.bool),
            "brand": torch.tensor(brands),
            "product": torch.tensor(products),
        }

    def counts(self, batch: Mapping[str, Any]) -> dict[str, float]:
        return {
            name: float(self.class_weights[name][batch[name][batch[name] != IGNORE]].sum())
            for name in ("brand", "product")
        }

    def losses(self, batch: Mapping[str, Any]) -> dict[str, LossPart]:
        pairs = with_pictures(batch["pairs"], batch["shown"], model=self.model)
        if self.config.picture_alone:
            pairs = also_alone(pairs, self.untitled.to(pairs.owner.device))
        output = self.model(pairs)
        device = output.product.device
        return brand_product_loss(
            brand_logits=output.brand,
            product_logits=output.product,
            brand_labels=batch["brand"],
            product_labels=batch["product"],
            brand_class_weights=self.class_weights["brand"].to(device),
            product_class_weights=self.class_weights["product"].to(device),
            label_smoothing=self.config.label_smoothing,
        )

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return patch_parameters(self.model)

    def validate(self, tell: Callable[[int, int], None]) -> dict[str, float]:
        answers = self._answers(tell)
        if not answers:
            return {}
        return {name: sum(hits) / len(hits) for name, hits in _hits(answers).items()}

    def finish(self) -> ModelFolder:
        answers = self._answers(lambda done, total: None)
        metrics: dict[str, Any] = {
            name: Accuracy(sum(hits), len(hits)).as_dict() for name, hits in _hits(answers).items()
        }
        metrics |= {
            "train_records": len(self.train),
            "val_records": len(self.val),
            "val_of_unknown_products": self.val.unknown,
        }
        if answers:
            index = self.labels.brand_index
            known = [one for one in answers if one.record.brand in index]
            metrics["confusion"] = worst_confusion(
                np.array([index[one.record.brand] for one in known], dtype=int),
                np.array([index[one.brand] for one in known], dtype=int),
                [brand["name"] for brand in self.labels.brands],
            )
        return ModelFolder(
            model=self.model.cpu().eval(),
            tokenizer=self.tokenizer,
            labels=self.labels,
            preprocessing=preprocessing(self.config),
            metrics=metrics,
        )

    @torch.inference_mode()
    def _answers(self, tell: Callable[[int, int], None]) -> "list[Answer]":
        """What the model says about the val split, with title and picture and from the picture alone."""
        was_training = self.model.training
        self.model.eval()
        answers: list[Answer] = []
        for start in range(0, len(self.val), EVALUATION_BATCH):
            asked = [self.val.plain(row) for row in range(start, min(start + EVALUATION_BATCH, len(self.val)))]
            rows = [one for one in asked if one is not None]
            both = self._answer([(record.title, pictures) for record, pictures in rows])
            alone = self._answer([("", pictures) for _record, pictures in rows])
            for (record, _pictures), (brand, product), (brand_alone, product_alone) in zip(
                rows, both, alone, strict=True
            ):
                answers.append(Answer(record, brand, product, brand_alone, product_alone))
            tell(len(answers), len(self.val))
        self.model.train(was_training)
        return answers

    def _batch(self, pairs: Sequence[tuple[str, Sequence[torch.Tensor]]]) -> PairBatch:
        return batch_of(self.tokenizer, pairs, as_features=bool(self.config.pictures.views))

    def _answer(self, pairs: Sequence[tuple[str, Sequence[torch.Tensor]]]) -> list[tuple[str, str]]:
        device = next(self.model.parameters()).device
        output = self.model(self._batch(pairs).to(device))
        brands, products = output.brand.argmax(-1).tolist(), output.product.argmax(-1).tolist()
        return [
            (self.labels.brands[brand]["id"], self.labels.products[product]["id"])
            for brand, product in zip(brands, products, strict=True)
        ]


@dataclass(frozen=True)
class Answer:
    """The ids answered for one record, with its title and without."""

    record: Record
    brand: str
    product: str
    brand_image_only: str
    product_image_only: str


def _hits(answers: Sequence[Answer]) -> dict[str, list[bool]]:
    return {
        "product": [one.product == one.record.product for one in answers],
        "brand": [one.brand == one.record.brand for one in answers],
        "product_image_only": [one.product_image_only == one.record.product for one in answers],
        "brand_image_only": [one.brand_image_only == one.record.brand for one in answers],
    }


def _check(data: Dataset, train: ViltData) -> None:
    if not len(train):
        raise DatasetError(f"{data.folder} has no training records: label and approve some listings first")
    if len({record.product for record in train}) < 2:
        raise DatasetError(
            f"{data.folder} has training records of one product only: at least 2 are needed, "
            "or there is nothing to tell apart"
        )


def _check_readable(data: Dataset, train: ViltData) -> None:
    """Known before the first step only where all pictures are read before it."""
    if len({train[row].product for row in range(len(train)) if train.pictures(row, seed=None, size=0)}) < 2:
        raise DatasetError(
            f"{data.folder} has pictures that can be read of fewer than 2 products, though records of more: at least 2 "
            "are needed. The log names each bad picture: fetch those listings again"
        )
