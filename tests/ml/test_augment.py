"""Views of a picture: what each operation does to it, and what none of them may do."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from ml.data.augment import OPERATIONS, colour_jitter, flip, rand_augment, random_resized_crop


def picture(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Noise over a slope from dark to light, a red half and a blue one."""
    slope = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", [slope.point(lambda v: 30 + v // 2), slope.point(lambda v: 150 - v // 3), slope])
    image.paste((200, 60, 40), (0, 0, size[0] // 2, size[1] // 2))
    noise = Image.frombytes("L", size, random.Random(0).randbytes(size[0] * size[1]))
    return Image.blend(image, noise.convert("RGB"), 0.3)


def brightness(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


def contrast(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).stddev[0]


def colourfulness(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("HSV")).mean[1]


def sharpness(image: Image.Image) -> float:
    grey = image.convert("L")
    return ImageStat.Stat(ImageChops.difference(grey, ImageChops.offset(grey, 1, 0))).mean[0]


def levels(image: Image.Image) -> int:
    return len(set(image.get_flattened_data(0)))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("share", [-0.9, 0.9])
def test_an_operation_changes_the_picture_and_keeps_size_and_mode(name: str, share: float) -> None:
    image = picture()
    before = image.tobytes()
    changed = OPERATIONS[name](image, share)
    assert (changed.size, changed.mode) == (image.size, "RGB")
    assert changed.tobytes() != before
    assert image.tobytes() == before, "the picture that was given was changed"


@pytest.mark.parametrize(
    ("name", "measure"),
    [("brightness", brightness), ("contrast", contrast), ("color", colourfulness), ("sharpness", sharpness)],
)
def test_what_is_enhanced_goes_up_to_one_side_and_down_to_the_other(name: str, measure) -> None:
    image = picture()
    less, same, more = (measure(OPERATIONS[name](image, share)) for share in (-0.9, 0.0, 0.9))
    assert less < same < more
    assert same == pytest.approx(measure(image))


def test_auto_contrast_and_equalize_use_the_whole_range() -> None:
    dull = picture().point(lambda value: 90 + value // 4)
    for name in ("auto_contrast", "equalize"):
        low, high = OPERATIONS[name](dull, 0.5).getextrema()[0]
        assert low <= 10
        assert high >= 245


def test_posterize_leaves_few_levels() -> None:
    assert levels(OPERATIONS["posterize"](picture(), 0.9)) <= 32 < levels(picture())


def test_solarize_turns_the_lightest_over_and_nothing_else() -> None:
    image = Image.new("RGB", (2, 1), (100, 100, 100))
    image.putpixel((1, 0), (250, 250, 250))
    assert list(OPERATIONS["solarize"](image, 0.9).get_flattened_data(0)) == [100, 5]


def test_solarize_add_lightens_the_dark_only() -> None:
    image = Image.new("RGB", (2, 1), (100, 100, 100))
    image.putpixel((1, 0), (200, 200, 200))
    assert list(OPERATIONS["solarize_add"](image, 0.9).get_flattened_data(0)) == [199, 200]


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [("translate_x", -24, 0), ("translate_y", 0, -16)],
)
def test_translating_moves_by_a_share_of_the_side(name: str, x: int, y: int) -> None:
    image = Image.new("RGB", (60, 40), "black")
    image.paste("white", (28, 18, 32, 22))
    left, top, _right, _bottom = OPERATIONS[name](image, 0.889).point(lambda v: 255 * (v > 200)).getbbox()
    assert (left, top) == (28 + x, 18 + y)


@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_to_one_side_is_the_mirror_of_the_other(name: str) -> None:
    """Of a picture that is the same from both sides."""
    image = Image.radial_gradient("L").resize((41, 41)).convert("RGB")
    turn = Image.Transpose.FLIP_TOP_BOTTOM if name in ("shear_y", "translate_y") else Image.Transpose.FLIP_LEFT_RIGHT
    one, other = OPERATIONS[name](image, 0.6), OPERATIONS[name](image, -0.6).transpose(turn)
    assert max(ImageStat.Stat(ImageChops.difference(one, other)).mean) < 3


def test_the_same_generator_gives_the_same_view_and_another_one_another() -> None:
    image = picture()
    for change in (
        lambda rng: rand_augment(image, rng),
        lambda rng: random_resized_crop(image, rng, 32),
        lambda rng: colour_jitter(image, rng),
    ):
        first, again, other = (change(random.Random(seed)).tobytes() for seed in (1, 1, 2))
        assert first == again != other


def test_there_is_neither_invert_nor_cutout() -> None:
    assert not {"invert", "cutout"} & set(OPERATIONS)
    assert len(OPERATIONS) == 14


def test_operations_and_magnitude_say_how_much() -> None:
    image = picture()
    assert rand_augment(image, random.Random(0), operations=0).tobytes() == image.tobytes()
    changes = [
        sum(
            max(ImageStat.Stat(ImageChops.difference(image, rand_augment(image, random.Random(seed), 1, m))).mean)
            for seed in range(60)
        )
        for m in (2, 9)
    ]
    assert changes[0] < changes[1]


@settings(max_examples=50)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 1000))
def test_any_picture_gives_a_view(width: int, height: int, seed: int) -> None:
    image, rng = picture((70, 70)).resize((width, height)), random.Random(seed)
    assert rand_augment(image, rng).size == (width, height)
    assert random_resized_crop(image, rng, 24).size == (24, 24)
    assert colour_jitter(flip(image, rng), rng).size == (width, height)


def test_a_crop_shows_so_much_of_the_area() -> None:
    """Each pixel of this picture has a value of its own along both sides, so a view tells what it shows."""
    across = Image.linear_gradient("L").rotate(90)
    image = Image.merge("RGB", [across, Image.linear_gradient("L"), across])
    shares = []
    for seed in range(200):
        view = random_resized_crop(image, random.Random(seed), 64, area=(0.3, 0.6))
        (left, right), (top, bottom), _ = view.getextrema()
        shares.append((right - left) * (bottom - top) / 256**2)
    assert 0.26 < min(shares) < 0.34
    assert 0.54 < max(shares) < 0.62
    assert 0.4 < sum(shares) / len(shares) < 0.5


def test_half_of_the_pictures_are_mirrored() -> None:
    image = picture()
    mirrored = sum(flip(image, random.Random(seed)).tobytes() != image.tobytes() for seed in range(400))
    assert 150 < mirrored < 250
    assert flip(image, random.Random(0), share=1.0).getpixel((0, 7)) == image.getpixel((59, 7))
