"""The dataset folder, as labels are exported to it and models are trained from it.

    records.jsonl   one JSON object a line: id, image (path inside the folder), title, brand, product, split
    images/         the pictures
    catalog.json    {"brands": [{"id", "name"}], "products": [{"id", "name", "brand"}]}
    manifest.json   {"format": 1, "counts": {…}, "created_at": ISO 8601}

`brand` is a brand's id, or "" for goods without one. `split` is "train" or "val".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
SPLITS = ("train", "val")
_TEXT_FIELDS = ("id", "image", "title", "brand", "product", "split")


class DatasetError(ValueError):
    """The dataset cannot be used. The message names the place, the value and what to do."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One labelled listing; `image` is an absolute path."""

    id: str
    image: Path
    title: str
    brand: str
    product: str
    split: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All records of a folder, and the names of brands and products by id."""

    folder: Path
    records: list[Record]
    brand_names: dict[str, str]
    product_names: dict[str, str]
    product_brands: dict[str, str]

    def split(self, name: str) -> list[Record]:
        return [record for record in self.records if record.split == name]


def read_dataset(folder: Path) -> Dataset:
    """Read and check a dataset folder; pictures are not opened here.

    Raises DatasetError naming file, line and field of the first thing that is wrong.
    """
    manifest = _read_object(folder / "manifest.json")
    if manifest.get("format") != FORMAT:
        raise DatasetError(f"{folder / 'manifest.json'}: format={manifest.get('format')!r}, this reads only {FORMAT}")
    catalog = _read_object(folder / "catalog.json")
    brand_names = {brand["id"]: brand["name"] for brand in _entries(folder, catalog, "brands", ("id", "name"))}
    products = _entries(folder, catalog, "products", ("id", "name", "brand"))
    path = folder / "records.jsonl"
    if not path.is_file():
        raise DatasetError(f"{path} is missing: export the dataset again")
    records = _read_records(path)
    dataset = Dataset(
        folder=folder,
        records=records,
        brand_names=brand_names,
        product_names={product["id"]: product["name"] for product in products},
        product_brands={product["id"]: product["brand"] for product in products},
    )
    _check_references(dataset, path)
    return dataset


def parse_record(line: str, *, folder: Path, place: str) -> Record:
    """One line of records.jsonl. Raises DatasetError that begins with `place` and names the field and its value."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{place}: not JSON ({error.msg} at column {error.colno})") from None
    except ValueError as error:  # a number of thousands of digits
        raise DatasetError(f"{place}: not JSON of a record ({error})") from None
    except RecursionError:
        raise DatasetError(f"{place}: not JSON of a record (nested too deep)") from None
    if not isinstance(value, dict):
        raise DatasetError(f"{place}: a {type(value).__name__} where an object is expected")
    for name in _TEXT_FIELDS:
        if not isinstance(value.get(name), str):
            raise DatasetError(f"{place}: {name}={value.get(name)!r} is not text")
    for name in ("id", "image", "product"):
        if not value[name]:
            raise DatasetError(f"{place}: {name} is empty")
    if value["split"] not in SPLITS:
        raise DatasetError(f"{place}: split={value['split']!r} is not one of {', '.join(SPLITS)}")
    image = folder / value["image"]
    if not _is_inside(image, folder):
        raise DatasetError(f"{place}: image={value['image']!r} lies outside the dataset folder")
    return Record(**{name: value[name] for name in _TEXT_FIELDS} | {"image": image})


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (ValueError, RuntimeError):  # NUL bytes, halves of surrogate pairs; links that go in circles
        return False


def _read_records(path: Path) -> list[Record]:
    records: dict[str, Record] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{path}:{number}"
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DatasetError(f"{place}: not UTF-8 ({error.reason} at byte {error.start + 1})") from None
            if not text.strip():
                continue
            record = parse_record(text, folder=path.parent, place=place)
            if record.id in records:
                raise DatasetError(f"{place}: id={record.id!r} came before: each record needs an id of its own")
            records[record.id] = record
    return list(records.values())


def _read_object(path: Path) -> dict[str, Any]:
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


def _entries(folder: Path, catalog: Mapping[str, Any], key: str, fields: tuple[str, ...]) -> list[dict[str, str]]:
    entries = catalog.get(key)
    path = folder / "catalog.json"
    if not isinstance(entries, list):
        raise DatasetError(f"{path}: {key}={entries!r} is not a list")
    for number, entry in enumerate(entries):
        for name in fields:
            if not isinstance(entry, dict) or not isinstance(entry.get(name), str):
                raise DatasetError(f"{path}: {key}[{number}] has no text {name!r}: {entry!r}")
    return entries


def _check_references(dataset: Dataset, path: Path) -> None:
    for record in dataset.records:
        if record.product not in dataset.product_names:
            raise DatasetError(f"{path}: record {record.id} names product {record.product!r}, which catalog.json lacks")
        if record.brand and record.brand not in dataset.brand_names:
            raise DatasetError(f"{path}: record {record.id} names brand {record.brand!r}, which catalog.json lacks")
