"""The image store: every picture once, under the SHA-256 of its bytes, through Django's storage API.

What strangers sent is decoded and encoded again before it is stored: no metadata, no markup, no oversize picture.
"""

import io
import os
import re
import tempfile
from dataclasses import dataclass
from hashlib import sha256 as sha256_of
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from crawler.look_alikes import perceptual_hash

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE = 8  # pixels; smaller ones are spacers and trackers
MAX_SIDE = 1280  # pixels; larger ones are scaled down
QUALITY = 88
_FORMATS = ("JPEG", "PNG", "WEBP")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ImageError(ValueError):
    """The bytes are not a picture that we keep; the message is shown to users."""


@dataclass(frozen=True)
class StoredImage:
    """A picture in the store: the SHA-256 that names it, and the perceptual hash of how it looks."""

    sha256: str
    phash: str


def store_image(data: bytes) -> StoredImage:
    """Store a picture as JPEG (RGB, upright, at most MAX_SIDE pixels a side).

    The same bytes again change nothing. Raises ImageError for what is no JPEG, PNG or WebP, is damaged or too large.
    """
    image, encoded = _prepared(data)
    name = image_name(image.sha256)
    if default_storage.exists(name):
        _touch(name)
    else:
        _write(name, encoded)
    return image


def look_at_image(data: bytes) -> StoredImage:
    """What `store_image` would answer, or raise, without storing anything."""
    return _prepared(data)[0]


def _prepared(data: bytes) -> tuple[StoredImage, bytes]:
    image = _decoded(data)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=False)
    encoded = buffer.getvalue()
    return StoredImage(sha256=sha256_of(encoded).hexdigest(), phash=perceptual_hash(image)), encoded


def image_name(sha256: str) -> str:
    """The name within the storage. Raises ValueError for anything but 64 lower-case hex digits."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 in hex")
    return f"images/{sha256[:2]}/{sha256}.jpg"


def image_exists(sha256: str) -> bool:
    return default_storage.exists(image_name(sha256))


def image_file(sha256: str) -> File:
    """The open file of a stored picture. Raises FileNotFoundError for an unknown one, ValueError for no SHA-256."""
    name = image_name(sha256)
    if not default_storage.exists(name):
        raise FileNotFoundError(f"no picture {sha256} is stored")
    return default_storage.open(name, "rb")


def read_image(sha256: str) -> bytes:
    """The bytes of a stored picture; raises like `image_file`."""
    with image_file(sha256) as file:
        return file.read()


def _touch(name: str) -> None:
    """It is needed again from now on: what removes unused pictures goes by their age."""
    if _is_local():
        os.utime(default_storage.path(name))


def _decoded(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise ImageError(_("The picture is larger than %(max)d megabytes.") % {"max": MAX_BYTES // 1024**2})
    too_many = _("The picture has more than %(max)d megapixels.") % {"max": MAX_PIXELS // 1_000_000}
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Before anything is unpacked. Pillow's own limit is one for the whole process, which is not ours to lower.
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(too_many)
            if min(image.size) < MIN_SIDE:
                raise ImageError(_("The picture is smaller than %(min)d pixels.") % {"min": MIN_SIDE})
            image.load()
            upright = _on_white(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(too_many) from error
    except UnidentifiedImageError as error:
        raise ImageError(_("The picture is not a JPEG, PNG or WebP file.")) from error
    except Exception as error:  # decoders fail in many ways on damaged files: OSError, SyntaxError, struct.error, …
        raise ImageError(_("The picture is damaged.")) from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return upright


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        image = Image.alpha_composite(ground, layer)
    plain = image.convert("RGB")
    plain.info.clear()  # EXIF, comments and profiles would be saved along
    return plain


def _write(name: str, data: bytes) -> None:
    """Whole or not at all: local files by fsync and rename, other storages by their own upload."""
    storage = default_storage
    if _is_local():
        path = Path(storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_folder(path.parent)
        return
    stored = storage.save(name, ContentFile(data))
    if stored != name:  # somebody stored the same picture a moment ago
        storage.delete(stored)


def _is_local() -> bool:
    return isinstance(getattr(default_storage, "_wrapped", default_storage), FileSystemStorage)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
