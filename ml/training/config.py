"""The configuration of a training: a YAML file, perhaps with `key=value` changes. Every mistake is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from math import inf
from pathlib import Path
from typing import Any, get_type_hints

import yaml

PATCH_EMBEDDINGS = ("linear", "efficientnet_lite0")
STRIDE = 32  # of the patches of either kind; here once more, because ml.models.patches loads torch


class ConfigError(ValueError):
    """A key or a value of a configuration is wrong; the message names both."""


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """The parts of the model's shape that a configuration chooses; the data decides the rest."""

    patch_embedding: str = "efficientnet_lite0"
    image_size: int = 224
    hidden_size: int = 192
    layers: int = 4
    heads: int = 4
    dropout: float = 0.1
    max_tokens: int = 40
    vocabulary_size: int = 4000

    def __post_init__(self) -> None:
        if self.patch_embedding not in PATCH_EMBEDDINGS:
            known = ", ".join(PATCH_EMBEDDINGS)
            raise ConfigError(f"model.patch_embedding={self.patch_embedding!r} is not one of {known}")
        least = {"hidden_size": 1, "layers": 1, "heads": 1, "image_size": STRIDE, "max_tokens": 3, "vocabulary_size": 5}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise ConfigError(f"model.{name}={getattr(self, name)} is less than {minimum}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"model.dropout={self.dropout} is not between 0 and 1")
        if self.hidden_size % self.heads:
            raise ConfigError(f"model.hidden_size={self.hidden_size} is not a multiple of heads={self.heads}")
        if self.image_size % STRIDE:
            raise ConfigError(f"model.image_size={self.image_size} is not a multiple of {STRIDE}")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """See `ml/configs/vilt_demo.yaml` for what each means."""

    model: ModelShape = field(default_factory=ModelShape)
    views: int = 2
    epochs: int = 60
    max_steps: int = 300
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    brand_weight: float = 0.5
    product_weight: float = 1.0
    label_smoothing: float = 0.1
    drop_title: float = 0.45
    drop_image: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("views", "epochs", "max_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is less than 1")
        for name in ("warmup_share", "label_smoothing", "drop_title", "drop_image"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not between 0 and 1")
        if self.drop_title + self.drop_image >= 1:
            raise ConfigError(
                f"drop_title={self.drop_title} and drop_image={self.drop_image} leave nothing to learn from"
            )
        if not 0 < self.learning_rate < inf:  # NaN too
            raise ConfigError(f"learning_rate={self.learning_rate} is not a number above 0")
        for name in ("weight_decay", "brand_weight", "product_weight"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"{name}={getattr(self, name)} is not a number of 0 or more")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed} is not between 0 and 2³²")


def read_config(path: Path, changes: Iterable[str] = ()) -> TrainConfig:
    """A YAML file with `changes` such as "batch_size=16" or "model.layers=2" laid over it.

    Raises ConfigError naming an unknown key, a value of the wrong type or out of range, or a file that cannot be read.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there: name a file such as ml/configs/vilt_demo.yaml") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a {type(values).__name__} where keys are expected")
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key:
            raise ConfigError(f"{change!r} is not key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(f"{key}={text!r} is not a YAML value") from None
        *parents, last = key.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{key}: {parent} holds no keys")
        place[last] = value
    return _build(TrainConfig, values, prefix="")


def _build(kind: type, values: Mapping[str, Any], *, prefix: str) -> Any:
    types = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{prefix}{key} is not a key of a training: use one of {', '.join(sorted(known))}")
    return kind(**{key: _value(types[key], value, name=f"{prefix}{key}") for key, value in values.items()})


def _value(kind: Any, value: Any, *, name: str) -> Any:
    if is_dataclass(kind) and isinstance(value, Mapping):
        return _build(kind, value, prefix=f"{name}.")  # type: ignore[arg-type]
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)  # text too: YAML 1.1 reads 1e-4 as text
        except ValueError:
            pass
    if is_dataclass(kind):
        raise ConfigError(f"{name}={value!r} is a {type(value).__name__} where keys are expected")
    if type(value) is not kind:
        raise ConfigError(f"{name}={value!r} is a {type(value).__name__}, not a {kind.__name__}")
    return value
