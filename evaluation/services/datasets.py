"""From approved labels and judgments to the dataset folder that `ml.training` reads.

A reviewed label outweighs judgments; of two reviewed labels of one listing the later review counts; judgments that
contradict one another are left out. The split follows from the picture's hash, so the same picture is never in both
parts, and a picture keeps its part from one training to the next (unless a product would have nothing to train on).
"""

import json
import logging
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from annotation.models import Brand, Label, Product, Review
from crawler.images import read_image
from evaluation.models import Judgment, TrainingPicture, Verdict
from mmproject.ids import new_id

logger = logging.getLogger(__name__)

VAL_EVERY = 8
CHUNK = 1000


@dataclass(frozen=True)
class Example:
    """`This listing's picture and title show this product.`"""

    listing_id: str
    image_sha256: str
    title: str
    product_id: str


def dataset_export(*, run_id: str, folder: Path) -> dict[str, int]:
    """Write the dataset to `folder` unless it is there already; returns the manifest's counts.

    Written beside its place and renamed, so that a folder of this name is always complete. The pictures are also noted
    in the database, so that predictions on them can be told from predictions on fresh ones.
    """
    if not (folder / "manifest.json").exists():
        temporary = folder.parent / f".{folder.name}-{new_id()}"
        try:
            _write(temporary, examples())
            os.rename(temporary, folder)
        except OSError:
            if not (folder / "manifest.json").exists():  # else another worker was quicker with the same content
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    counts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["counts"]
    _note_pictures(run_id=run_id, folder=folder)
    return counts


def examples() -> list[Example]:
    """All that people have said, one product a listing, in the order of the listing ids."""
    said: dict[str, Example | None] = {}
    right = Judgment.objects.filter(verdict=Verdict.RIGHT)
    for listing, sha, title, product in right.values_list(
        "listing_id", "image_sha256", "title", "predicted_product_id"
    ):
        _agree(said, Example(listing, sha, title, product))
    corrected = Judgment.objects.filter(verdict=Verdict.WRONG).exclude(right_product_id="")
    for listing, sha, title, product in corrected.values_list(
        "listing_id", "image_sha256", "title", "right_product_id"
    ):
        _agree(said, Example(listing, sha, title, product))
    labels = Label.objects.filter(review=Review.APPROVED).order_by("reviewed_at", "id")
    for listing, sha, title, product in labels.values_list("listing_id", "image_sha256", "title", "product_id"):
        said[listing] = Example(listing, sha, title, product)
    return [example for _listing, example in sorted(said.items()) if example is not None and example.image_sha256]


def _agree(said: dict[str, Example | None], example: Example) -> None:
    """Add what a judgment says; None once two judgments of the listing contradict one another."""
    before = said.setdefault(example.listing_id, example)
    if before is None or before.product_id != example.product_id:
        said[example.listing_id] = None


def val_pictures(rows: list[Example]) -> set[str]:
    """The pictures of the validation part: about one in VAL_EVERY by hash, never all pictures of a product,
    and at least one whenever some product has two."""
    pictures: dict[str, set[str]] = {}
    for row in rows:
        pictures.setdefault(row.product_id, set()).add(row.image_sha256)
    val = {row.image_sha256 for row in rows if int(row.image_sha256[:8], 16) % VAL_EVERY == 0}
    if not val:
        roomy = [max(shas) for shas in pictures.values() if len(shas) > 1]
        val = {min(roomy)} if roomy else set()
    for product in sorted(pictures):
        if pictures[product] <= val:
            val.discard(min(pictures[product]))
    return val


def _write(folder: Path, rows: list[Example]) -> None:
    (folder / "images").mkdir(parents=True)
    products = {
        product.id: product for product in Product.objects.filter(id__in=sorted({row.product_id for row in rows}))
    }
    known = [row for row in rows if row.product_id in products]
    stored = _copy_pictures({row.image_sha256 for row in known}, folder=folder)
    kept = [row for row in known if row.image_sha256 in stored]
    val = val_pictures(kept)
    with (folder / "records.jsonl").open("w", encoding="utf-8") as lines:
        for row in kept:
            record = {
                "id": row.listing_id,
                "image": f"images/{row.image_sha256}.jpg",
                "title": row.title,
                "brand": products[row.product_id].brand_id or "",
                "product": row.product_id,
                "split": "val" if row.image_sha256 in val else "train",
            }
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    used = sorted({row.product_id for row in kept})
    brands = Brand.objects.filter(id__in=sorted({products[product].brand_id or "" for product in used}))
    catalog = {
        "brands": [{"id": brand.id, "name": brand.name} for brand in brands.order_by("id")],
        "products": [
            {"id": product, "name": products[product].name, "brand": products[product].brand_id or ""}
            for product in used
        ],
    }
    _write_json(folder / "catalog.json", catalog)
    splits = Counter("val" if row.image_sha256 in val else "train" for row in kept)
    counts = {
        "records": len(kept),
        "train": splits["train"],
        "val": splits["val"],
        "pictures": len({row.image_sha256 for row in kept}),
        "products": len(used),
        "skipped": len(rows) - len(kept),
    }
    _write_json(folder / "manifest.json", {"format": 1, "counts": counts, "created_at": timezone.now().isoformat()})


def _copy_pictures(pictures: set[str], *, folder: Path) -> set[str]:
    """Copy what the store has; the pictures that it could give."""
    copied = set()
    for sha in sorted(pictures):
        try:
            data = read_image(sha)
        except (OSError, ValueError) as error:
            logger.warning("picture %s is left out of the dataset: %s", sha, error)
            continue
        (folder / "images" / f"{sha}.jpg").write_bytes(data)
        copied.add(sha)
    return copied


def _note_pictures(*, run_id: str, folder: Path) -> None:
    shas = sorted(path.stem for path in (folder / "images").iterdir())
    rows = [
        TrainingPicture(id=TrainingPicture.make_id(run_id=run_id, image_sha256=sha), run_id=run_id, image_sha256=sha)
        for sha in shas
    ]
    existing = set(TrainingPicture.objects.filter(run_id=run_id).values_list("id", flat=True))
    missing = [row for row in rows if row.id not in existing]
    for start in range(0, len(missing), CHUNK):
        TrainingPicture.objects.bulk_create(missing[start : start + CHUNK])


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
