"""Configurations of trainings: a YAML file, perhaps with `key=value` changes. Every mistake is named."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml

KINDS = {int: "whole number", float: "number", str: "text", bool: "choice of true or false"}


class ConfigError(ValueError):
    """A key or a value of a configuration is wrong; the message names both."""


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW (Loshchilov & Hutter 2019) with warm-up and decay."""

    learning_rate: float = 1e-4
    patches_learning_rate: float = 1e-4
    weight_decay: float = 0.01
    beta2: float = 0.98
    warmup_share: float = 0.1
    decay: Literal["linear", "cosine"] = "linear"
    max_gradient_norm: float = 1.0
    average_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "patches_learning_rate", "max_gradient_norm"):
            if not 0 < getattr(self, name) < inf:  # NaN too
                raise ConfigError(f"optimiser.{name}={getattr(self, name)} is not a number above 0")
        if not 0 <= self.weight_decay < inf:
            raise ConfigError(f"optimiser.weight_decay={self.weight_decay} is not a number of 0 or more")
        for name in ("beta2", "warmup_share", "average_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"optimiser.{name}={getattr(self, name)} is not between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What every training has, whatever it trains. See the files in `ml/configs/` for what each key means."""

    task: str
    start_from: str = ""
    seed: int = 0
    batch_size: int = 32
    accumulation: int = 1
    epochs: float = 10.0
    max_steps: int = 0
    evaluations: int = 10
    patience: int = 0
    checkpoint_minutes: float = 5.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    workers: int = 0
    optimiser: Optimiser = field(default_factory=Optimiser)

    def __post_init__(self) -> None:
        for name, least in {"batch_size": 1, "accumulation": 1, "max_steps": 0, "evaluations": 1}.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name}={getattr(self, name)} is less than {least}")
        for name in ("patience", "workers"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name}={getattr(self, name)} is less than 0")
        if self.batch_size % self.accumulation:
            raise ConfigError(f"batch_size={self.batch_size} is not a multiple of accumulation={self.accumulation}")
        for name in ("epochs", "checkpoint_minutes"):
            if not 0 < getattr(self, name) < inf:
                raise ConfigError(f"{name}={getattr(self, name)} is not a number above 0")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed} is not between 0 and 2³²")

    def steps(self, examples: int) -> int:
        """How many steps `epochs` over so many examples take: at least one, at most `max_steps` where that is set."""
        steps = max(1, int(self.epochs * examples / self.batch_size))
        return min(steps, self.max_steps) if self.max_steps else steps

    def as_dict(self) -> dict[str, Any]:
        """All keys with their values, as JSON and YAML hold them."""
        return asdict(self)


def read_config(path: Path, changes: Iterable[str] = ()) -> TrainConfig:
    """A YAML file with `changes` such as "batch_size=16" or "model.layers=2" laid over it.

    Raises ConfigError naming an unknown key, a value of the wrong type or out of range, or a file that cannot be read.
    """
    values = _read_yaml(path)
    for change in changes:
        _lay_over(values, change)
    return make_config(values)


def make_config(values: Mapping[str, Any]) -> TrainConfig:
    """The configuration of the task that `values` names. Raises ConfigError as `read_config` does."""
    from ml.training.tasks import TASKS, config_class

    task = values.get("task")
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(f"task={task!r} is not one of {', '.join(TASKS)}")
    return _build(config_class(task), values, prefix="")


def _read_yaml(path: Path) -> dict[str, Any]:
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
    return values


def _lay_over(values: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise ConfigError(f"{change!r} is not key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"{key}={text!r} is not a YAML value") from None
    if value is None and not text.strip():
        value = ""  # `start_from=` empties a text
    *parents, last = key.split(".")
    place = values
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{key}: {parent} holds no keys")
    place[last] = value


def _build(kind: type, values: Mapping[str, Any], *, prefix: str) -> Any:
    types = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{prefix}{key} is not a key of this training: use one of {', '.join(sorted(known))}")
    return kind(**{key: _value(types[key], value, name=f"{prefix}{key}") for key, value in values.items()})


def _value(kind: Any, value: Any, *, name: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name}={value!r} is a {type(value).__name__} where keys are expected")
        return _build(kind, value, prefix=f"{name}.")  # type: ignore[arg-type]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{name}={value!r} is not one of {', '.join(map(str, get_args(kind)))}")
        return value
    if get_origin(kind) is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(_value(get_args(kind)[0], one, name=name) for one in values)
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)  # text too: YAML 1.1 reads 1e-4 as text
        except ValueError:
            pass
    if type(value) is not kind:
        raise ConfigError(f"{name}={value!r} is not a {KINDS[kind]}")
    return value
