"""Training a ViltMatcher on transformers' Trainer, with the frozen patch features computed once."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from ml.data.records import Dataset, DatasetError, Record
from ml.data.tokenizer import encode, train_tokenizer
from ml.metrics import Accuracy
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.objectives.brand_product import BrandProductLoss, brand_product_loss
from ml.serving.model_folder import Labels, ModelFolder
from ml.training.config import TrainConfig
from ml.training.features import Features, extract_features
from ml.training.precision import trains_in_bfloat16
from ml.training.progress import Stage, TrainingProgress

EVALUATION_BATCH = 64
Tell = Callable[[TrainingProgress], None]


def train_vilt(config: TrainConfig, data: Dataset, *, scratch: Path, tell: Tell) -> ModelFolder:
    """A trained model with its tokenizer, labels and figures, not yet on disk. `tell` may raise to stop it."""
    set_seed(config.seed)
    started = time.monotonic()
    records = data.split("train")
    labels = Labels.of(data, records)
    tokenizer = train_tokenizer(
        [record.title for record in records],
        vocabulary_size=config.model.vocabulary_size,
        max_tokens=config.model.max_tokens,
    )
    shape = vars(config.model) | {"vocabulary_size": tokenizer.get_vocab_size()}
    model = ViltMatcher(ViltConfig(brands=len(labels.brands), products=len(labels.products), **shape))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    steps = min(config.max_steps, max(1, config.epochs * len(records) // config.batch_size))

    known = [record for record in data.split("val") if record.product in labels.product_index]

    def features_of(part: list[Record], *, views: int, before: int, exact: bool) -> Features:
        def tell_pictures(done: int) -> None:
            tell(TrainingProgress(stage="features", step=before + done, total_steps=len(records) + len(known)))

        return extract_features(
            part,
            model=model,
            views=views,
            seed=config.seed,
            exact=exact,
            store=scratch / f"features-{before}",
            tell=tell_pictures,
        )

    train_features = features_of(records, views=config.views, before=0, exact=False)
    if len({record.product for record in train_features.records}) < 2:
        raise DatasetError(
            f"{data.folder} has pictures that can be read of fewer than 2 products, though records of more: at least 2 "
            "are needed. The log names each bad picture: fetch those listings again"
        )
    # Measured as it is served.
    val_features = features_of(known, views=1, before=len(records), exact=True)
    arguments = TrainingArguments(
        output_dir=str(scratch / "trainer"),
        max_steps=steps,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        adam_beta2=0.98,
        warmup_steps=int(config.warmup_share * steps),
        lr_scheduler_type="linear",
        use_cpu=device.type == "cpu",
        bf16=trains_in_bfloat16(device),
        seed=config.seed,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=device.type == "cuda",
    )
    progress = TellEachStep(tell, steps=steps)
    trainer = MatcherTrainer(
        model=model,
        args=arguments,
        train_dataset=train_features,
        data_collator=Collator(config, tokenizer=tokenizer, labels=labels, features=train_features),
        config=config,
        progress=progress,
    )
    trainer.train()
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # its bfloat16 stays on `forward` otherwise
    tell(progress.told("evaluating", step=steps))
    metrics = evaluate(model, val_features, tokenizer=tokenizer, labels=labels)
    metrics |= {
        "train_records": len(train_features),
        "val_of_unknown_products": len(data.split("val")) - len(known),
        "skipped_pictures": train_features.skipped + val_features.skipped,
        "steps": steps,
        "minutes": round((time.monotonic() - started) / 60, 3),
    }
    accuracy = metrics["product"]["accuracy"]
    tell(replace(progress.told("saving", step=steps), val_product_accuracy=accuracy, seconds_left=0))
    return ModelFolder(model=model.cpu().eval(), tokenizer=tokenizer, labels=labels, metrics=metrics)


class MatcherTrainer(Trainer):
    """transformers' Trainer with our loss, whose parts `progress` tells; it prints nothing of its own."""

    def __init__(self, *, config: TrainConfig, progress: "TellEachStep", **kwargs: Any) -> None:
        super().__init__(callbacks=[progress], **kwargs)
        self.config, self.progress = config, progress
        self.remove_callback(PrinterCallback)  # standard output belongs to the caller

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], *args: Any, **kwargs: Any) -> torch.Tensor:
        brand_labels, product_labels = inputs.pop("brand_labels"), inputs.pop("product_labels")
        output = model(**inputs)
        loss = brand_product_loss(
            brand_logits=output.brand,
            product_logits=output.product,
            brand_labels=brand_labels,
            product_labels=product_labels,
            brand_weight=self.config.brand_weight,
            product_weight=self.config.product_weight,
            label_smoothing=self.config.label_smoothing,
        )
        self.progress.loss = loss
        return loss.total


class TellEachStep(TrainerCallback):
    """After each step, tell the progress; what `tell` raises ends the training."""

    loss: BrandProductLoss | None = None

    def __init__(self, tell: Tell, *, steps: int) -> None:
        self.tell, self.steps, self.started = tell, steps, time.monotonic()

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.started = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        step = state.global_step
        left = (time.monotonic() - self.started) / step * (self.steps - step)
        self.tell(replace(self.told("training", step=step), seconds_left=left))

    def told(self, stage: Stage, *, step: int) -> TrainingProgress:
        """Where the training stands, with the losses of its last step."""
        return TrainingProgress(
            stage=stage,
            step=step,
            total_steps=self.steps,
            loss=self.loss.total.item() if self.loss else None,
            brand_loss=self.loss.brand.item() if self.loss else None,
            product_loss=self.loss.product.item() if self.loss else None,
        )


class Collator:
    """Rows of `Features` into a batch: a random view of each picture, now and then no title or no picture."""

    def __init__(self, config: TrainConfig, *, tokenizer: Any, labels: Labels, features: Features) -> None:
        self.config, self.tokenizer, self.labels, self.features = config, tokenizer, labels, features
        self.rng = random.Random(config.seed)  # noqa: S311 - augmentation, not secrecy

    def __call__(self, rows: list[int]) -> dict[str, torch.Tensor]:
        fates = [self.rng.random() for _ in rows]
        records = [self.features.records[row] for row in rows]
        without_title = self.config.drop_title
        titles = ["" if fate < without_title else record.title for fate, record in zip(fates, records, strict=True)]
        input_ids, attention_mask = encode(self.tokenizer, titles)
        patches = torch.stack([self.features.view(row, self.rng) for row in rows])  # (B, N, width)
        seen = torch.tensor([not without_title <= fate < without_title + self.config.drop_image for fate in fates])
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "patches": patches,
            "patch_mask": seen[:, None].expand(-1, patches.shape[1]).long(),  # (B, N)
            **label_tensors(records, self.labels),
        }


def label_tensors(records: list[Record], labels: Labels) -> dict[str, torch.Tensor]:
    """Class indices (B,) of brand and product."""
    return {
        "brand_labels": torch.tensor([labels.brand_index[record.brand] for record in records]),
        "product_labels": torch.tensor([labels.product_index[record.product] for record in records]),
    }


@torch.inference_mode()
def evaluate(model: ViltMatcher, features: Features, *, tokenizer: Any, labels: Labels) -> dict[str, Any]:
    """Accuracy of product and brand on `features`, with their titles and from the pictures alone."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    right = {"product": 0, "brand": 0, "product_image_only": 0}
    for start in range(0, len(features), EVALUATION_BATCH):
        rows = range(start, min(start + EVALUATION_BATCH, len(features)))
        records = [features.records[row] for row in rows]
        patches = torch.stack([features.first_view(row) for row in rows]).to(device)
        patch_mask = torch.ones(patches.shape[:2], dtype=torch.long, device=device)
        wanted_brand = torch.tensor([labels.brand_index.get(record.brand, -1) for record in records])
        wanted_product = torch.tensor([labels.product_index[record.product] for record in records])
        for key, titles in {"both": [record.title for record in records], "image": [""] * len(records)}.items():
            input_ids, attention_mask = (part.to(device) for part in encode(tokenizer, titles))
            output = model(input_ids=input_ids, attention_mask=attention_mask, patches=patches, patch_mask=patch_mask)
            hits = int((output.product.argmax(-1).cpu() == wanted_product).sum())
            if key == "image":
                right["product_image_only"] += hits
            else:
                right["product"] += hits
                right["brand"] += int((output.brand.argmax(-1).cpu() == wanted_brand).sum())
    model.train(was_training)
    return {"val_records": len(features)} | {
        name: Accuracy(hits, len(features)).as_dict() for name, hits in right.items()
    }
