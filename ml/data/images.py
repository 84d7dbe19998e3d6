"""Pictures as tensors: decoding that never trusts the file, resizing, and normalising."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ml.data.errors import PictureError

__all__ = ["PictureError", "load_image", "normalise", "picture_size", "to_patches_size", "to_square", "to_tensor"]

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3  # EfficientNet-Lite's own (TensorFlow TPU, efficientnet/lite)
VILT_MEAN, VILT_STD = (0.5,) * 3, (0.5,) * 3


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


def picture_size(source: Path | bytes) -> tuple[int, int]:
    """Width and height in pixels as `load_image` would give them, by the file's head alone. Raises PictureError."""
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(file, formats=FORMATS) as image:
            sideways = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            return image.size[::-1] if sideways else image.size
    except Exception as error:  # as in load_image
        raise PictureError(f"not a picture that can be read: {type(error).__name__}") from None


def _flatten(image: Image.Image) -> Image.Image:
    """RGB; what is transparent becomes white, as shops show it, not the colour that happens to lie beneath."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured).convert("RGB")


def to_square(image: Image.Image, size: int) -> Image.Image:
    """Squeezed to `size` × `size` pixels without cropping."""
    return image.resize((size, size), Image.Resampling.BICUBIC)


def to_patches_size(image: Image.Image, shorter: int = 384, longer: int = 639, divisor: int = 32) -> Image.Image:
    """The aspect kept, the shorter side `shorter` pixels, unless the longer one became more than `longer`.

    Both sides are rounded down to a multiple of `divisor`, and are at least that (Kim, Son & Kim 2021, "ViLT", section
    4.2; `longer` is ⌊384 · 1333 / 800⌋). Transformers' ViltImageProcessor lets the side of a very narrow picture become
    nothing; else it gives the same.
    """
    scale = shorter / min(image.size)
    if scale * max(image.size) > longer:
        scale = longer / max(image.size)
    width, height = (max(1, int(scale * side + 0.5) // divisor) * divisor for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def normalise(image: Image.Image, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """(3, H, W) float32: each channel, from 0 to 1, less its mean, over its standard deviation."""
    pixels = np.asarray(image, dtype=np.float32) / 255  # (H, W, 3)
    scaled = (pixels - np.asarray(mean, dtype=np.float32)) / np.asarray(std, dtype=np.float32)
    return torch.from_numpy(scaled).permute(2, 0, 1).contiguous()


def to_tensor(image: Image.Image, *, size: int) -> torch.Tensor:
    """(3, size, size) float32: squeezed to a square, normalised for EfficientNet-Lite."""
    return normalise(to_square(image, size), LITE_MEAN, LITE_STD)
