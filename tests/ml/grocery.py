"""The grocery photos as a dataset folder: the train split to learn from, the val split to measure on.

    python -m tests.ml.grocery GROCERY_FOLDER DATASET_FOLDER [photos of a product]

Photos of GroceryStoreDataset (Klasson et al., WACV 2019); titles as the demo shop's sellers write them.
"""

import random
import shutil
import sys
from collections import Counter
from pathlib import Path

from crawler.demo_shop.catalog import DemoProduct
from crawler.demo_shop.grocery import grocery_catalog
from crawler.demo_shop.titles import seller_title
from tests.ml.factories import write_json, write_records


def write_grocery_dataset(grocery: Path, folder: Path, *, per_product: int | None = None) -> Path:
    """All photos of `train.txt`, or the first `per_product` of each product, as train; all of `val.txt` as val."""
    catalog = grocery_catalog(grocery)
    spellings = {brand.id: [brand.name, *brand.aliases.split(", ")] for brand in catalog.brands}
    (folder / "images").mkdir(parents=True)
    records = []
    for split in ("train", "val"):
        taken: Counter[str] = Counter()
        for line in (grocery / f"{split}.txt").read_text(encoding="utf-8").splitlines():
            photo, number, _coarse = (part.strip() for part in line.split(","))
            product = catalog.products[int(number)]
            taken[product.id] += 1
            if split == "train" and per_product and taken[product.id] > per_product:
                continue
            name = f"images/{split}-{Path(photo).name}"
            shutil.copyfile(grocery / photo, folder / name)
            records.append(
                {
                    "id": photo,
                    "image": name,
                    "title": _title(product, spellings.get(product.brand_id, []), photo=photo),
                    "brand": product.brand_id,
                    "product": product.id,
                    "split": split,
                }
            )
    write_records(folder, records)
    entries = {
        "brands": [{"id": brand.id, "name": brand.name} for brand in catalog.brands],
        "products": [{"id": one.id, "name": one.name, "brand": one.brand_id} for one in catalog.products],
    }
    write_json(folder / "catalog.json", entries)
    write_json(folder / "manifest.json", {"format": 1, "counts": {"records": len(records)}, "created_at": ""})
    return folder


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
