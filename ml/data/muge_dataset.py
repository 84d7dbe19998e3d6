"""MUGE's files into a dataset folder, a picture at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ml.data.bad_records import BadRecords
from ml.data.disk_map import DiskMap
from ml.data.errors import PictureError
from ml.data.images import picture_size
from ml.data.muge import BadLine, MugePicture, MugeQuery, read_pictures, read_queries
from ml.data.records import Record
from ml.data.writing import DatasetWriter

Tell = Callable[[str], None]  # "pictures" or "queries": one more of them is done


@dataclass(frozen=True, kw_only=True)
class MugePart:
    """The two files of one split."""

    split: str
    pictures: Path
    queries: Path


def convert_muge(parts: Sequence[MugePart], folder: Path, *, tell: Tell) -> dict[str, int]:
    """Write a dataset folder, pictures in tars: a record a query, with its text as title and all of its pictures.

    A line that cannot be used is named in the log and left out, and so is a query without a picture. Raises
    DatasetError for files that cannot be read, or once too many lines are bad. Returns the manifest's counts.
    """
    query = {"command": "data muge", "parts": [f"{one.split}: {one.pictures.name} {one.queries.name}" for one in parts]}
    bad = BadRecords()
    with DatasetWriter(folder, query=query, shards=True) as writer, DiskMap() as stored, DiskMap() as seen:
        for part in parts:
            for picture in read_pictures(part.pictures):
                tell("pictures")
                bad.total += 1
                _store(picture, writer, stored=stored, bad=bad)
        for part in parts:
            for found in read_queries(part.queries):
                tell("queries")
                bad.total += 1
                _write(found, writer, split=part.split, stored=stored, seen=seen, bad=bad)
        writer.counts["bad"] = bad.count
        counts = writer.counts
    return dict(counts)


def _store(picture: MugePicture | BadLine, writer: DatasetWriter, *, stored: DiskMap, bad: BadRecords) -> None:
    if isinstance(picture, BadLine):
        bad.report(picture.place, picture.reason)
        return
    try:
        width, height = picture_size(picture.data)
    except PictureError as error:
        bad.report(f"picture {picture.item}", error)
        return
    if stored.get(picture.item) is None:  # parts may share pictures
        # Items are named by strangers.
        name = sha256(picture.item.encode(errors="replace")).hexdigest()
        stored[picture.item] = f"{width} {height} {writer.picture(f'{name}.jpg', picture.data)}"


def _write(
    query: MugeQuery | BadLine, writer: DatasetWriter, *, split: str, stored: DiskMap, seen: DiskMap, bad: BadRecords
) -> None:
    if isinstance(query, BadLine):
        bad.report(query.place, query.reason)
        return
    name = f"{split}-{query.id}"
    if seen.get(name) is not None:
        bad.report(name, "this query came before")
        return
    seen[name] = ""
    pictures = [found.split(" ", 2) for item in query.items if (found := stored.get(item)) is not None]
    if not query.items:
        writer.counts["without_pictures"] += 1  # the challenge's test part is so
    elif len(pictures) < len(query.items):
        bad.report(name, f"{len(query.items) - len(pictures)} of its {len(query.items)} pictures are missing")
    if pictures:
        width, height = int(pictures[0][0]), int(pictures[0][1])
        refs = tuple(ref for _width, _height, ref in pictures)
        writer.listing(
            Record(
                id=name, images=refs, title=query.text, brand="", product="", split=split, width=width, height=height
            )
        )
