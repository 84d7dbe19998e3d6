"""Continued pre-training of ViLT on listings, labelled or not (Kim et al. 2021, section 3.2)."""

import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ml.data.bad_records import BadRecords
from ml.data.masking import mask_words
from ml.data.records import Dataset, DatasetError, Record
from ml.data.words import word_spans
from ml.models.inputs import PairBatch
from ml.objectives.image_text_matching import image_text_matching_loss
from ml.objectives.masked_language import IGNORE, masked_language_loss
from ml.objectives.matching import strange_partners
from ml.objectives.part import LossPart
from ml.objectives.word_patch_alignment import word_patch_alignment
from ml.serving.labels import Labels
from ml.serving.model_folder import ModelFolder
from ml.training.vilt_base import ViltData, ViltDraw, patch_parameters, preprocessing
from ml.training.vilt_config import ViltPretrainConfig
from ml.training.vilt_start import build_model

VALIDATION_SEED = 0


@dataclass(frozen=True)
class Example:
    """A title, its own pictures, and for the half that is to be told apart another listing's pictures."""

    title: str
    pictures: Sequence[torch.Tensor]
    others: Sequence[torch.Tensor] | None
    seed: int


class ViltPretrain:
    """See `ml.training.tasks.Task`. Learns from titles with pictures; what the listing shows is not asked for."""

    best: tuple[tuple[str, ...], Literal["higher", "lower"]] = (("loss",), "lower")
    learned_weights = False

    def __init__(
        self,
        config: ViltPretrainConfig,
        data: Dataset,
        *,
        work: Path,
        bad: BadRecords,
        tell: Callable[[int, int], None],
    ) -> None:
        self.config, self.data = config, data
        self.train = ViltData(config, data, split="train", bad=bad)
        self.val = ViltData(config, data, split="val", bad=bad)
        if not _has_strangers(self.train):
            raise DatasetError(
                f"{data.folder} has no two listings to train on that show different things: {len(self.train)} in all"
            )
        titles = (record.title for record in self.train)
        self.model, self.tokenizer = build_model(config, titles=titles, labels=Labels(brands=[], products=[]))
        self.weights = {"mlm": config.mlm_weight, "itm": config.itm_weight, "alignment": config.alignment_weight}
        self.examples = len(self.train)

    def plan(self, steps: int) -> Iterator[list[ViltDraw]]:
        for draws in self.train.plan(steps, batch_size=self.config.batch_size):
            yield with_partners(draws, data=self.train)

    def example(self, draw: ViltDraw) -> Example:
        return self._example(self.train, draw)

    def _example(self, data: ViltData, draw: ViltDraw) -> Example:
        record, pictures, _rng = data.drawn(draw)
        if draw.partner is None:
            return Example(record.title, pictures, None, draw.seed)
        other = replace(draw, index=draw.partner, seed=draw.seed + 1)
        return Example(record.title, pictures, data.drawn(other)[1], draw.seed)

    def collate(self, examples: Sequence[Example]) -> dict[str, Any]:
        tokens = self.tokenizer.encode([one.title for one in examples])
        masked, labels = mask_words(
            tokens,
            [word_spans(title) for title in tokens.titles],
            [random.Random(f"mask/{one.seed}") for one in examples],  # noqa: S311
            tokenizer=self.tokenizer,
            share=self.config.masked_words,
        )
        own = [picture for one in examples for picture in one.pictures]
        others = [picture for one in examples for picture in one.others or ()]
        first, stranger = 0, len(own)
        matched_pictures: list[int] = []  # which of `own + others` stand beside the titles in ITM
        matched_owner: list[int] = []
        for row, one in enumerate(examples):
            count = len(one.pictures) if one.others is None else len(one.others)
            start = first if one.others is None else stranger
            matched_pictures += range(start, start + count)
            matched_owner += [row] * count
            first += len(one.pictures)
            stranger += len(one.others or ())
        return {
            "masked_ids": masked,
            "labels": labels,
            "input_ids": tokens.input_ids,
            "attention_mask": tokens.attention_mask,
            "pixels": own + others,
            "owner": torch.tensor([row for row, one in enumerate(examples) for _ in one.pictures], dtype=torch.int64),
            "matched_pictures": torch.tensor(matched_pictures, dtype=torch.int64),
            "matched_owner": torch.tensor(matched_owner, dtype=torch.int64),
            "matched": torch.tensor([one.others is None for one in examples]),
        }

    def counts(self, batch: Mapping[str, Any]) -> dict[str, float]:
        pairs = float(len(batch["matched"]))
        return {"mlm": float((batch["labels"] != IGNORE).sum()), "itm": pairs, "alignment": pairs}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, LossPart]:
        parts, _right = self._forward(batch)
        return {name: part for name, part in parts.items() if self.weights[name]}

    def _forward(self, batch: Mapping[str, Any]) -> tuple[dict[str, LossPart], dict[str, int]]:
        """The parts of the loss, and how many words and pairs were told right. MLM always sees the own picture."""
        features, grids = self.model.extract(batch["pixels"])  # once for both forwards
        own = len(batch["owner"])
        masked = PairBatch(
            input_ids=batch["masked_ids"],
            attention_mask=batch["attention_mask"],
            patches=features[:own],
            grids=grids[:own],
            owner=batch["owner"],
        )
        hidden = self.model.encode(masked).text  # (B, L, D)
        asked = batch["labels"] != IGNORE  # (B, L)
        words, targets = self.model.mlm_logits(hidden[asked]), batch["labels"][asked]  # (M, vocabulary), (M,)
        chosen = batch["matched_pictures"]
        paired = PairBatch(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            patches=[features[index] for index in chosen.tolist()],
            grids=grids[chosen],
            owner=batch["matched_owner"],
        )
        encoded = self.model.encode(paired)
        pairs, matched = self.model.itm_logits(encoded.pooled), batch["matched"]  # (B, 2), (B,)
        special = torch.isin(
            batch["input_ids"], torch.tensor(sorted(self.tokenizer.special_ids), device=matched.device)
        )
        parts = {
            "mlm": masked_language_loss(words, targets),
            "itm": image_text_matching_loss(pairs, matched),
            "alignment": word_patch_alignment(
                encoded.text, encoded.text_mask.bool() & ~special, encoded.image, encoded.image_mask, matched
            ),
        }
        right = {
            "mlm": int((words.argmax(-1) == targets).sum()),
            "itm": int((pairs.argmax(-1).bool() == matched).sum()),
        }
        return parts, right

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return patch_parameters(self.model)

    @torch.inference_mode()
    def validate(self, tell: Callable[[int, int], None]) -> dict[str, float]:
        """Losses and accuracies on the val split, always on the same masks, partners and plain pictures."""
        if not _has_strangers(self.val):
            return {}
        was_training = self.model.training
        self.model.eval()
        device = next(self.model.parameters()).device
        totals = dict.fromkeys(self.weights, 0.0)
        counts, rights = dict.fromkeys(self.weights, 0.0), {"mlm": 0, "itm": 0}
        size = self.config.batch_size
        for start in range(0, len(self.val), size):
            rows = range(start, min(start + size, len(self.val)))
            draws = [ViltDraw(row, VALIDATION_SEED + row, self.config.pictures.size) for row in rows]
            if len(draws) < 2:
                continue
            examples = [self._plain(draw) for draw in with_partners(draws, data=self.val)]
            readable = [one for one in examples if one is not None]
            if not readable:
                continue
            batch = _moved(self.collate(readable), device)
            parts, right = self._forward(batch)
            for name, part in parts.items():
                totals[name] += float(part.total)
                counts[name] += self.counts(batch)[name]
            for name, hits in right.items():
                rights[name] += hits
            tell(min(start + size, len(self.val)), len(self.val))
        self.model.train(was_training)
        means = {name: totals[name] / max(1.0, counts[name]) for name in totals}
        return (
            {"loss": sum(self.weights[name] * mean for name, mean in means.items())}
            | {f"{name}_loss": mean for name, mean in means.items()}
            | {f"{name}_accuracy": hits / max(1.0, counts[name]) for name, hits in rights.items()}
        )

    def _plain(self, draw: ViltDraw) -> Example | None:
        own = self.val.plain(draw.index)
        other = self.val.plain(draw.partner) if draw.partner is not None else None
        if own is None or (draw.partner is not None and other is None):
            return None
        return Example(own[0].title, own[1], other[1] if other else None, draw.seed)

    def finish(self) -> ModelFolder:
        metrics = {
            "val": self.validate(lambda done, total: None),
            "train_records": len(self.train),
            "val_records": len(self.val),
        }
        return ModelFolder(
            model=self.model.cpu().eval(),
            tokenizer=self.tokenizer,
            labels=Labels(brands=[], products=[]),
            preprocessing=preprocessing(self.config),
            metrics=metrics,
        )


def with_partners(draws: Sequence[ViltDraw], *, data: ViltData) -> list[ViltDraw]:
    """Exactly half of the draws, each with another listing's row: its picture does not belong to the title.

    Listings of one product are no strangers to each other; unlabelled ones are told by their picture.
    """

    rng = random.Random(f"partners/{draws[0].seed}")  # noqa: S311 - an order, not secrecy
    partners = strange_partners(
        [draw.index for draw in draws], of=len(data), group=lambda row: _shown(data[row]), rng=rng
    )
    return [replace(draw, partner=partner) for draw, partner in zip(draws, partners, strict=True)]


def _shown(record: Record) -> Hashable:
    return record.product or record.images[:1]


def _has_strangers(data: ViltData) -> bool:
    """Whether any two listings show different things; looks no further than the second."""
    shown = (_shown(record) for record in data)
    first = next(shown, None)
    return any(other != first for other in shown)


def _moved(batch: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        name: [one.to(device) for one in value] if isinstance(value, list) else value.to(device)
        for name, value in batch.items()
    }
