import io
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml.data import images
from ml.data.images import (
    VILT_MEAN,
    VILT_STD,
    PictureError,
    load_image,
    normalise,
    picture_size,
    to_patches_size,
    to_square,
    to_tensor,
)
from tests.ml.factories import write_picture


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_it_reads_what_shops_send(kind: str, mode: str) -> None:
    image = load_image(encoded(Image.new(mode, (20, 10), 128 if mode == "L" else (128, 0, 0)), kind))
    assert (image.mode, image.size) == ("RGB", (20, 10))


def test_transparent_and_palette_pictures_are_read() -> None:
    assert load_image(encoded(Image.new("RGBA", (9, 9)), "PNG")).mode == "RGB"
    assert load_image(encoded(Image.new("P", (9, 9)), "PNG")).mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    """Not the colour that lies hidden beneath, which is black more often than not."""
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    read = load_image(encoded(image, "PNG"))
    assert [read.getpixel((0, 0)), read.getpixel((1, 0))] == [(255, 255, 255), (10, 20, 30)]


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90°
    assert load_image(encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif)).size == (10, 20)


def test_the_size_is_told_without_decoding() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (20, 10)), "JPEG", exif=exif)
    assert picture_size(data) == (10, 20)
    assert picture_size(encoded(Image.effect_noise((40, 30), 60), "JPEG")[:-200]) == (40, 30)
    for bad in (b"", b"<html></html>", encoded(Image.new("RGB", (9, 9)), "TIFF")):
        with pytest.raises(PictureError):
            picture_size(bad)


def test_a_missing_file_is_a_picture_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="missing"):
        load_image(tmp_path / "nowhere.jpg")


def test_a_folder_is_a_picture_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        load_image(tmp_path)


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n" + bytes(30)])
def test_what_is_no_picture_is_a_picture_error(data: bytes) -> None:
    with pytest.raises(PictureError):
        load_image(data)


def test_other_formats_are_not_even_tried() -> None:
    with pytest.raises(PictureError):
        load_image(encoded(Image.new("RGB", (9, 9)), "TIFF"))


def test_a_picture_cut_short_is_a_picture_error(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg", (9, 9, 9), size=(300, 300))
    with pytest.raises(PictureError, match="damaged"):
        load_image(path.read_bytes()[:-400])


def test_a_huge_picture_is_a_picture_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 99)
    with pytest.raises(PictureError, match="10×10 pixels are more than 99"):
        load_image(encoded(Image.new("RGB", (10, 10)), "PNG"))


JPEG = encoded(Image.effect_noise((32, 32), 60), "JPEG")


@given(st.integers(0, len(JPEG) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_read_or_a_picture_error(place: int, value: int) -> None:
    damaged = bytearray(JPEG)
    damaged[place] = value
    try:
        image = load_image(bytes(damaged))
    except PictureError:
        return
    assert image.mode == "RGB"


def test_the_tensor_is_normalised_as_efficientnet_lite_was_trained() -> None:
    tensor = to_tensor(Image.new("RGB", (50, 20), (0, 127, 255)), size=32)
    assert tensor.shape == (3, 32, 32)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor[:, 5, 7], torch.tensor([-127 / 128, 0.0, 1.0]))


def test_each_channel_is_normalised_by_its_own_mean_and_deviation() -> None:
    tensor = normalise(Image.new("RGB", (3, 2), (255, 51, 0)), mean=(0.5, 0.1, 0.0), std=(0.5, 0.2, 1.0))
    assert tensor.shape == (3, 2, 3)
    torch.testing.assert_close(tensor[:, 1, 2], torch.tensor([1.0, 0.5, 0.0]))


def test_a_square_shows_the_whole_picture() -> None:
    image = Image.new("RGB", (60, 20), "red")
    image.paste("blue", (30, 0, 60, 20))
    square = to_square(image, 32)
    assert square.size == (32, 32)
    assert square.getpixel((0, 16)) == (255, 0, 0)
    assert square.getpixel((31, 16)) == (0, 0, 255)


@given(st.integers(1, 900), st.integers(1, 900))
def test_patches_keep_the_aspect_within_the_sides(width: int, height: int) -> None:
    view = to_patches_size(Image.new("RGB", (width, height)), shorter=64, longer=128, divisor=32)
    assert view.width % 32 == view.height % 32 == 0
    assert 32 <= min(view.size) <= 64
    assert max(view.size) <= 128
    if 2 * min(width, height) >= max(width, height):  # neither side was cut short
        assert abs(view.width / 64 - width / min(width, height)) <= 0.51
        assert abs(view.height / 64 - height / min(width, height)) <= 0.51


@pytest.mark.parametrize("size", [(640, 480), (348, 348), (1280, 300), (90, 200), (333, 777)])
def test_patches_have_the_size_that_transformers_gives_them(size: tuple[int, int]) -> None:
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    image = Image.effect_noise(size, 60).convert("RGB")
    theirs = ViltImageProcessorPil()(image, return_tensors="pt")["pixel_values"][0]
    ours = normalise(to_patches_size(image), VILT_MEAN, VILT_STD)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
