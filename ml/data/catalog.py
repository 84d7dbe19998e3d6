"""Our catalogue as a dataset folder carries it: catalog.json, and how any of its JSON files is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.data.errors import DatasetError
from ml.data.refs import parse_ref


@dataclass(frozen=True, kw_only=True)
class Brand:
    """A brand, and its other spellings."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product: `brand` is a brand's id or "", `images` are references to its catalogue pictures."""

    id: str
    name: str
    brand: str
    description: str = ""
    images: tuple[str, ...] = ()


def read_catalog(path: Path) -> tuple[dict[str, Brand], dict[str, Product]]:
    """Brands and products by id, in the file's order. Raises DatasetError naming entry, field and value."""
    catalog = read_object(path)
    brands = {
        entry["id"]: Brand(id=entry["id"], name=entry["name"], aliases=tuple(entry["aliases"]))
        for entry in _entries(path, catalog, "brands", texts=("name",), lists=("aliases",))
    }
    products = {
        entry["id"]: Product(
            id=entry["id"],
            name=entry["name"],
            brand=entry["brand"],
            description=entry["description"],
            images=tuple(entry["images"]),
        )
        for entry in _entries(path, catalog, "products", texts=("name", "brand", "description"), lists=("images",))
    }
    for number, product in enumerate(products.values()):
        if product.brand and product.brand not in brands:
            raise DatasetError(f"{path}: products[{number}] names brand={product.brand!r}, which is not in brands")
        for ref in product.images:
            try:
                parse_ref(ref)
            except ValueError as error:
                raise DatasetError(f"{path}: products[{number}] names images={ref!r}, which {error}") from None
    return brands, products


def _entries(
    path: Path, catalog: Mapping[str, Any], key: str, *, texts: tuple[str, ...], lists: tuple[str, ...]
) -> list[dict[str, Any]]:
    entries = catalog.get(key)
    if not isinstance(entries, list):
        raise DatasetError(f"{path}: {key}={entries!r} is not a list")
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        place = f"{path}: {key}[{number}]"
        if not isinstance(entry, dict):
            raise DatasetError(f"{place} is {entry!r} where an object is expected")
        for name in ("id", *texts):
            if not isinstance(entry.get(name), str):
                raise DatasetError(f"{place} has no text {name!r}: {entry!r}")
        for name in lists:
            value = entry.get(name)
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise DatasetError(f"{place} has no list of texts {name!r}: {entry!r}")
        if not entry["id"]:
            raise DatasetError(f"{place} has an empty id")
        if entry["id"] in seen:
            raise DatasetError(f"{place}: id={entry['id']!r} came before")
        seen.add(entry["id"])
    return entries


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object of a file. Raises DatasetError naming the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: name a dataset folder") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: a {type(value).__name__} where an object is expected")
    return value
