"""A dataset folder of many small files into one of few tars."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from ml.data.bad_records import BadRecords
from ml.data.catalog import Product
from ml.data.disk_map import DiskMap
from ml.data.errors import DatasetError, PictureError
from ml.data.records import Dataset, read_dataset
from ml.data.writing import LABELS, DatasetWriter


def shard_dataset(source: Path, folder: Path, *, tell: Callable[[int], None]) -> dict[str, int]:
    """Write `source` again as `folder` with its pictures in tars, each of them once.

    A record with a picture that cannot be read is named in the log and left out. `tell` is told how many records there
    are in all, after each. Raises DatasetError for what is wrong with `source`, or once too many pictures cannot be
    read. Returns the manifest's counts.
    """
    data = read_dataset(source)
    records = data.everything()
    bad = BadRecords(total=len(records))
    query = dict(data.manifest.get("query") or {}) | {"sharded_from": data.manifest.get("hash")}
    with DatasetWriter(folder, query=query, shards=True) as writer, DiskMap() as moved:
        for record in records:
            try:
                writer.listing(replace(record, images=_move(record.images, data, writer, moved=moved)))
            except PictureError as error:
                bad.report(record.id, error)
            tell(len(records))
        products = list(_products(data, writer, moved=moved, bad=bad))
        writer.catalog(brands=data.brands.values(), products=products)
        for label in _labels(source / LABELS):
            writer.label(label)
        writer.counts["bad"] = bad.count
        counts = writer.counts
    return dict(counts)


def _move(refs: tuple[str, ...], data: Dataset, writer: DatasetWriter, *, moved: DiskMap) -> tuple[str, ...]:
    for ref in refs:
        if moved.get(ref) is None:
            content = data.picture(ref)
            if not content:
                raise PictureError(f"{ref} is empty")
            # What lay in a tar has no name of its own any more.
            name = f"{sha256(ref.encode()).hexdigest()}.jpg" if ":" in ref else ref.removeprefix("images/")
            moved[ref] = writer.picture(name, content)
    return tuple(moved.get(ref) or "" for ref in refs)


def _products(data: Dataset, writer: DatasetWriter, *, moved: DiskMap, bad: BadRecords) -> Iterator[Product]:
    for product in data.products.values():
        try:
            yield replace(product, images=_move(product.images, data, writer, moved=moved))
        except PictureError as error:
            bad.report(f"product {product.id}", error)
            yield replace(product, images=())


def _labels(path: Path) -> Iterator[dict]:
    """What is known of where the labels come from; nothing without the file."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DatasetError(f"{path}:{number}: not JSON ({error})") from None
            if not isinstance(value, dict):
                raise DatasetError(f"{path}:{number}: a {type(value).__name__} where an object is expected")
            yield value
