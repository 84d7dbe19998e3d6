"""Other views of the same goods, each by chance from a `random.Random`: the same generator gives the same view."""

import random
from collections.abc import Callable
from math import exp, log

from PIL import Image, ImageEnhance, ImageOps

Operation = Callable[[Image.Image, float], Image.Image]
LEVELS = 30  # of a magnitude, as in the implementation that ViLT trained with; the paper's own has 10
GREY = (128, 128, 128)  # what moves into view from outside the picture


def random_resized_crop(
    image: Image.Image,
    rng: random.Random,
    size: int,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
) -> Image.Image:
    """A part of `area` of the picture and of `aspect` (width over height), at `size` × `size` pixels.

    Szegedy et al. 2015, "Going deeper with convolutions", section 6. A part that were larger than the picture is cut.
    """
    share, shape = rng.uniform(*area), exp(rng.uniform(log(aspect[0]), log(aspect[1])))
    pixels = share * image.width * image.height
    width = min(image.width, max(1, round((pixels * shape) ** 0.5)))
    height = min(image.height, max(1, round((pixels / shape) ** 0.5)))
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


def flip(image: Image.Image, rng: random.Random, share: float = 0.5) -> Image.Image:
    """Mirrored, `share` of the times."""
    return ImageOps.mirror(image) if rng.random() < share else image


def colour_jitter(image: Image.Image, rng: random.Random, strength: float = 0.3) -> Image.Image:
    """Brightness, contrast and colour, each times a number between 1 - strength and 1 + strength."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(rng.uniform(1 - strength, 1 + strength))
    return image


def rand_augment(image: Image.Image, rng: random.Random, operations: int = 2, magnitude: float = 9) -> Image.Image:
    """`operations` of OPERATIONS one after the other, each at `magnitude` of 0 … LEVELS, to either side by chance.

    Cubuk et al. 2020, "RandAugment", algorithm 1. Without Invert and Cutout, as ViLT (section 3.4): colours tell
    products apart, and small parts may be all that does.
    """
    for operation in rng.choices(list(OPERATIONS.values()), k=operations):
        share = magnitude / LEVELS
        image = operation(image, share if rng.random() < 0.5 else -share)
    return image


def _enhanced(enhance: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    """From 0.1 to 1.9 times; 1 leaves the picture as it is."""
    return lambda image, share: enhance(image).enhance(1 + 0.9 * share)


def _moved(matrix: Callable[[Image.Image, float], tuple[float, ...]]) -> Operation:
    return lambda image, share: image.transform(
        image.size, Image.Transform.AFFINE, matrix(image, share), Image.Resampling.BILINEAR, fillcolor=GREY
    )


# What each does to a picture at a share from -1 to 1; those without two sides take the size of the share only.
OPERATIONS: dict[str, Operation] = {
    "auto_contrast": lambda image, share: ImageOps.autocontrast(image),
    "equalize": lambda image, share: ImageOps.equalize(image),
    "posterize": lambda image, share: ImageOps.posterize(image, 8 - round(5 * abs(share))),
    "solarize": lambda image, share: ImageOps.solarize(image, 256 - int(128 * abs(share))),
    "solarize_add": lambda image, share: image.point(
        [value if value >= 128 else min(255, value + int(110 * abs(share))) for value in range(256)] * 3
    ),
    "color": _enhanced(ImageEnhance.Color),
    "contrast": _enhanced(ImageEnhance.Contrast),
    "brightness": _enhanced(ImageEnhance.Brightness),
    "sharpness": _enhanced(ImageEnhance.Sharpness),
    "rotate": lambda image, share: image.rotate(30 * share, Image.Resampling.BILINEAR, fillcolor=GREY),
    "shear_x": _moved(lambda image, share: (1, 0.3 * share, -0.15 * share * image.height, 0, 1, 0)),
    "shear_y": _moved(lambda image, share: (1, 0, 0, 0.3 * share, 1, -0.15 * share * image.width)),
    "translate_x": _moved(lambda image, share: (1, 0, 0.45 * share * image.width, 0, 1, 0)),
    "translate_y": _moved(lambda image, share: (1, 0, 0, 0, 1, 0.45 * share * image.height)),
}
