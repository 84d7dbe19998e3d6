"""The model folder: all that a worker needs. No pickle, ever.

config.json         {"format": 2, "architecture": "vilt", "model": {…ViltConfig}, "preprocessing": {…Preprocessing}}
model.safetensors   every weight, a frozen patch network's included
tokenizer.json      the tokenizer of the titles
labels.json         {"brands": [{"id", "name"}], "products": [{"id", "name", "brand"}]} in the order of the heads;
                    both empty in a model that is only pre-trained
metrics.json        the figures of its training
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ml.data.preprocessing import Preprocessing
from ml.data.tokenizer import TextTokenizer
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.serving.labels import Labels
from ml.serving.pairs import ModelFolderError

FORMAT = 2
ARCHITECTURES = {"vilt": (ViltConfig, ViltMatcher)}
AGAIN = "copy the whole model folder again"


@dataclass(frozen=True)
class ModelFolder:
    """A model in memory with all that belongs to it."""

    model: ViltMatcher
    tokenizer: TextTokenizer
    labels: Labels
    preprocessing: Preprocessing
    metrics: dict[str, Any] = field(default_factory=dict)


def save_model_folder(folder: Path, content: ModelFolder) -> None:
    """Write `content` into a new `folder`, all of it on the disk before this returns."""
    folder.mkdir(parents=True)
    architecture = next(name for name, (_shape, kind) in ARCHITECTURES.items() if isinstance(content.model, kind))
    config = {
        "format": FORMAT,
        "architecture": architecture,
        "model": asdict(content.model.shape),
        "preprocessing": asdict(content.preprocessing),
    }
    weights = {name: tensor.contiguous() for name, tensor in content.model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    labels = {"brands": content.labels.brands, "products": content.labels.products}
    texts = {"config.json": config, "labels.json": labels, "metrics.json": content.metrics}
    for name, value in texts.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    content.tokenizer.save(folder)
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
    if config.get("format") != FORMAT or config.get("architecture") not in ARCHITECTURES:
        found = f"format={config.get('format')!r}, architecture={config.get('architecture')!r}"
        known = ", ".join(ARCHITECTURES)
        raise ModelFolderError(f"{folder / 'config.json'}: {found}; this loads only format {FORMAT} of {known}")
    shape_kind, model_kind = ARCHITECTURES[config["architecture"]]
    try:
        shape, preprocessing = shape_kind(**config["model"]), Preprocessing(**config["preprocessing"])
        model = model_kind(shape, pretrained=False)
    except (KeyError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ModelFolderError(f"{folder / 'config.json'} describes no model: {error!r}: {AGAIN}") from None
    labels = _read_labels(folder, shape=shape)
    _load_weights(model, folder / "model.safetensors")
    return ModelFolder(
        model=model.eval(),
        tokenizer=_read_tokenizer(folder, shape=shape),
        labels=labels,
        preprocessing=preprocessing,
        metrics=_read_json(folder, "metrics.json"),
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


def _read_tokenizer(folder: Path, *, shape: ViltConfig) -> TextTokenizer:
    path = folder / "tokenizer.json"
    try:
        tokenizer = TextTokenizer.load(folder)
    except FileNotFoundError:
        raise ModelFolderError(f"{path} is missing: {AGAIN}, or train anew") from None
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path} is damaged ({error}): {AGAIN}") from None
    if tokenizer.size > shape.vocabulary_size or tokenizer.max_tokens > shape.max_tokens:
        raise ModelFolderError(
            f"{path} has {tokenizer.size} words and cuts titles at {tokenizer.max_tokens} tokens, "
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
