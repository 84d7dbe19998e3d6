"""From a decoded picture to what a model sees, the same in training, measuring and serving; part of a model folder."""

from dataclasses import dataclass
from typing import Literal

import torch
from PIL import Image

from ml.data.images import LITE_MEAN, LITE_STD, VILT_MEAN, VILT_STD, normalise, to_patches_size, to_square

NORMALISATIONS = {"lite": (LITE_MEAN, LITE_STD), "vilt": (VILT_MEAN, VILT_STD)}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """`square` squeezes pictures to size × size; `aspect` keeps their shape (ViLT, section 4.2): the shorter side is
    `size`, the longer at most `longest`, both multiples of 32. `normalisation` is EfficientNet-Lite's or ViLT's."""

    shape: Literal["square", "aspect"] = "square"
    size: int = 224
    longest: int = 639
    normalisation: Literal["lite", "vilt"] = "lite"

    def __post_init__(self) -> None:
        if self.shape not in ("square", "aspect") or self.normalisation not in NORMALISATIONS or self.size < 1:
            raise ValueError(f"preprocessing {self} is none that is known")

    def pixels(self, image: Image.Image, *, size: int | None = None) -> torch.Tensor:
        """(3, H, W) float32; `size` in the place of the usual one."""
        if self.shape == "square":
            resized = to_square(image, size or self.size)
        else:
            resized = to_patches_size(image, self.size, self.longest)
        return normalise(resized, *NORMALISATIONS[self.normalisation])
