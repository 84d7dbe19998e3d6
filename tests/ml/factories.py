"""Small dataset folders and configurations, for tests that must be quick."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from ml.training import TrainConfig
from ml.training.config import make_config

COLOURS = [(220, 40, 40), (40, 180, 60), (40, 70, 220), (230, 200, 40)]
NAMES = ["orange juice", "whole milk", "绿茶", "havregurt"]
TINY: dict[str, Any] = {
    "model": {
        "patch_embedding": "linear",
        "train_patches": True,
        "image_size": 64,
        "hidden_size": 32,
        "layers": 1,
        "heads": 2,
        "intermediate_size": 64,
        "dropout": 0.0,
        "vocabulary_size": 200,
    },
    "pictures": {"size": 64},
    "epochs": 200,
    "max_steps": 60,
    "batch_size": 16,
    "evaluations": 2,
    "precision": "float32",
    "optimiser": {"learning_rate": 3e-3, "patches_learning_rate": 3e-3},
}


def tiny_config(**changes: Any) -> TrainConfig:
    """A fine-tuning of a second: raw patches, one layer. Keys of parts are written "model.layers"."""
    return _tiny("vilt_finetune", changes)


def frozen_config(**changes: Any) -> TrainConfig:
    """A fine-tuning on the features of a packaged network that is not trained."""
    frozen = {"model.patch_embedding": "efficientnet_lite0", "model.train_patches": False, "pictures.views": 2}
    return tiny_config(**(frozen | changes))


def tiny_pretraining(**changes: Any) -> TrainConfig:
    """A pre-training of a second."""
    return _tiny("vilt_pretrain", changes)


def _tiny(task: str, changes: dict[str, Any]) -> TrainConfig:
    values = copy.deepcopy(TINY) | {"task": task}
    for key, value in changes.items():
        part, _dot, name = key.rpartition(".")
        (values.setdefault(part, {}) if part else values)[name] = value
    return make_config(values)


def write_config(path: Path, config: TrainConfig) -> Path:
    """`config` as a YAML file."""
    path.write_text(yaml.safe_dump(config.as_dict()), encoding="utf-8")
    return path


def write_picture(path: Path, colour: tuple[int, int, int], *, seed: int = 0, size: tuple[int, int] = (80, 60)) -> Path:
    """A noisy field of one colour, as JPEG or PNG by the name."""
    rng = random.Random(seed)
    image = Image.new("RGB", size, colour)
    for _ in range(40):
        image.putpixel((rng.randrange(size[0]), rng.randrange(size[1])), tuple(rng.randbytes(3)))
    image.save(path)
    return path


def write_dataset(
    folder: Path, *, products: int = 3, train: int = 6, val: int = 2, brandless: tuple[int, ...] = (2,)
) -> Path:
    """A dataset folder of products, each of its own colour and name; those in `brandless` have no brand."""
    (folder / "images").mkdir(parents=True)
    entries, records = [], []
    for product in range(products):
        brand = "" if product in brandless else f"brand-{product}"
        entries.append(
            {"id": f"product-{product}", "name": NAMES[product], "brand": brand, "description": "", "images": []}
        )
        for number in range(train + val):
            name = f"images/{product}-{number}.jpg"
            write_picture(folder / name, COLOURS[product], seed=number)
            records.append(
                {
                    "id": f"listing-{product}-{number}",
                    "images": [name],
                    "title": f"{NAMES[product]} {number} 包邮",
                    "brand": brand,
                    "product": f"product-{product}",
                    "split": "train" if number < train else "val",
                    "width": 80,
                    "height": 60,
                }
            )
    brands = [
        {"id": entry["brand"], "name": entry["brand"].upper(), "aliases": []} for entry in entries if entry["brand"]
    ]
    write_records(folder, records)
    write_json(folder / "catalog.json", {"brands": brands, "products": entries})
    write_json(
        folder / "manifest.json",
        {
            "format": 2,
            "counts": {"records": len(records)},
            "hash": "",
            "query": {},
            "created_at": "2026-01-02T03:04:05+00:00",
        },
    )
    return folder


def read_records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "listings.jsonl").read_text(encoding="utf-8").splitlines()]


def write_records(folder: Path, records: list[dict[str, Any]]) -> None:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    (folder / "listings.jsonl").write_text("".join(lines), encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
