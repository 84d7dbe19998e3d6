"""One line of listings.jsonl: what it must hold, and how each mistake in it is named."""

import json
from dataclasses import dataclass
from typing import Any

from ml.data.errors import DatasetError
from ml.data.refs import parse_ref

SPLITS = ("train", "val", "test")
MAX_SIDE = 2**16  # pixels
_TEXT_FIELDS = ("id", "title", "brand", "product", "split")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One listing. `images` are references that `Dataset.picture` reads; `product` "" is not labelled, `brand` "" is
    without one; `width` and `height` are pixels of the first picture, 0 where nobody knows."""

    id: str
    images: tuple[str, ...]
    title: str
    brand: str
    product: str
    split: str
    width: int = 0
    height: int = 0


def parse_record(line: str | bytes, *, place: str) -> Record:
    """One line of listings.jsonl. Raises DatasetError that begins with `place` and names the field and its value."""
    value = _json_object(line, place=place)
    for name in _TEXT_FIELDS:
        if not isinstance(value.get(name), str):
            raise DatasetError(f"{place}: {name}={value.get(name)!r} is not text")
    if not value["id"]:
        raise DatasetError(f"{place}: id is empty")
    if value["split"] not in SPLITS:
        raise DatasetError(f"{place}: split={value['split']!r} is not one of {', '.join(SPLITS)}")
    for name in ("width", "height"):
        side = value.get(name)
        if type(side) is not int or not 0 <= side <= MAX_SIDE:
            raise DatasetError(f"{place}: {name}={side!r} is not a number of pixels from 0, unknown, to {MAX_SIDE}")
    return Record(
        id=value["id"],
        images=_images(value.get("images"), place=place),
        title=value["title"],
        brand=value["brand"],
        product=value["product"],
        split=value["split"],
        width=value["width"],
        height=value["height"],
    )


def _json_object(line: str | bytes, *, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode() if isinstance(line, bytes) else line)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{place}: not UTF-8 ({error.reason} at byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise DatasetError(f"{place}: not JSON ({error.msg} at column {error.colno})") from None
    except ValueError as error:  # a number of thousands of digits
        raise DatasetError(f"{place}: not JSON of a record ({error})") from None
    except RecursionError:
        raise DatasetError(f"{place}: not JSON of a record (nested too deep)") from None
    if not isinstance(value, dict):
        raise DatasetError(f"{place}: a {type(value).__name__} where an object is expected")
    return value


def _images(value: Any, *, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(ref, str) for ref in value):
        raise DatasetError(f"{place}: images={value!r} is not a list of texts")
    if not value:
        raise DatasetError(f"{place}: images is empty: a record needs a picture")
    for ref in value:
        try:
            parse_ref(ref)
        except ValueError as error:
            raise DatasetError(f"{place}: images={ref!r} {error}") from None
    return tuple(value)
