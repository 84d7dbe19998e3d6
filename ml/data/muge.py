"""The files of MUGE (ECommerce-IR), read a line at a time: queries with the ids of their pictures, pictures in base64.

    *_imgs.tsv     item id, a tab, a picture in base64
    *_texts.jsonl  {"query_id", "query_text", "item_ids"}; in Chinese-CLIP's copy "text_id", "text", "image_ids"

Yang et al. 2022, "Chinese CLIP", section 3.1; github.com/OFA-Sys/Chinese-CLIP describes the copy.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ml.data.errors import DatasetError
from ml.data.refs import MAX_PICTURE

MAX_TEXT = 1024**2  # bytes of a query's line
_STANDARD = bytes.maketrans(b"-_", b"+/")  # some copies use the alphabet for addresses
_NAMES = {"id": ("query_id", "text_id"), "text": ("query_text", "text"), "items": ("item_ids", "image_ids")}


@dataclass(frozen=True, slots=True)
class MugeQuery:
    """What somebody searched for, and the items that they found."""

    id: str
    text: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MugePicture:
    """An item's picture, not decoded beyond base64."""

    item: str
    data: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used: its place, and what is wrong."""

    place: str
    reason: str


def read_queries(path: Path) -> Iterator[MugeQuery | BadLine]:
    """The queries of a texts.jsonl. Raises DatasetError when the file cannot be read."""
    for place, line in _lines(path, max_bytes=MAX_TEXT):
        yield BadLine(place, "the line is too long") if line is None else _query(line, place=place)


def read_pictures(path: Path) -> Iterator[MugePicture | BadLine]:
    """The pictures of an imgs.tsv, one in memory at a time. Raises DatasetError when the file cannot be read."""
    for place, line in _lines(path, max_bytes=MAX_PICTURE * 4 // 3):
        yield BadLine(place, "the picture is too large") if line is None else _picture(line, place=place)


def _lines(path: Path, *, max_bytes: int) -> Iterator[tuple[str, bytes | None]]:
    """Lines with their places; None for one that is longer than `max_bytes`. Empty ones are passed over."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(max_bytes + 1):
                number += 1
                too_long = len(line) > max_bytes
                if too_long and not line.endswith(b"\n"):
                    _skip_line(file)
                if line.strip():
                    yield f"{path}:{number}", None if too_long else line
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(1024**2)) and not rest.endswith(b"\n"):
        pass


def _query(line: bytes, *, place: str) -> MugeQuery | BadLine:
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        return BadLine(place, f"not JSON ({error})")
    if not isinstance(value, dict):
        return BadLine(place, f"a {type(value).__name__} where an object is expected")
    found = {key: next((value[name] for name in names if name in value), None) for key, names in _NAMES.items()}
    if not _is_id(found["id"]):
        return BadLine(place, f"{_NAMES['id'][0]}={found['id']!r} is not an id")
    if not isinstance(found["text"], str) or not found["text"].strip():
        return BadLine(place, f"{_NAMES['text'][0]}={found['text']!r} is not a text")
    items = [] if found["items"] is None else found["items"]  # the test part names none
    if not isinstance(items, list) or not all(_is_id(item) for item in items):
        return BadLine(place, f"{_NAMES['items'][0]}={items!r} is not a list of ids")
    return MugeQuery(str(found["id"]), found["text"].strip(), tuple(dict.fromkeys(str(item) for item in items)))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip() != ""


def _picture(line: bytes, *, place: str) -> MugePicture | BadLine:
    name, tab, encoded = line.rstrip(b"\r\n").partition(b"\t")
    item = name.decode(errors="replace").strip()
    if not tab or not item:
        return BadLine(place, "not an id, a tab and a picture in base64")
    try:
        return MugePicture(item, base64.b64decode(encoded.strip().translate(_STANDARD), validate=True))
    except (binascii.Error, ValueError):
        return BadLine(place, f"the picture of item {item} is not in base64")
