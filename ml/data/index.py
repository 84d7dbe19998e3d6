"""What is held in memory of a listings.jsonl of any length: where each line is, and what batches are planned by."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ml.data.bad_records import BadRecords
from ml.data.errors import DatasetError
from ml.data.record_lines import SPLITS, Record, parse_record

MAX_LINE = 1024**2  # bytes


@dataclass(frozen=True, kw_only=True)
class Index:
    """One row a record, in the file's order.

    `offsets` (n,) int64 and `sizes` (n,) int32 of the lines in bytes; `splits` (n,) int8, places in SPLITS; `products`,
    `brands` (n,) int32, places in the catalogue, -1 for none; `shapes` (n, 2) int32, width and height in pixels;
    `title_lengths` (n,) int32, in characters.
    """

    offsets: np.ndarray
    sizes: np.ndarray
    splits: np.ndarray
    products: np.ndarray
    brands: np.ndarray
    shapes: np.ndarray
    title_lengths: np.ndarray


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a listings.jsonl: `place` as messages name it, `size` bytes from `offset`; its record, or what is
    wrong with it."""

    place: str
    offset: int
    size: int
    content: Record | DatasetError


def listing_lines(path: Path, *, brands: Collection[str], products: Collection[str]) -> Iterator[Line]:
    """All lines but empty ones, each checked by itself and against the ids of the catalogue.

    Raises DatasetError when the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            offset = number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                place = f"{path}:{number}"
                size = len(line)
                if size > MAX_LINE:
                    yield Line(place, offset, size, DatasetError(f"{place}: the line is longer than {MAX_LINE} bytes"))
                    size += 0 if line.endswith(b"\n") else _skip_line(file)
                elif line.strip():
                    yield Line(place, offset, size, _checked(line, place=place, brands=brands, products=products))
                offset += size
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing: export the dataset again") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while rest := file.readline(MAX_LINE):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _checked(line: bytes, *, place: str, brands: Collection[str], products: Collection[str]) -> Record | DatasetError:
    try:
        record = parse_record(line, place=place)
    except DatasetError as error:
        return error
    for name, known in (("product", products), ("brand", brands)):
        value = getattr(record, name)
        if value and value not in known:
            return DatasetError(f"{place}: record {record.id} names {name} {value!r}, which catalog.json lacks")
    return record


def index_listings(
    path: Path, *, brands: Sequence[str], products: Sequence[str], bad: BadRecords | None = None
) -> Index:
    """Go through all lines once and check each.

    A line that is wrong is reported to `bad` and left out; without `bad` the first one ends it. Raises DatasetError
    naming file, line and field; also for an id that comes twice.
    """
    brand_places = {brand: place for place, brand in enumerate(brands)} | {"": -1}
    product_places = {product: place for place, product in enumerate(products)} | {"": -1}
    offsets, hashes = array("q"), array("q")
    sizes, product_codes, brand_codes, shapes, title_lengths = (array("i") for _ in range(5))
    splits = array("b")
    for line in listing_lines(path, brands=brand_places, products=product_places):
        if bad is not None:
            bad.total += 1
        if isinstance(line.content, DatasetError):
            if bad is None:
                raise line.content
            bad.report(line.place, line.content)
            continue
        record = line.content
        offsets.append(line.offset)
        sizes.append(line.size)
        hashes.append(hash(record.id))
        splits.append(SPLITS.index(record.split))
        product_codes.append(product_places[record.product])
        brand_codes.append(brand_places[record.brand])
        shapes.extend((record.width, record.height))
        title_lengths.append(len(record.title))
    _check_ids(path, np.array(offsets, dtype=np.int64), np.array(hashes, dtype=np.int64))
    return Index(
        offsets=np.array(offsets, dtype=np.int64),
        sizes=np.array(sizes, dtype=np.int32),
        splits=np.array(splits, dtype=np.int8),
        products=np.array(product_codes, dtype=np.int32),
        brands=np.array(brand_codes, dtype=np.int32),
        shapes=np.array(shapes, dtype=np.int32).reshape(-1, 2),
        title_lengths=np.array(title_lengths, dtype=np.int32),
    )


def _check_ids(path: Path, offsets: np.ndarray, hashes: np.ndarray) -> None:
    """Ids are told apart by 64 bits; only where two agree are the ids themselves read again."""
    ordered = np.sort(hashes)
    doubtful = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(doubtful):
        return
    seen: set[str] = set()
    wanted = set(offsets[np.isin(hashes, doubtful)].tolist())
    with path.open("rb") as file:
        offset = 0
        for number, line in enumerate(file, 1):
            place = f"{path}:{number}"
            if offset in wanted:
                record = parse_record(line, place=place)
                if record.id in seen:
                    raise DatasetError(f"{place}: id={record.id!r} came before: each record needs an id of its own")
                seen.add(record.id)
            offset += len(line)
