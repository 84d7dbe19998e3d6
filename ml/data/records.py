"""The dataset folder, as labels are exported to it and models are trained from it. Format 2.

    listings.jsonl  one JSON object a line: id, images (references), title, brand, product, split, width, height
    labels.jsonl    where it comes from: every label and judgment of these listings, its review, who, when, used or not
    catalog.json    {"brands": [{"id", "name", "aliases"}],
                     "products": [{"id", "name", "brand", "description", "images"}]}
    manifest.json   {"format": 2, "counts": {…}, "hash": SHA-256, "query": {what made it}, "created_at": ISO 8601}
    images/ shards/ the pictures, as files or inside uncompressed tars

A reference is "images/NAME" or "shards/NAME.tar:OFFSET+SIZE". `brand` is a brand's id, or "" for goods without one;
`product` is a product's id, or "" where nobody has labelled the listing; `split` is "train", "val" or "test".

Lines stay on the disk: some 30 bytes a record are held in memory, and a picture only while it is asked for.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ml.data.bad_records import BadRecords
from ml.data.catalog import Brand, Product, read_catalog, read_object
from ml.data.errors import DatasetError, PictureError
from ml.data.record_lines import SPLITS, Record, parse_record
from ml.data.refs import read_ref

if TYPE_CHECKING:
    import numpy as np

    from ml.data.index import Index

__all__ = ["Brand", "Dataset", "DatasetError", "PictureError", "Product", "Record", "Records", "read_dataset"]

FORMAT = 2
LISTINGS = "listings.jsonl"


class Records(Sequence[Record]):
    """Some records of a listings.jsonl, in an order. Each is read from the file when it is asked for.

    What batches are planned by is known of all of them without reading: `products`, `brands` (n,) int32, places in the
    dataset's `products` and `brands`, -1 for none; `shapes` (n, 2) int32, width and height; `title_lengths` (n,) int32,
    in characters.
    """

    def __init__(self, path: Path, index: "Index", rows: "np.ndarray") -> None:
        self._path, self._index, self._rows = path, index, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> "Records": ...
    def __getitem__(self, place: int | slice) -> "Record | Records":
        if isinstance(place, slice):
            return Records(self._path, self._index, self._rows[place])
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return self._read(descriptor, int(self._rows[place]))
        finally:
            os.close(descriptor)

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            for row in self._rows:
                yield self._read(file.fileno(), int(row))

    def _read(self, descriptor: int, row: int) -> Record:
        offset, size = int(self._index.offsets[row]), int(self._index.sizes[row])
        # By position, not by seeking: the processes that load data may share one open file.
        return parse_record(os.pread(descriptor, size, offset), place=f"{self._path}, byte {offset}")

    def take(self, places: "Sequence[int] | np.ndarray") -> "Records":
        """The records at `places`, or where a mask of booleans is true, in that order."""
        import numpy as np

        chosen = np.asarray(places)
        return Records(self._path, self._index, self._rows[chosen if len(chosen) else chosen.astype(np.int64)])

    @property
    def products(self) -> "np.ndarray":
        return self._index.products[self._rows]

    @property
    def brands(self) -> "np.ndarray":
        return self._index.brands[self._rows]

    @property
    def shapes(self) -> "np.ndarray":
        return self._index.shapes[self._rows]

    @property
    def title_lengths(self) -> "np.ndarray":
        return self._index.title_lengths[self._rows]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset folder that has been checked, but for its pictures."""

    folder: Path
    manifest: dict
    brands: dict[str, Brand]
    products: dict[str, Product]
    index: "Index" = field(repr=False)

    def split(self, name: str, *, labelled: bool = True) -> Records:
        """The records of one split: those with a product, or all of them. Raises ValueError for no such split."""
        import numpy as np

        if name not in SPLITS:
            raise ValueError(f"split={name!r} is not one of {', '.join(SPLITS)}")
        wanted = self.index.splits == SPLITS.index(name)
        if labelled:
            wanted &= self.index.products >= 0
        return Records(self.folder / LISTINGS, self.index, np.flatnonzero(wanted))

    def everything(self) -> Records:
        """All records, labelled or not, in the file's order."""
        import numpy as np

        return Records(self.folder / LISTINGS, self.index, np.arange(len(self.index.offsets)))

    def picture(self, ref: str) -> bytes:
        """The bytes behind a reference, not yet decoded. Raises PictureError, which says why, for one that is bad."""
        return read_ref(self.folder, ref)


def read_dataset(folder: Path, *, bad: BadRecords | None = None) -> Dataset:
    """Read and check a dataset folder; pictures are not opened here.

    Raises DatasetError naming file, line and field of the first thing that is wrong. With `bad`, a line that is wrong
    is reported there and left out.
    """
    from ml.data.index import index_listings

    manifest = read_object(folder / "manifest.json")
    if manifest.get("format") != FORMAT:
        found = manifest.get("format")
        raise DatasetError(f"{folder / 'manifest.json'}: format={found!r}, this reads only {FORMAT}: export it again")
    brands, products = read_catalog(folder / "catalog.json")
    index = index_listings(folder / LISTINGS, brands=list(brands), products=list(products), bad=bad)
    return Dataset(folder=folder, manifest=manifest, brands=brands, products=products, index=index)
