import io
import os
import struct
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from crawler.demo_shop.misconduct import bomb
from crawler.images import ImageError, image_file, image_name, read_image, store_image


def store(data: bytes) -> str:
    return store_image(data).sha256


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def picture(size=(60, 40), mode="RGB", form="JPEG", colour="red", **options) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, form, **options)
    return buffer.getvalue()


def opened(digest: str) -> Image.Image:
    return Image.open(io.BytesIO(read_image(digest)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_it_is_stored_as_jpeg_under_the_hash_of_what_is_stored(form, tmp_path):
    digest = store(picture(form=form))
    assert sha256(read_image(digest)).hexdigest() == digest
    assert (tmp_path / "images" / digest[:2] / f"{digest}.jpg").is_file()
    assert opened(digest).format == "JPEG"
    assert opened(digest).mode == "RGB"


def test_the_same_bytes_again_change_nothing(tmp_path):
    data = picture()
    digest = store(data)
    file = Path(tmp_path) / image_name(digest)
    before = file.stat()
    os.utime(file, (1, 1))
    assert store(data) == digest
    assert (file.stat().st_ino, file.stat().st_size) == (before.st_ino, before.st_size)
    assert file.stat().st_mtime >= before.st_mtime  # it is in use again: not to be cleaned up
    assert len([one for one in tmp_path.rglob("*") if one.is_file()]) == 1


def test_it_is_scaled_down_and_keeps_its_proportions():
    assert opened(store(picture(size=(3000, 1500)))).size == (1280, 640)


def test_it_is_turned_upright_and_loses_its_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    exif[0x010E] = "where I live"
    stored = opened(store(picture(size=(60, 40), exif=exif.tobytes(), comment=b"secret")))
    assert stored.size == (40, 60)
    assert not stored.getexif()
    assert b"secret" not in read_image(store(picture(exif=exif.tobytes(), comment=b"secret")))


def test_what_is_transparent_becomes_white():
    red, green, blue = opened(store(picture(mode="RGBA", form="PNG", colour=(0, 0, 0, 0)))).getpixel((5, 5))
    assert min(red, green, blue) > 250


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16", "LA"])
def test_other_modes_are_converted(mode):
    form = "JPEG" if mode in ("L", "CMYK") else "PNG"
    colour = (0, 255) if mode == "LA" else 0
    buffer = io.BytesIO()
    Image.new(mode, (20, 20), colour if mode != "CMYK" else (0, 0, 0, 0)).save(buffer, form)
    assert opened(store(buffer.getvalue())).mode == "RGB"


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(form):
    with pytest.raises(ImageError, match="not a JPEG, PNG or WebP"):
        store_image(picture(form=form))


@pytest.mark.parametrize("data", [b"", b"<html><script>alert(1)</script></html>", b"<svg xmlns='x'/>", b"%!PS-Adobe"])
def test_what_is_no_picture_is_refused(data, tmp_path):
    with pytest.raises(ImageError, match="not a JPEG, PNG or WebP"):
        store_image(data)
    assert not list(tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(form):
    data = picture(size=(400, 400), form=form)
    with pytest.raises(ImageError):
        store_image(data[: len(data) // 2])


def test_markup_after_the_picture_is_not_stored():
    digest = store(picture() + b"<script>alert(1)</script>")
    assert b"script" not in read_image(digest)


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side):
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    png += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    for data in (png, bomb()):
        with pytest.raises(ImageError, match="megapixels"):
            store_image(data)


def test_one_pixel_trackers_are_refused():
    with pytest.raises(ImageError, match="smaller than"):
        store_image(picture(size=(1, 1), form="PNG"))


def test_too_many_bytes_are_refused():
    with pytest.raises(ImageError, match="8 megabytes"):
        store_image(picture() + b"\0" * 8 * 1024 * 1024)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_names_that_are_no_hash_are_refused(digest):
    with pytest.raises(ValueError, match="SHA-256"):
        image_file(digest)


def test_an_unknown_picture_is_told():
    with pytest.raises(FileNotFoundError):
        read_image("a" * 64)


def test_other_storages_get_it_once(settings):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    digest = store(picture())
    assert store(picture()) == digest
    assert sha256(read_image(digest)).hexdigest() == digest
