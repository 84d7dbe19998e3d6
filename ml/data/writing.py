"""Writing a dataset folder, a record at a time: it appears whole under its name, or not at all."""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from ml.data.catalog import Brand, Product
from ml.data.errors import DatasetError
from ml.data.record_lines import Record
from ml.data.records import FORMAT, LISTINGS
from ml.data.shards import SHARD_BYTES, ShardWriter

LABELS, CATALOG, MANIFEST = "labels.jsonl", "catalog.json", "manifest.json"
HASHED = (LISTINGS, LABELS, CATALOG)


class DatasetWriter:
    """Used with `with`; what raises inside leaves nothing behind. `query` says what made it, for the manifest.

    Pictures go into images/, or into tars with `shards`. Raises DatasetError when `folder` is there already.
    """

    def __init__(
        self, folder: Path, *, query: Mapping[str, Any], shards: bool = False, shard_bytes: int = SHARD_BYTES
    ) -> None:
        if folder.exists():
            raise DatasetError(f"{folder} is already there: name a new folder")
        self.folder = folder
        self.counts: Counter[str] = Counter(records=0, labelled=0, train=0, val=0, test=0, pictures=0, labels=0)
        self._query = query
        self._temporary = folder.parent / f".{folder.name}-{uuid4().hex}"
        self._shard_bytes = shard_bytes if shards else 0
        self._shards: ShardWriter | None = None
        self._open = ExitStack()

    def __enter__(self) -> "DatasetWriter":
        try:
            (self._temporary / "images").mkdir(parents=True)
        except OSError as error:
            raise DatasetError(f"{self.folder} cannot be written: {error.strerror}") from None
        self._listings = self._open.enter_context((self._temporary / LISTINGS).open("w", encoding="utf-8"))
        self._labels = self._open.enter_context((self._temporary / LABELS).open("w", encoding="utf-8"))
        if self._shard_bytes:
            shards = ShardWriter(self._temporary / "shards", shard_bytes=self._shard_bytes)
            self._shards = self._open.enter_context(shards)
        self.catalog(brands=[], products=[])
        return self

    def picture(self, name: str, data: bytes) -> str:
        """Store a picture under a name that no other has; its reference."""
        self.counts["pictures"] += 1
        if self._shards is not None:
            return self._shards.add(f"images/{name}", data)
        with (self._temporary / "images" / name).open("xb") as file:
            file.write(data)
        return f"images/{name}"

    def listing(self, record: Record) -> None:
        """Append a record."""
        self._listings.write(_line(asdict(record)))
        self.counts["records"] += 1
        self.counts["labelled"] += bool(record.product)
        self.counts[record.split] += 1

    def label(self, value: Mapping[str, Any]) -> None:
        """Append a line of where the labels come from."""
        self._labels.write(_line(value))
        self.counts["labels"] += 1

    def catalog(self, *, brands: Iterable[Brand], products: Iterable[Product]) -> None:
        """Write the catalogue; empty unless this is called."""
        content = {"brands": [asdict(brand) for brand in brands], "products": [asdict(one) for one in products]}
        self.counts["brands"], self.counts["products"] = len(content["brands"]), len(content["products"])
        (self._temporary / CATALOG).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._open.close()
            if error is None:
                self._finish()
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _finish(self) -> None:
        manifest = {
            "format": FORMAT,
            "counts": dict(self.counts),
            "hash": content_hash(self._temporary),
            "query": dict(self._query),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (self._temporary / MANIFEST).write_text(text, encoding="utf-8")
        os.sync()  # once for all pictures: one by one takes minutes
        try:
            os.rename(self._temporary, self.folder)
        except OSError as error:
            raise DatasetError(f"{self.folder} cannot be written: {error.strerror}") from None
        os.sync()


def content_hash(folder: Path) -> str:
    """SHA-256 over listings, labels and catalogue: what the manifest's "hash" must be.

    Pictures are in it by their references, which an export names by their own SHA-256.
    """
    digest = hashlib.sha256()
    for name in HASHED:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _line(value: Mapping[str, Any]) -> str:
    # Halves of surrogate pairs, which shops leave that cut a title in an emoji, are no UTF-8: escaped they are JSON.
    text = json.dumps(value, ensure_ascii=False)
    return (text if text.isascii() or _encodable(text) else json.dumps(value)) + "\n"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
