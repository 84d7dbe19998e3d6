"""The configurations of ViLT's trainings; loads no torch."""

from dataclasses import dataclass, field
from math import inf
from typing import Literal

from ml.training.config import ConfigError, TrainConfig

STRIDE = 32  # of the patches, whatever their kind; here once more, because ml.models.patches loads torch
PatchKind = Literal["linear", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """The parts of the model's shape that a configuration chooses; the data decides the rest."""

    patch_embedding: PatchKind = "efficientnet_lite0"
    train_patches: bool = False
    frozen_blocks: int = 0
    image_size: int = 224
    hidden_size: int = 192
    layers: int = 4
    heads: int = 4
    intermediate_size: int = 768
    dropout: float = 0.1
    max_tokens: int = 40
    vocabulary_size: int = 4000
    wide: bool = True

    def __post_init__(self) -> None:
        least = {
            "hidden_size": 1,
            "layers": 1,
            "heads": 1,
            "intermediate_size": 1,
            "image_size": STRIDE,
            "max_tokens": 3,
            "vocabulary_size": 5,
        }
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise ConfigError(f"model.{name}={getattr(self, name)} is less than {minimum}")
        if not 0 <= self.frozen_blocks <= 16:
            raise ConfigError(f"model.frozen_blocks={self.frozen_blocks} is not between 0 and 16")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"model.dropout={self.dropout} is not between 0 and 1")
        if self.hidden_size % self.heads:
            raise ConfigError(f"model.hidden_size={self.hidden_size} is not a multiple of heads={self.heads}")
        if self.image_size % STRIDE:
            raise ConfigError(f"model.image_size={self.image_size} is not a multiple of {STRIDE}")


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """How pictures become tensors.

    `square` squeezes them to `train_sizes` one after the other while training goes on, and to `size` when it is
    measured and served. `aspect` keeps their shape: the shorter side `size`, the longer at most `longest`.
    """

    shape: Literal["square", "aspect"] = "square"
    size: int = 224
    longest: int = 639
    train_sizes: tuple[int, ...] = ()
    augmentation: Literal["none", "crop", "rand_augment"] = "crop"
    smallest_crop: float = 0.5
    views: int = 0

    def __post_init__(self) -> None:
        for name, sizes in {"size": (self.size,), "train_sizes": self.train_sizes}.items():
            for size in sizes:
                if size < STRIDE or size % STRIDE:
                    raise ConfigError(f"pictures.{name}={size} is not a multiple of {STRIDE} above 0")
        if self.longest < self.size:
            raise ConfigError(f"pictures.longest={self.longest} is less than size={self.size}")
        if not 0 < self.smallest_crop <= 1:
            raise ConfigError(f"pictures.smallest_crop={self.smallest_crop} is not above 0 and at most 1")
        if self.views < 0:
            raise ConfigError(f"pictures.views={self.views} is less than 0")
        if self.shape == "aspect" and (self.augmentation == "crop" or self.views):
            raise ConfigError("pictures.shape=aspect goes with augmentation=none or rand_augment, and with views=0")
        if self.train_sizes and (self.shape == "aspect" or self.views):
            raise ConfigError("pictures.train_sizes is only for square pictures that are read anew each time (views=0)")

    def train_size(self, progress: float) -> int:
        """The size for the part `progress` (0 to 1) of the training."""
        sizes = self.train_sizes or (self.size,)
        return sizes[min(len(sizes) - 1, int(progress * len(sizes)))]


@dataclass(frozen=True, kw_only=True)
class ViltConfigBase(TrainConfig):
    """What both trainings of ViLT have."""

    model: ModelShape = field(default_factory=ModelShape)
    pictures: Pictures = field(default_factory=Pictures)
    tokenizer: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pictures.views and self.model.train_patches:
            raise ConfigError(
                f"pictures.views={self.pictures.views} keeps the features of a network that stays as it is, "
                "but model.train_patches=true trains it: set one of them to 0 or false"
            )


@dataclass(frozen=True, kw_only=True)
class ViltPretrainConfig(ViltConfigBase):
    """Continued pre-training: MLM, ITM and word-patch alignment (Kim et al. 2021, section 3.2)."""

    masked_words: float = 0.15
    mlm_weight: float = 1.0
    itm_weight: float = 1.0
    alignment_weight: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.masked_words < 1:
            raise ConfigError(f"masked_words={self.masked_words} is not between 0 and 1")
        for name in ("mlm_weight", "itm_weight", "alignment_weight"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"{name}={getattr(self, name)} is not a number of 0 or more")
        if self.batch_size // self.accumulation < 2:
            raise ConfigError(f"batch_size={self.batch_size} leaves no other picture to match a title with")


@dataclass(frozen=True, kw_only=True)
class ViltFinetuneConfig(ViltConfigBase):
    """Brand and product classification on labelled listings.

    With `picture_alone` each example is answered twice in a step, as a pair and from its pictures alone, for which the
    picture network runs once: where it is trained, it costs most of the step.
    """

    brand_weight: float = 0.5
    product_weight: float = 1.0
    weighting: Literal["fixed", "learned"] = "fixed"
    label_smoothing: float = 0.1
    class_balance: Literal["none", "inverse_sqrt", "effective"] = "none"
    drop_title: float = 0.45
    drop_image: float = 0.1
    picture_alone: bool = False
    catalogue_views: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("label_smoothing", "drop_title", "drop_image"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not between 0 and 1")
        if self.drop_title + self.drop_image > 1 or self.drop_image == 1:
            raise ConfigError(
                f"drop_title={self.drop_title} and drop_image={self.drop_image} leave nothing to learn from"
            )
        if self.picture_alone and self.drop_title:
            raise ConfigError(
                f"drop_title={self.drop_title}, but picture_alone=true leaves every title out once: "
                "set one of them to 0 or false"
            )
        for name in ("brand_weight", "product_weight"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"{name}={getattr(self, name)} is not a number of 0 or more")
        if not self.brand_weight + self.product_weight:
            raise ConfigError("brand_weight=0 and product_weight=0 leave nothing to learn")
        if self.catalogue_views < 0:
            raise ConfigError(f"catalogue_views={self.catalogue_views} is less than 0")
