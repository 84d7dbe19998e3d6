"""The model that a training of ViLT starts from: new, a model folder, or transformers' weights."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from torch import nn

from ml.data.tokenizer import TextTokenizer, TokenizerError, hub_tokenizer, train_tokenizer
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.models.vilt_weights import load_transformers
from ml.serving.labels import Labels
from ml.serving.model_folder import ModelFolder, load_model_folder
from ml.serving.pairs import ModelFolderError
from ml.training.config import ConfigError
from ml.training.vilt_config import ModelShape, ViltConfigBase

CLASS_HEADS = ("brand_head", "product_head", "wide_title", "wide_picture")


def build_model(config: ViltConfigBase, *, titles: Iterable[str], labels: Labels) -> tuple[ViltMatcher, TextTokenizer]:
    """The model, with heads for `labels`, and its tokenizer.

    Heads of classes are taken over from a model folder only when it knows the same brands and products in the same
    order. Raises ConfigError when `start_from` is not to be had, or has another shape than the configuration.
    """
    if not config.start_from:
        tokenizer = _tokenizer(config, titles)
        shape = _shape(config.model, vocabulary_size=tokenizer.size, labels=labels)
        return ViltMatcher(shape), tokenizer
    if (Path(config.start_from) / "config.json").exists() and (Path(config.start_from) / "labels.json").exists():
        return _from_folder(config, labels)
    return _from_transformers(config, labels)


def _tokenizer(config: ViltConfigBase, titles: Iterable[str]) -> TextTokenizer:
    if not config.tokenizer:
        shape = config.model
        trained = train_tokenizer(titles, vocabulary_size=shape.vocabulary_size, max_tokens=shape.max_tokens)
        return TextTokenizer(trained)
    try:
        return TextTokenizer(hub_tokenizer(config.tokenizer, max_tokens=config.model.max_tokens))
    except TokenizerError as error:
        raise ConfigError(f"tokenizer={config.tokenizer!r}: {error}") from None


def _shape(model: ModelShape, *, vocabulary_size: int, labels: Labels) -> ViltConfig:
    chosen = vars(model) | {"vocabulary_size": vocabulary_size}
    return ViltConfig(brands=len(labels.brands), products=len(labels.products), **chosen)


def _from_folder(config: ViltConfigBase, labels: Labels) -> tuple[ViltMatcher, TextTokenizer]:
    try:
        before: ModelFolder = load_model_folder(Path(config.start_from))
    except ModelFolderError as error:
        raise ConfigError(f"start_from={config.start_from!r} cannot be loaded: {error}") from None
    _check_shape(config, before.model.shape)
    shape = _shape(config.model, vocabulary_size=before.model.shape.vocabulary_size, labels=labels)
    model = ViltMatcher(shape, pretrained=False)
    weights = before.model.state_dict()
    if before.labels != labels or before.model.shape.wide != shape.wide:
        weights = {name: one for name, one in weights.items() if not name.startswith(CLASS_HEADS)}
    _load(model, weights)
    return model, before.tokenizer


def _from_transformers(config: ViltConfigBase, labels: Labels) -> tuple[ViltMatcher, TextTokenizer]:
    try:
        before = load_transformers(config.start_from)
        tokenizer = TextTokenizer(
            hub_tokenizer(config.tokenizer or config.start_from, max_tokens=config.model.max_tokens)
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"start_from={config.start_from!r} cannot be loaded: {_first_line(error)}") from None
    _check_shape(config, before.shape)
    model = ViltMatcher(_shape(config.model, vocabulary_size=before.shape.vocabulary_size, labels=labels))
    _load(model, before.state_dict())
    return model, tokenizer


def _load(model: nn.Module, weights: dict) -> None:
    missing, unexpected = model.load_state_dict(weights, strict=False)
    wrong = [name for name in (*missing, *unexpected) if not name.startswith(CLASS_HEADS)]
    if wrong:
        raise ConfigError(f"start_from has other weights than this model: {wrong[0]}")


def _check_shape(config: ViltConfigBase, before: ViltConfig) -> None:
    """What changes the weights must agree; dropout and whether the patches are trained may differ."""
    free = {"dropout", "train_patches", "frozen_blocks", "wide", "vocabulary_size"}
    for entry in fields(ModelShape):
        mine, theirs = getattr(config.model, entry.name), getattr(before, entry.name)
        if entry.name not in free and mine != theirs:
            raise ConfigError(f"model.{entry.name}={mine!r}, but start_from={config.start_from!r} has {theirs!r}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
