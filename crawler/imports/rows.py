"""One row of a file: what it says, checked; or what is wrong with it, for the person who can mend the file."""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _
from price_parser import Price

from crawler.models import Listing
from mmproject.ids import content_id
from mmproject.links import is_web_link

SHOWN = 100  # characters of a value in a problem
_MAX_ADDRESS = 2000
_MAX_ITEM_ID = 200
_MAX_PRICE = 1e12
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What stands in one row: field to value, for the columns that the file has. `picture`: its bytes, in the row."""

    line: int
    values: Mapping[str, Any]
    picture: bytes | None = None
    file: str = ""  # where an import reads several


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a row, or only its picture, is left out. `field` is empty when it is not about one."""

    line: int
    message: str
    field: str = ""
    value: str = ""
    file: str = ""
    skipped: bool = True  # False: the listing is imported, without its picture

    def as_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "field": self.field,
            "value": _storable(self.value)[:SHOWN],
            "message": self.message[:300],
            "file": self.file,
            "skipped": self.skipped,
        }


class Rows(Protocol):
    """A file being read. `count` is how many rows it has, or what comes near; `warnings` are complete at the end."""

    @property
    def warnings(self) -> list[str]: ...

    def count(self) -> int: ...

    def __iter__(self) -> "Iterator[Row | Problem]": ...


@dataclass(kw_only=True)
class ImportRow:
    """A row that can be imported: the values of a listing that it gives, and where its picture is.

    `image` is a name among the pictures that came with the file; pictures on the web have `image_url` in `values`.
    """

    id: str
    line: int
    item_id: str
    values: dict[str, Any]
    image: str = ""
    picture: bytes | None = None
    file: str = ""


class _WrongError(ValueError):
    def __init__(self, field: str, value: Any, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


def checked(row: Row, *, source: str) -> ImportRow | Problem:
    """The row as values of a listing, or the first thing that is wrong with it.

    A column that the file does not have leaves what the listing says; an empty cell empties it. Without an item id the
    address names the item, else title and picture do. Texts are cut to what a document holds.
    """
    try:
        return _checked(row, source)
    except _WrongError as error:
        shown = _text(error.value) if isinstance(error.value, str) else repr(error.value)
        return Problem(line=row.line, field=error.field, value=shown, message=str(error), file=row.file)


def _checked(row: Row, source: str) -> ImportRow:
    cells = {name: _cell(name, value) for name, value in row.values.items()}
    title = cells.get("title", "")
    if not title:
        raise _WrongError("title", "", _("The title is missing."))
    values: dict[str, Any] = {"title": title[:500]}
    for name in ("url", "shop_url"):
        if name in cells:
            values[name] = _address(name, cells[name])
    if "price" in cells:
        values["price"], currency = _price(row.values["price"], cells["price"])
        if currency:
            values["currency"] = currency[:8]
    for name, length in (("currency", 8), ("shop_name", 200)):
        if cells.get(name) or (name in cells and name not in values):
            values[name] = cells[name][:length]
    image = cells.get("image", "")
    if "://" in image or image.startswith("//"):
        values["image_url"] = _address("image", image)
    elif image:
        image = _picture_name(image)
    item_id = cells.get("item_id", "")
    if len(item_id) > _MAX_ITEM_ID:
        raise _WrongError("item_id", item_id, _("It is longer than %(max)d characters.") % {"max": _MAX_ITEM_ID})
    if not item_id:
        item_id = content_id("url", values["url"]) if values.get("url") else content_id("title", title, image)
    return ImportRow(
        id=Listing.make_id(source=source, item_id=item_id),
        line=row.line,
        item_id=item_id,
        values=values,
        image="" if "image_url" in values else image,
        picture=row.picture,
        file=row.file,
    )


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongError(name, value, _("It should be a text or a number."))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)  # spreadsheets keep an id of digits as 12345.0
    return str(value)


def _text(value: str) -> str:
    return _storable(value).strip()


def _storable(value: str) -> str:
    """Half a surrogate pair, which no document can hold, becomes a question mark; so does NUL, which ends C strings."""
    return value.encode(errors="replace").decode().replace("\0", "?")


def _address(name: str, value: str) -> str:
    if value and not is_web_link(value):
        raise _WrongError(name, value, _("It should be an address that starts with http:// or https://."))
    if len(value) > _MAX_ADDRESS:
        raise _WrongError(name, value, _("It is longer than %(max)d characters.") % {"max": _MAX_ADDRESS})
    return value


def _price(value: Any, shown: str) -> tuple[float | None, str]:
    """Amount and the currency's sign where there is one. A plain number is taken as it stands."""
    text = unicodedata.normalize("NFKC", shown)
    if not text:
        return None, ""
    wrong = _WrongError("price", value, _("It is no price."))
    if _NUMBER.fullmatch(text):
        amount, currency = float(text), ""
    else:
        found = Price.fromstring(shown if "￥" in shown else text)
        if found.amount is None or text.lstrip("¥$€£ ").startswith(("-", "−")):
            raise wrong
        amount, currency = float(found.amount), found.currency or ""
    if not math.isfinite(amount) or not 0 <= amount <= _MAX_PRICE:
        raise wrong
    return amount, currency


def _picture_name(value: str) -> str:
    """A name relative to the folder of the pictures, with slashes; what leads out of it is refused."""
    name = value.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = re.match(r"[A-Za-z]:", name)
    if name.startswith("/") or drive or ".." in parts or not parts or len(name) > 1000:
        message = _("It should be a web address, or a name inside the folder of the pictures.")
        raise _WrongError("image", value, message)
    return "/".join(parts)
