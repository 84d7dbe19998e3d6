"""Product photos, drawn: a pack of some shape under some light, at some angle, before some background.

Everything comes from a seed, so that the same listing shows the same photo on every machine.
"""

import io
import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from crawler.demo_shop.packs import FACE, draw_face, draw_side

SIDE = 420  # pixels of the square photo

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Pack:
    """What stands on the shelf. `shape` is one of carton, bottle, pouch, jar."""

    shape: str
    brand: str
    label: str
    volume: str
    motif: str
    main: Colour
    second: Colour
    accent: Colour


def draw_catalogue_picture(pack: Pack) -> bytes:
    """The pack from the front on white, as a catalogue shows it. JPEG bytes."""
    canvas = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 255))
    face = draw_face(pack).resize((round(FACE[0] * 0.9), round(FACE[1] * 0.9)), Image.Resampling.BILINEAR)
    canvas.alpha_composite(face, ((SIDE - face.width) // 2, (SIDE - face.height) // 2))
    return _jpeg(canvas.convert("RGB"), quality=90)


def draw_photo(pack: Pack, *, seed: str) -> bytes:
    """The pack as one seller photographed it: angle, light, background, crop and noise come from `seed`. JPEG bytes."""
    rng = random.Random(f"photo {seed}")  # noqa: S311
    scene = _background(rng)
    layer = _in_perspective(pack, rng)
    if rng.random() < 0.18:  # two of them, as in "2-pack"
        second = ImageChops.offset(layer, rng.choice((-105, 105)), rng.randint(-12, 4))
        _place(scene, second, rng)
    _place(scene, layer, rng)
    photo = _light(scene.convert("RGB"), rng)
    photo = _crop(photo, rng)
    if rng.random() < 0.2:
        _watermark(photo, rng)
    photo = _noise(photo, rng)
    return _jpeg(photo, quality=rng.randint(68, 90))


def _in_perspective(pack: Pack, rng: random.Random) -> Image.Image:
    """The pack on a transparent canvas, turned, scaled and leaning."""
    face = draw_face(pack)
    scale = rng.uniform(0.62, 0.98)
    width, height = FACE[0] * scale, FACE[1] * scale
    turn = rng.uniform(-0.55, 0.55)  # radians about the upright axis
    lean = math.radians(rng.gauss(0, 3.5))
    near = 1 + 0.22 * math.sin(turn)  # the nearer edge looks taller
    far = 1 - 0.22 * math.sin(turn)
    seen = width * math.cos(turn)
    cx, cy = SIDE / 2 + rng.uniform(-35, 35), SIDE * 0.52 + rng.uniform(-18, 25)
    left, right = cx - seen / 2, cx + seen / 2
    front = [(left, cy - height / 2 * far), (right, cy - height / 2 * near),
             (right, cy + height / 2 * near), (left, cy + height / 2 * far)]  # fmt: skip
    canvas = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    if pack.shape == "carton" and abs(turn) > 0.08:
        depth = width * 0.55 * abs(math.sin(turn))
        # Turned to the right (positive), the left side comes into view, and the other way round.
        x, part, sign = (left, far, -1) if turn > 0 else (right, near, 1)
        back = part * 0.9
        side = [(x, cy - height / 2 * part), (x + sign * depth, cy - height / 2 * back),
                (x + sign * depth, cy + height / 2 * back), (x, cy + height / 2 * part)]  # fmt: skip
        canvas.alpha_composite(_warp(draw_side(pack), _leaning(side, (cx, cy), lean)))
    canvas.alpha_composite(_warp(face, _leaning(front, (cx, cy), lean)))
    return canvas


def _leaning(
    corners: list[tuple[float, float]], centre: tuple[float, float], angle: float
) -> list[tuple[float, float]]:
    cos, sin = math.cos(angle), math.sin(angle)
    cx, cy = centre
    return [(cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos) for x, y in corners]


def _warp(image: Image.Image, corners: list[tuple[float, float]]) -> Image.Image:
    """`image` mapped onto the four corners (clockwise from top left) of the canvas."""
    width, height = image.size
    source = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, dtype=float), np.array(values, dtype=float))
    return image.transform(
        (SIDE, SIDE), Image.Transform.PERSPECTIVE, tuple(coefficients), resample=Image.Resampling.BILINEAR
    )


def _place(scene: Image.Image, layer: Image.Image, rng: random.Random) -> None:
    """Put the pack into the scene with its shadow."""
    alpha = layer.getchannel("A").resize((SIDE // 4, SIDE // 4))
    shadow = ImageChops.offset(alpha, rng.randint(-6, 6), rng.randint(1, 4)).filter(ImageFilter.GaussianBlur(3))
    shadow = shadow.point(lambda value: int(value * 0.5)).resize((SIDE, SIDE))
    scene.paste((20, 18, 16, 255), (0, 0), shadow)
    scene.alpha_composite(layer)


def _background(rng: random.Random) -> Image.Image:
    kind = rng.choice(("plain", "gradient", "table", "tiles", "shelf", "bokeh"))
    tone = rng.randint(150, 245)
    warm = rng.randint(-18, 22)
    base = (min(255, tone + warm), tone, max(0, tone - warm))
    image = Image.new("RGB", (SIDE, SIDE), base)
    draw = ImageDraw.Draw(image)
    if kind == "gradient":
        ramp = Image.linear_gradient("L").resize((SIDE, SIDE))
        image = Image.composite(image, Image.new("RGB", (SIDE, SIDE), _shade(base, 0.55)), ramp)
    elif kind == "table":
        top = rng.randint(int(SIDE * 0.5), int(SIDE * 0.72))
        wood = rng.choice(((150, 105, 65), (110, 76, 48), (200, 170, 130), (225, 222, 215)))
        draw.rectangle((0, top, SIDE, SIDE), fill=wood)
        for y in range(top, SIDE, rng.randint(9, 16)):
            draw.line((0, y, SIDE, y + rng.randint(-3, 3)), fill=_shade(wood, rng.uniform(0.86, 1.06)), width=2)
        image = image.filter(ImageFilter.GaussianBlur(1.5))
    elif kind == "tiles":
        size = rng.randint(46, 80)
        for x in range(0, SIDE, size):
            for y in range(0, SIDE, size):
                draw.rectangle((x + 1, y + 1, x + size - 2, y + size - 2), fill=_shade(base, rng.uniform(0.92, 1.05)))
        image = image.filter(ImageFilter.GaussianBlur(1.2))
    elif kind == "shelf":
        _shelf(draw, rng)
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(3, 6)))
    elif kind == "bokeh":
        draw.rectangle((0, 0, SIDE, SIDE), fill=_shade(base, 0.55))
        for _ in range(26):
            x, y, radius = rng.randint(0, SIDE), rng.randint(0, SIDE), rng.randint(10, 46)
            colour = (rng.randint(90, 255), rng.randint(90, 230), rng.randint(60, 200))
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        image = image.filter(ImageFilter.GaussianBlur(9))
    return image.convert("RGBA")


def _shelf(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    """Other packs in a row, out of focus."""
    x = -20
    while x < SIDE:
        width = rng.randint(40, 90)
        colour = (rng.randint(40, 240), rng.randint(40, 240), rng.randint(40, 240))
        draw.rectangle((x, rng.randint(20, 120), x + width, SIDE - 70), fill=colour)
        draw.rectangle((x + 6, SIDE // 2, x + width - 6, SIDE // 2 + 60), fill=_shade(colour, 1.4))
        x += width + rng.randint(2, 8)
    draw.rectangle((0, SIDE - 70, SIDE, SIDE), fill=(200, 198, 192))


def _light(image: Image.Image, rng: random.Random) -> Image.Image:
    """Exposure, contrast, colour temperature, and a lamp from one side."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.68, 1.18))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.82, 1.15))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.7, 1.2))
    warm = rng.uniform(0.9, 1.1)
    red, green, blue = image.split()
    red = red.point(lambda value: min(255, int(value * warm)))
    blue = blue.point(lambda value: min(255, int(value / warm)))
    image = Image.merge("RGB", (red, green, blue))
    ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(image.size)
    strength = rng.uniform(0.0, 0.45)
    ramp = ramp.point(lambda value: int(255 - (255 - value) * strength))
    return ImageChops.multiply(image, Image.merge("RGB", (ramp, ramp, ramp)))


def _crop(image: Image.Image, rng: random.Random) -> Image.Image:
    zoom = rng.uniform(0.72, 1.0)
    size = int(SIDE * zoom)
    x, y = rng.randint(0, SIDE - size), rng.randint(0, SIDE - size)
    return image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(x, y, x + size, y + size))


def _watermark(image: Image.Image, rng: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    text = rng.choice(("SALE", "-20%", "NEW", "x2", "TOP SHOP"))
    x, y = rng.choice(((8, 8), (SIDE - 130, 8), (8, SIDE - 52)))
    draw.rounded_rectangle(
        (x, y, x + 122, y + 44), radius=8, fill=rng.choice(((210, 30, 40), (240, 190, 0), (20, 20, 20)))
    )
    draw.text((x + 61, y + 22), text, font=ImageFont.load_default(size=24), fill="white", anchor="mm")


def _noise(image: Image.Image, rng: random.Random) -> Image.Image:
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    generator = np.random.default_rng(rng.getrandbits(32))
    grain = generator.normal(0, rng.uniform(1.5, 7.0), (SIDE, SIDE, 1)).astype(np.float32)
    pixels = np.asarray(image, dtype=np.float32) + grain
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (max(0, min(255, int(part * factor))) for part in colour)
    return red, green, blue


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
