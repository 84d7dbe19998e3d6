"""The grocery photos as a dataset folder: the train split to learn from, the val split to measure on.

    python -m tests.ml.grocery GROCERY_FOLDER DATASET_FOLDER [photos of a product]

Photos of GroceryStoreDataset (Klasson et al., WACV 2019); titles as the demo shop's sellers write them. The catalogue
has the data set's own picture and English description of each product.
"""

import random
import sys
from collections import Counter
from pathlib import Path

from crawler.demo_shop.catalog import DemoCatalog, DemoProduct
from crawler.demo_shop.grocery import grocery_catalog
from crawler.demo_shop.titles import seller_title
from ml.data.catalog import Brand, Product
from ml.data.images import picture_size
from ml.data.records import Record
from ml.data.writing import DatasetWriter


def write_grocery_dataset(grocery: Path, folder: Path, *, per_product: int | None = None) -> Path:
    """All photos of `train.txt`, or the first `per_product` of each product, as train; all of `val.txt` as val."""
    catalog = grocery_catalog(grocery)
    spellings = {brand.id: [brand.name, *brand.aliases.split(", ")] for brand in catalog.brands}
    query = {"command": "tests.ml.grocery", "per_product": per_product}
    with DatasetWriter(folder, query=query) as writer:
        for split in ("train", "val"):
            taken: Counter[str] = Counter()
            for line in (grocery / f"{split}.txt").read_text(encoding="utf-8").splitlines():
                photo, number, _coarse = (part.strip() for part in line.split(","))
                product = catalog.products[int(number)]
                taken[product.id] += 1
                if split == "train" and per_product and taken[product.id] > per_product:
                    continue
                data = (grocery / photo).read_bytes()
                width, height = picture_size(data)
                writer.listing(
                    Record(
                        id=photo,
                        images=(writer.picture(f"{split}-{Path(photo).name}", data),),
                        title=_title(product, spellings.get(product.brand_id, []), photo=photo),
                        brand=product.brand_id,
                        product=product.id,
                        split=split,
                        width=width,
                        height=height,
                    )
                )
        _write_catalogue(catalog, writer)
    return folder


def _write_catalogue(catalog: DemoCatalog, writer: DatasetWriter) -> None:
    products = [
        Product(
            id=one.id,
            name=one.name,
            brand=one.brand_id,
            description=one.description,
            images=(writer.picture(f"catalogue-{one.id}.jpg", one.picture()),),
        )
        for one in catalog.products
    ]
    brands = [Brand(id=one.id, name=one.name, aliases=tuple(one.aliases.split(", "))) for one in catalog.brands]
    writer.catalog(brands=brands, products=products)


def _title(product: DemoProduct, spellings: list[str], *, photo: str) -> str:
    english = product.name.removeprefix(spellings[0]).strip() if spellings else product.name
    keywords = product.keywords.split(", ")
    return seller_title(
        random.Random(f"title of {photo}"),
        brand_spellings=spellings,
        names=[english, english, keywords[-1]],  # the last keyword is the Swedish name
        generic_words=keywords[:3],
        volume="",
    )


if __name__ == "__main__":
    source, target, *limit = sys.argv[1:]
    write_grocery_dataset(Path(source), Path(target), per_product=int(limit[0]) if limit else None)
