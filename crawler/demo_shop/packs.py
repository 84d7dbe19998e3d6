"""The printed faces of packs: carton, bottle, pouch and jar, with brand, motif, flavour and volume."""

from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFont

if TYPE_CHECKING:
    from crawler.demo_shop.pictures import Pack

FACE = (230, 380)  # pixels, width and height
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

# The printed label of each shape; the rest is cap, glass or seam.
_LABEL: dict[str, Box] = {
    "carton": (0, 70, 230, 380),
    "bottle": (35, 150, 195, 340),
    "pouch": (18, 60, 212, 350),
    "jar": (14, 150, 216, 330),
}


@lru_cache(maxsize=64)
def draw_face(pack: "Pack") -> Image.Image:
    """The front of the pack, RGBA, transparent outside its outline. Callers must not change it."""
    body = _draw_body(pack)
    left, top, right, bottom = _LABEL[pack.shape]
    label = _draw_label(pack, (right - left, bottom - top))
    body.paste(label, (left, top))
    shaded = ImageChops.multiply(body, _shading(pack.shape))
    shaded.putalpha(silhouette(pack.shape))
    return shaded


@lru_cache(maxsize=64)
def draw_side(pack: "Pack") -> Image.Image:
    """The narrow side of a carton: the second colour, a table of contents, in shadow."""
    width, height = 130, FACE[1]
    side = Image.new("RGBA", (width, height), (*_shade(pack.main, 0.74), 255))
    draw = ImageDraw.Draw(side)
    draw.polygon(((0, 0), (width, 28), (width, 70), (0, 70)), fill=(*_shade(pack.second, 0.7), 255))
    for line in range(12):
        draw.rectangle(
            (16, 120 + line * 14, 16 + 50 + (line * 37) % 48, 123 + line * 14), fill=(*_shade(pack.second, 0.7), 255)
        )
    for bar in range(18):
        draw.rectangle((20 + bar * 5, 320, 21 + bar * 5 + bar % 3, 356), fill=(30, 30, 30, 255))
    return side


@lru_cache(maxsize=8)
def silhouette(shape: str) -> Image.Image:
    """The outline of a shape as a mask (mode L)."""
    width, height = FACE
    mask = Image.new("L", FACE, 0)
    draw = ImageDraw.Draw(mask)
    if shape == "carton":
        draw.polygon(
            ((14, 0), (width - 14, 0), (width - 14, 22), (width, 70), (width, height), (0, height), (0, 70), (14, 22)),
            fill=255,
        )
    elif shape == "bottle":
        draw.rounded_rectangle((84, 0, 146, 36), radius=6, fill=255)
        draw.polygon(((90, 30), (140, 30), (140, 62), (195, 130), (35, 130), (90, 62)), fill=255)
        draw.rounded_rectangle((35, 112, 195, height), radius=22, fill=255)
    elif shape == "pouch":
        draw.rounded_rectangle((10, 20, 220, height - 4), radius=30, fill=255)
        draw.rectangle((10, 14, 220, 46), fill=255)
        draw.rounded_rectangle((95, 0, 135, 26), radius=5, fill=255)
    else:
        draw.rounded_rectangle((24, 70, 206, 124), radius=10, fill=255)
        draw.rounded_rectangle((14, 112, 216, height - 10), radius=34, fill=255)
    return mask


def _draw_body(pack: "Pack") -> Image.Image:
    width, height = FACE
    body = Image.new("RGBA", FACE, (*pack.main, 255))
    draw = ImageDraw.Draw(body)
    if pack.shape == "carton":
        draw.rectangle((0, 0, width, 22), fill=(*_shade(pack.main, 0.85), 255))
        draw.rectangle((0, 22, width, 70), fill=(*pack.second, 255))
        draw.ellipse((96, 26, 134, 64), fill=(*_shade(pack.accent, 0.9), 255))
    elif pack.shape == "bottle":
        glass = pack.accent if pack.motif != "drop" else (250, 250, 248)
        draw.rectangle((0, 0, width, height), fill=(*glass, 255))
        draw.rectangle((0, 0, width, 38), fill=(*pack.second, 255))
    elif pack.shape == "pouch":
        draw.rectangle((0, 0, width, 60), fill=(*pack.second, 255))
        draw.line((0, 52, width, 52), fill=(255, 255, 255, 255), width=2)
    else:
        draw.rectangle((0, 0, width, height), fill=(*_shade(pack.accent, 1.05), 255))
        draw.rectangle((0, 60, width, 124), fill=(*pack.second, 255))
        for x in range(24, 206, 8):
            draw.line((x, 70, x, 120), fill=(*_shade(pack.second, 0.82), 255), width=2)
    return body


def _draw_label(pack: "Pack", size: tuple[int, int]) -> Image.Image:
    width, height = size
    label = Image.new("RGBA", size, (*pack.main, 255))
    draw = ImageDraw.Draw(label)
    draw.rectangle((0, 0, width, int(height * 0.27)), fill=(*pack.second, 255))
    _text(draw, pack.brand, (width // 2, int(height * 0.135)), width - 20, 44, pack.main)
    centre, radius = (width // 2, int(height * 0.53)), int(min(width, height) * 0.21)
    _motif(draw, pack.motif, centre, radius, pack.accent)
    band = (0, int(height * 0.77), width, int(height * 0.91))
    draw.rectangle(band, fill=(*pack.accent, 255))
    ink = (255, 255, 255) if sum(pack.accent) < 430 else (40, 30, 20)
    _text(draw, pack.label, (width // 2, (band[1] + band[3]) // 2), width - 24, 26, ink)
    _text(draw, pack.volume, (width - 34, int(height * 0.955)), 60, 15, pack.second)
    return label


def _text(draw: ImageDraw.ImageDraw, text: str, centre: tuple[int, int], width: int, size: int, colour: Colour) -> None:
    """Text as large as fits `width`, at most `size` pixels."""
    font = ImageFont.load_default(size=size)
    size = min(size, int(size * width / max(1.0, font.getlength(text))))
    draw.text(centre, text, font=ImageFont.load_default(size=size), fill=(*colour, 255), anchor="mm")


def _motif(draw: ImageDraw.ImageDraw, motif: str, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    x, y = centre
    fill, dark, light = (*colour, 255), (*_shade(colour, 0.7), 255), (*_shade(colour, 1.35), 255)
    green = (70, 140, 60, 255)
    circle = (x - radius, y - radius, x + radius, y + radius)
    if motif == "citrus":
        draw.ellipse(circle, fill=fill, outline=dark, width=5)
        for angle in range(0, 360, 45):
            draw.pieslice(
                (x - radius + 9, y - radius + 9, x + radius - 9, y + radius - 9), angle + 4, angle + 41, fill=light
            )
    elif motif == "apple":
        draw.ellipse((x - radius, y - radius, x + radius // 3, y + radius), fill=fill)
        draw.ellipse((x - radius // 3, y - radius, x + radius, y + radius), fill=fill)
        draw.ellipse((x - radius // 2, y - radius // 2, x - radius // 5, y), fill=light)
        draw.line((x, y - radius + 6, x + 6, y - radius - 14), fill=(90, 60, 30, 255), width=5)
        draw.ellipse((x + 6, y - radius - 16, x + 34, y - radius), fill=green)
    elif motif == "berry":
        draw.polygon(((x - radius, y - radius // 2), (x + radius, y - radius // 2), (x, y + radius)), fill=fill)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius // 3), fill=fill)
        for dx, dy in ((-20, -14), (0, -20), (20, -12), (-12, 4), (12, 6), (0, 22)):
            draw.ellipse((x + dx - 2, y + dy - 3, x + dx + 2, y + dy + 3), fill=light)
        draw.polygon(((x - 24, y - radius - 4), (x + 24, y - radius - 4), (x, y - radius + 16)), fill=green)
    elif motif == "berries":
        for left, down in ((-0.5, 0.3), (0.5, 0.3), (0, -0.45)):
            cx, cy, r = x + round(radius * left), y + round(radius * down), round(radius * 0.55)
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=fill, outline=dark, width=3)
            draw.ellipse((cx - r // 3, cy - r // 3, cx + r // 3, cy + r // 3), fill=dark)
    elif motif == "grain":
        draw.line((x, y - radius, x, y + radius), fill=dark, width=4)
        for step in range(-radius, radius - 10, 16):
            draw.ellipse((x - 26, y + step, x - 2, y + step + 14), fill=fill)
            draw.ellipse((x + 2, y + step, x + 26, y + step + 14), fill=fill)
    elif motif == "flower":
        for left, down in ((0, -0.6), (0.57, -0.18), (0.35, 0.5), (-0.35, 0.5), (-0.57, -0.18)):
            cx, cy, r = x + round(radius * left), y + round(radius * down), round(radius * 0.42)
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=light, outline=fill, width=3)
        draw.ellipse((x - radius // 4, y - radius // 4, x + radius // 4, y + radius // 4), fill=dark)
    elif motif == "bean":
        for dx in (-radius // 2, radius // 3):
            draw.ellipse((x + dx - 20, y - radius, x + dx + 24, y + radius // 6), fill=fill, outline=dark, width=3)
            draw.ellipse((x + dx - 22, y - radius // 6, x + dx + 26, y + radius), fill=fill, outline=dark, width=3)
    else:
        draw.polygon(((x, y - radius - 10), (x - radius + 8, y + 4), (x + radius - 8, y + 4)), fill=fill)
        draw.ellipse((x - radius + 4, y - radius // 2, x + radius - 4, y + radius), fill=fill)
        draw.arc(
            (x - radius // 2, y - radius // 4, x + radius // 2, y + radius * 3 // 4), 100, 170, fill=light, width=6
        )


@lru_cache(maxsize=8)
def _shading(shape: str) -> Image.Image:
    """How much light falls on each column: round shapes darken towards their edges and carry a highlight."""
    width, height = FACE
    row = Image.new("L", (width, 1))
    for x in range(width):
        across = abs(x / (width - 1) * 2 - 1)
        dark = {"carton": 0.06, "pouch": 0.22, "bottle": 0.5, "jar": 0.42}[shape]
        highlight = 0.1 if shape != "carton" and 0.28 < x / width < 0.34 else 0.0
        row.putpixel((x, 0), int(255 * min(1.0, 0.96 - dark * across**3 + highlight)))
    tall = row.resize((width, height))
    return Image.merge("RGBA", (tall, tall, tall, Image.new("L", FACE, 255)))


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (max(0, min(255, int(part * factor))) for part in colour)
    return red, green, blue
