"""The model folder: all that a worker needs. No pickle, ever.

config.json         {"format": 1, "architecture": "vilt", "model": {…ViltConfig}}
model.safetensors   every weight, the frozen patch network's included
tokenizer.json      the WordPiece tokenizer
labels.json         {"brands": [{"id", "name"}], "products": [{"id", "name", "brand"}]} in the order of the heads
metrics.json        the figures of its training
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from ml.data.records import Dataset, Record
from ml.data.tokenizer import load_tokenizer
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.serving.pairs import ModelFolderError

FORMAT = 1
ARCHITECTURE = "vilt"
AGAIN = "copy the whole model folder again"


@dataclass(frozen=True)
class Labels:
    """What the classes of the heads stand for, in order; a brand of id "" stands for goods without one."""

    brands: list[dict[str, str]]
    products: list[dict[str, str]]

    def __post_init__(self) -> None:
        for kind, entries, fields in (
            ("brands", self.brands, ("id", "name")),
            ("products", self.products, ("id", "name", "brand")),
        ):
            if not isinstance(entries, list):
                raise ValueError(f"{kind} is a {type(entries).__name__} where a list is expected")
            for entry in entries:
                if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in fields):
                    raise ValueError(f"{kind} holds {entry!r}, which lacks one of {', '.join(fields)}")

    @classmethod
    def of(cls, data: Dataset, records: Sequence[Record]) -> "Labels":
        """The brands and products that `records` name, by id."""
        brands = sorted({record.brand for record in records})
        products = sorted({record.product for record in records})
        return cls(
            brands=[{"id": brand, "name": data.brand_names.get(brand, "")} for brand in brands],
            products=[
                {"id": product, "name": data.product_names[product], "brand": data.product_brands[product]}
                for product in products
            ],
        )

    @cached_property
    def brand_index(self) -> dict[str, int]:
        return {brand["id"]: index for index, brand in enumerate(self.brands)}

    @cached_property
    def product_index(self) -> dict[str, int]:
        return {product["id"]: index for index, product in enumerate(self.products)}


@dataclass(frozen=True)
class ModelFolder:
    """A model in memory with all that belongs to it."""

    model: ViltMatcher
    tokenizer: Tokenizer
    labels: Labels
    metrics: dict[str, Any] = field(default_factory=dict)


def save_model_folder(folder: Path, content: ModelFolder) -> None:
    """Write `content` into a new `folder`, all of it on the disk before this returns."""
    folder.mkdir(parents=True)
    config = {"format": FORMAT, "architecture": ARCHITECTURE, "model": asdict(content.model.shape)}
    weights = {name: tensor.contiguous() for name, tensor in content.model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    labels = {"brands": content.labels.brands, "products": content.labels.products}
    texts = {"config.json": config, "labels.json": labels, "metrics.json": content.metrics}
    for name, value in texts.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    (folder / "tokenizer.json").write_text(content.tokenizer.to_str(), encoding="utf-8")
    # safetensors lets only its own user read; the worker that serves may be another, as the umask says.
    (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)
    for path in (*folder.iterdir(), folder):
        sync_to_disk(path)


def sync_to_disk(path: Path) -> None:
    """Have the disk keep what a file holds, or the names in a folder, before this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_model_folder(folder: Path) -> ModelFolder:
    """Read a model folder and check that its parts belong together.

    Raises ModelFolderError naming the file that is missing, damaged or does not fit.
    """
    config = _read_json(folder, "config.json")
    if config.get("format") != FORMAT or config.get("architecture") != ARCHITECTURE:
        found = f"format={config.get('format')!r}, architecture={config.get('architecture')!r}"
        raise ModelFolderError(f"{folder / 'config.json'}: {found}; this loads only {FORMAT}, {ARCHITECTURE!r}")
    try:
        model = ViltMatcher(ViltConfig(**config["model"]), pretrained=False)
    except (KeyError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ModelFolderError(f"{folder / 'config.json'} describes no model: {error!r}: {AGAIN}") from None
    labels = _read_labels(folder, shape=model.shape)
    _load_weights(model, folder / "model.safetensors")
    tokenizer = _read_tokenizer(folder, shape=model.shape)
    return ModelFolder(
        model=model.eval(), tokenizer=tokenizer, labels=labels, metrics=_read_json(folder, "metrics.json")
    )


def _read_labels(folder: Path, *, shape: ViltConfig) -> Labels:
    path = folder / "labels.json"
    try:
        labels = Labels(**_read_json(folder, path.name))
    except ModelFolderError:
        raise
    except (TypeError, ValueError) as error:
        raise ModelFolderError(f"{path} is damaged ({error}): {AGAIN}") from None
    if (len(labels.brands), len(labels.products)) != (shape.brands, shape.products):
        raise ModelFolderError(
            f"{path} names {len(labels.brands)} brands and {len(labels.products)} products, "
            f"but the model has {shape.brands} and {shape.products}: {AGAIN}"
        )
    return labels


def _read_tokenizer(folder: Path, *, shape: ViltConfig) -> Tokenizer:
    path = folder / "tokenizer.json"
    try:
        tokenizer = load_tokenizer(path)
    except FileNotFoundError:
        raise ModelFolderError(f"{path} is missing: {AGAIN}, or train anew") from None
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path} is damaged ({error}): {AGAIN}") from None
    words, tokens = tokenizer.get_vocab_size(), (tokenizer.truncation or {}).get("max_length")
    if words > shape.vocabulary_size or tokens is None or tokens > shape.max_tokens or tokenizer.padding is None:
        raise ModelFolderError(
            f"{path} has {words} words and cuts titles at {tokens} tokens, "
            f"but the model knows {shape.vocabulary_size} and {shape.max_tokens}: {AGAIN}"
        )
    return tokenizer


def _load_weights(model: ViltMatcher, path: Path) -> None:
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise ModelFolderError(f"{path} is missing: {AGAIN}, or train anew") from None
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(f"{path} is damaged ({error}): {AGAIN}") from None
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ModelFolderError(f"{path} does not fit config.json ({reason}): {AGAIN}") from None


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelFolderError(f"{path} is missing: {AGAIN}, or train anew") from None
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path} is damaged ({error}): {AGAIN}") from None
    if not isinstance(value, dict):
        raise ModelFolderError(f"{path}: a {type(value).__name__} where an object is expected")
    return value
