"""Pictures as tensors: decoding that never trusts the file, resizing, and augmentation from a seeded generator."""

import io
import random
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
MEAN, SCALE = 127.0, 128.0  # EfficientNet-Lite's own normalisation (TensorFlow TPU, efficientnet/lite)


class PictureError(ValueError):
    """A picture cannot be read; the message says why."""


def load_image(source: Path | bytes) -> Image.Image:
    """Decode a JPEG, PNG or WebP into RGB, upright as its EXIF says, at most MAX_PIXELS large.

    Raises PictureError for anything else, damaged and truncated files included.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError(f"{image.width}×{image.height} pixels are more than {MAX_PIXELS}")
                return _flatten(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except FileNotFoundError:
        raise PictureError("the file is missing") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"not a picture that can be read: {type(error).__name__}") from None
    except Exception as error:  # a damaged file makes Pillow's parsers raise anything, struct.error and EOFError too
        raise PictureError(f"the picture is damaged: {error}") from None


def _flatten(image: Image.Image) -> Image.Image:
    """RGB; what is transparent becomes white, as shops show it, not the colour that happens to lie beneath."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured).convert("RGB")


def to_tensor(image: Image.Image, *, size: int) -> torch.Tensor:
    """(3, size, size) float32: squeezed to a square without cropping, normalised for EfficientNet-Lite."""
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)
    return torch.from_numpy((pixels - MEAN) / SCALE).permute(2, 0, 1).contiguous()


def augment(image: Image.Image, *, rng: random.Random) -> Image.Image:
    """Another view of the same goods: a crop of 50–100 % of the area, perhaps mirrored, other light and colour."""
    area, aspect = rng.uniform(0.5, 1.0), rng.uniform(0.8, 1.25)
    width = min(1.0, (area * aspect) ** 0.5) * image.width
    height = min(1.0, (area / aspect) ** 0.5) * image.height
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    view = image.crop(
        (int(left), int(top), max(int(left) + 1, int(left + width)), max(int(top) + 1, int(top + height)))
    )
    if rng.random() < 0.5:
        view = ImageOps.mirror(view)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        view = enhance(view).enhance(rng.uniform(0.7, 1.3))
    return view
