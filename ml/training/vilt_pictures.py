"""Pictures as ViLT's trainings see them: augmented for the steps, plain for measuring, as a configuration says."""

import random

import torch
from PIL import Image

from ml.data.augment import colour_jitter, flip, rand_augment, random_resized_crop
from ml.data.preprocessing import Preprocessing
from ml.training.vilt_config import Pictures

JITTER = 0.4


def augmented(
    image: Image.Image, *, settings: Pictures, preprocessing: Preprocessing, size: int, rng: random.Random
) -> torch.Tensor:
    """(3, H, W): a random crop, mirrored or not, in other colours; `size` is that of square pictures."""
    if settings.augmentation == "none":
        return preprocessing.pixels(image, size=size)
    if settings.augmentation == "rand_augment":  # ViLT's own, section 4.2: it leaves the picture whole
        return preprocessing.pixels(rand_augment(image, rng), size=size)
    crop = random_resized_crop(image, rng, size, area=(settings.smallest_crop, 1.0))
    return preprocessing.pixels(colour_jitter(flip(crop, rng), rng, JITTER), size=size)
