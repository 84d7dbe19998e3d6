"""From labels and judgments to the dataset folder that `ml` reads; who is believed stands in `said`.

Pictures that look alike, whatever they are labelled, go into one part, so that nothing is measured on what was trained
on; a part is kept from one export to the next. See `ml.data.splits`.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from annotation.models import Brand as OurBrand
from annotation.models import Product as OurProduct
from crawler.images import read_image
from crawler.look_alikes import MAX_DISTANCE, perceptual_hash
from evaluation.models import TrainingPicture
from evaluation.selectors.provenance import provenance
from evaluation.services.said import Said, StoredPicture
from ml.data.catalog import Brand, Product
from ml.data.records import DatasetError, Record, read_dataset
from ml.data.splits import Shares, assign_splits, near_duplicates
from ml.data.writing import DatasetWriter

logger = logging.getLogger(__name__)

CHUNK = 1000
Tell = Callable[[str, int], None]  # what is done next, and how many more of it


def dataset_export(*, run_id: str, folder: Path, unlabelled: bool = False) -> dict[str, int]:
    """Write a training run's dataset to `folder` unless it is there already; returns the manifest's counts.

    `unlabelled` adds the listings that nobody has labelled, for pre-training.

    The pictures to train and to choose by are also noted in the database, so that predictions on them can be told from
    predictions on fresh ones.
    """
    if not (folder / "manifest.json").exists():
        try:
            dataset_write(folder=folder, unlabelled=unlabelled)
        except DatasetError:
            if not (folder / "manifest.json").exists():  # else another worker was quicker with the same content
                raise
    dataset = read_dataset(folder)
    refs = {ref for part in ("train", "val") for record in dataset.split(part) for ref in record.images}
    _note_pictures(run_id=run_id, shas=sorted(Path(ref).stem for ref in refs))
    return dataset.manifest["counts"]


def dataset_write(
    *,
    folder: Path,
    unlabelled: bool = False,
    hold_out_products: float = 0.0,
    shards: bool = False,
    tell: Tell = lambda what, count: None,
) -> dict[str, int]:
    """Write all that people have said to a new `folder`, whole or not at all; returns the manifest's counts.

    `unlabelled` adds the listings that nobody has labelled, for pre-training; `hold_out_products` is a share of
    products, from 0 to 1, of which all is in test. `tell` is called before each kind of work and with 1 after each
    piece of it. Raises DatasetError when the folder is there, ValueError for an impossible share.
    """
    shares = Shares(hold_out=hold_out_products)
    query = {
        "command": "export_dataset",
        "unlabelled": unlabelled,
        "hold_out_products": hold_out_products,
        "val": shares.val,
        "test": shares.test,
        "max_distance": MAX_DISTANCE,
        "labels": "approved",
        "judgments": "right, or wrong with the right product",
    }
    with DatasetWriter(folder, query=query, shards=shards) as writer, Said() as said:
        tell("reading labels", 0)
        said.gather(unlabelled=unlabelled)
        examples = len(said)
        said.keep_products(OurProduct.objects.values_list("id", flat=True))
        _store_pictures(said, writer, tell=tell)
        _write_listings(said, writer, shares=shares, tell=tell)
        writer.counts["skipped"] = examples - writer.counts["records"]
        tell("labels", 0)
        for line in provenance(said.product_of):
            writer.label(line)
        counts = writer.counts
    return dict(counts)


def _store_pictures(said: Said, writer: DatasetWriter, *, tell: Tell) -> None:
    """Copy what the store has; what it lacks is named in the log, and its listings are left out."""
    tell("pictures", sum(1 for _ in said.pictures()))
    for sha, phash in said.pictures():
        picture = _store_picture(sha, writer, phash=phash)
        if picture is not None:
            said.store(sha, picture)
        tell("pictures", 1)


def _store_picture(sha: str, writer: DatasetWriter, *, phash: str) -> StoredPicture | None:
    try:
        data = read_image(sha)
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            phash = phash or perceptual_hash(image)
    except (OSError, ValueError, SyntaxError) as error:
        logger.warning("picture %s is left out of the dataset: %s", sha, error)
        return None
    return StoredPicture(writer.picture(f"{sha}.jpg", data), width, height, phash)


def _write_listings(said: Said, writer: DatasetWriter, *, shares: Shares, tell: Tell) -> None:
    shas, phashes, products = [], [], []
    interned: dict[str, str] = {}
    for example, picture in said.exported():
        shas.append(example.image_sha256)
        phashes.append(int(picture.phash, 16))
        products.append(interned.setdefault(example.product_id, example.product_id))
    tell("look-alikes", 0)
    splits = assign_splits(
        pictures=shas,
        groups=near_duplicates(phashes, max_distance=MAX_DISTANCE),
        products=products,
        shares=shares,
    )
    del shas, phashes
    brand_of = _write_catalog(said, writer, used=set(products))
    tell("listings", len(splits))
    for (example, picture), split in zip(said.exported(), splits, strict=True):
        writer.listing(
            Record(
                id=example.listing_id,
                images=(picture.ref,),
                title=example.title,
                brand=brand_of.get(example.product_id, ""),
                product=example.product_id,
                split=split,
                width=picture.width,
                height=picture.height,
            )
        )
        tell("listings", 1)


def _write_catalog(said: Said, writer: DatasetWriter, *, used: set[str]) -> dict[str, str]:
    """The active products and those that are used, with their brands; the brand of each product."""
    products = [
        Product(
            id=one.id,
            name=one.name,
            brand=one.brand_id or "",
            description=one.description,
            images=_catalogue_pictures(said, writer, sha=one.image_sha256),
        )
        for one in OurProduct.objects.order_by("id")
        if one.active or one.id in used
    ]
    brands = [
        Brand(id=one.id, name=one.name, aliases=tuple(part.strip() for part in one.aliases.split(",") if part.strip()))
        for one in OurBrand.objects.filter(id__in=sorted({one.brand for one in products} - {""})).order_by("id")
    ]
    writer.catalog(brands=brands, products=products)
    return {one.id: one.brand for one in products}


def _catalogue_pictures(said: Said, writer: DatasetWriter, *, sha: str) -> tuple[str, ...]:
    if sha and not said.stored(sha):
        picture = _store_picture(sha, writer, phash="")
        if picture is not None:
            said.store(sha, picture)
    ref = said.stored(sha)
    return (ref,) if ref else ()


def _note_pictures(*, run_id: str, shas: list[str]) -> None:
    rows = [
        TrainingPicture(id=TrainingPicture.make_id(run_id=run_id, image_sha256=sha), run_id=run_id, image_sha256=sha)
        for sha in shas
    ]
    existing = set(TrainingPicture.objects.filter(run_id=run_id).values_list("id", flat=True))
    missing = [row for row in rows if row.id not in existing]
    for start in range(0, len(missing), CHUNK):
        TrainingPicture.objects.bulk_create(missing[start : start + CHUNK])
