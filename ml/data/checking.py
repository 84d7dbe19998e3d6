"""Everything that is wrong with a dataset folder, not just the first thing."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from ml.data.catalog import read_catalog, read_object
from ml.data.disk_map import DiskMap
from ml.data.errors import DatasetError, PictureError
from ml.data.images import load_image
from ml.data.index import listing_lines
from ml.data.records import FORMAT, LISTINGS
from ml.data.refs import read_ref
from ml.data.writing import HASHED, LABELS, content_hash


def check_dataset(
    folder: Path, *, complain: Callable[[str], None], tell: Callable[[], object] = lambda: None
) -> dict[str, int]:
    """Read every line and decode every picture; `complain` of each that is wrong, `tell` after each line.

    Returns counts of what there is, and "bad": of what is wrong. Raises DatasetError for what is no dataset folder.
    """
    manifest = read_object(folder / "manifest.json")
    if manifest.get("format") != FORMAT:
        raise DatasetError(f"{folder / 'manifest.json'}: format={manifest.get('format')!r}, this reads only {FORMAT}")
    brands, products = read_catalog(folder / "catalog.json")
    counts: Counter[str] = Counter(records=0, pictures=0, train=0, val=0, test=0, labelled=0, labels=0, bad=0)

    def wrong(what: str) -> None:
        counts["bad"] += 1
        complain(what)

    with DiskMap() as seen:  # what was said of each picture before, and which ids came before

        def check_picture(ref: str, owner: str) -> None:
            said = seen.get(f"picture {ref}")
            if said is None:
                counts["pictures"] += 1
                said = _wrong_picture(folder, ref)
                seen[f"picture {ref}"] = said
            if said:
                wrong(f"{owner}: {ref}: {said}")

        for line in listing_lines(folder / LISTINGS, brands=brands, products=products):
            tell()
            record = line.content
            if isinstance(record, DatasetError):
                wrong(str(record))
                continue
            if seen.get(f"id {record.id}") is not None:
                wrong(f"{line.place}: id={record.id!r} came before")
            seen[f"id {record.id}"] = ""
            counts["records"] += 1
            counts[record.split] += 1
            counts["labelled"] += bool(record.product)
            for ref in record.images:
                check_picture(ref, f"record {record.id}")
        for product in products.values():
            for ref in product.images:
                check_picture(ref, f"product {product.id}")
    for number, problem in _label_problems(folder / LABELS):
        counts["labels"] += 1
        if problem:
            wrong(f"{folder / LABELS}:{number}: {problem}")
    if all((folder / name).exists() for name in HASHED) and content_hash(folder) != manifest.get("hash"):
        wrong(f"{folder / 'manifest.json'}: hash={manifest.get('hash')!r} is not that of the content: it was changed")
    return dict(counts)


def _wrong_picture(folder: Path, ref: str) -> str:
    try:
        load_image(read_ref(folder, ref))
    except PictureError as error:
        return str(error)
    return ""


def _label_problems(path: Path) -> Iterator[tuple[int, str]]:
    """Each line of labels.jsonl with what is wrong with it, "" for nothing."""
    if not path.exists():
        yield 0, "the file is missing"
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"not JSON ({error})"
                continue
            yield number, "" if isinstance(value, dict) else f"a {type(value).__name__} where an object is expected"
