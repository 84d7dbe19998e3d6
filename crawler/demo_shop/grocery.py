"""The assortment of photographs: a folder of the GroceryStoreDataset (Klasson et al., WACV 2019) put on sale.

The train split becomes listings; `classes.csv`, the catalogue pictures and the product sheets become the catalogue.
"""

import csv
import random
import re
from functools import partial
from pathlib import Path

from crawler.demo_shop.catalog import (
    SHOPKEEPERS,
    CatalogError,
    DemoBrand,
    DemoCatalog,
    DemoGood,
    DemoProduct,
    item_id,
)
from crawler.demo_shop.grocery_words import ADJECTIVES, BRAND_ALIASES, BRAND_SPELLINGS, COARSE_WORDS
from crawler.demo_shop.titles import seller_title


def grocery_catalog(data: Path) -> DemoCatalog:
    """Raises CatalogError, in one line, when `data` lacks a part of the dataset."""
    rows = _class_rows(data)
    photos = _train_photos(data, classes=len(rows))
    brands: dict[str, DemoBrand] = {}
    products, goods = [], []
    for number, row in enumerate(rows):
        name, coarse = row["Class Name (str)"], row["Coarse Class Name (str)"]
        iconic = data / row["Iconic Image Path (str)"].lstrip("/")
        if not iconic.is_file():
            raise CatalogError(f"{data}: the catalogue picture {iconic.name} of {name} is missing")
        sheet = _sheet(iconic.parent)
        brand = _brand(sheet.get("manufacturer", "")) if "Packages" in iconic.parts else None
        if brand:
            brands[brand.id] = brand
        product = _product(name, coarse, brand, iconic, sheet, data / row["Product Description Path (str)"].lstrip("/"))
        products.append(product)
        goods += [_good(product, coarse, brand, sheet, data, photo) for photo in photos[number]]
    return DemoCatalog(brands=sorted(brands.values(), key=lambda one: one.id), products=products, goods=goods)


def _class_rows(data: Path) -> list[dict[str, str]]:
    file = data / "classes.csv"
    if not data.is_dir():
        raise CatalogError(f"{data} is not a folder: give the one that holds classes.csv and train.txt")
    if not file.is_file():
        raise CatalogError(f"{data} holds no classes.csv: give the `dataset` folder of the GroceryStoreDataset")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    wanted = ("Class Name (str)", "Class ID (int)", "Coarse Class Name (str)", "Iconic Image Path (str)")
    if not rows or any(not rows[0].get(column) for column in (*wanted, "Product Description Path (str)")):
        raise CatalogError(f"{file} does not have the columns of the GroceryStoreDataset: {', '.join(wanted)}, …")
    return sorted(rows, key=lambda row: int(row["Class ID (int)"]))


def _train_photos(data: Path, *, classes: int) -> list[list[str]]:
    """The paths of the train split by class id, relative to `data`."""
    file = data / "train.txt"
    if not file.is_file():
        raise CatalogError(f"{data} holds no train.txt: give the `dataset` folder of the GroceryStoreDataset")
    photos: list[list[str]] = [[] for _ in range(classes)]
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        path, *ids = (part.strip() for part in line.split(","))
        if not path:
            continue
        if not ids or not ids[0].isdigit() or int(ids[0]) >= classes or ".." in path:
            raise CatalogError(f"{file}, line {number}: {line[:80]!r} is not `path, class id, coarse id`")
        photos[int(ids[0])].append(path)
    first = next((path for paths in photos for path in paths), None)
    if first is None or not (data / first).is_file():
        raise CatalogError(f"{data}: the pictures that train.txt names are missing (the first is {first})")
    return photos


def _sheet(folder: Path) -> dict[str, str]:
    """Title, manufacturer, volume of the product sheet beside the catalogue picture; empty without one."""
    files = sorted([*folder.glob("*_Information.txt"), *folder.glob("*-Information.txt")])
    if not files:
        return {}
    fields = {}
    for line in files[0].read_text(encoding="utf-8-sig").splitlines():
        label, _, value = line.partition(":")
        fields[label.strip().lower()] = value.strip()
    made_by, _, volume = fields.get("manufacturer and volume", "").rpartition(",")
    if not volume:
        volume = fields.get("country and volume", "").rpartition(",")[2]
    return {"title": fields.get("title", ""), "manufacturer": made_by.strip(), "volume": volume.strip()}


def _brand(manufacturer: str) -> DemoBrand | None:
    name = BRAND_SPELLINGS.get(manufacturer.upper())
    if name is None:
        return None
    return DemoBrand(id=name.lower().replace(" ", "-"), name=name, aliases=BRAND_ALIASES[name])


def _product(
    name: str, coarse: str, brand: DemoBrand | None, iconic: Path, sheet: dict[str, str], description: Path
) -> DemoProduct:
    words = name.replace("-", " ")
    without_brand = words.removeprefix(brand.name).strip() if brand else words
    chinese, swedish = COARSE_WORDS.get(coarse, ("", ""))
    # The word a shopper would type first: "juice", "yoghurt", "apple"
    keywords = [coarse.replace("-", " ").lower(), chinese, swedish, _chinese_name(without_brand, coarse)]
    if brand:
        keywords += [f"{brand.name} {chinese}", f"{BRAND_ALIASES[brand.name].split(',')[0]}{chinese}"]
    keywords.append(sheet.get("title", "").lower())
    return DemoProduct(
        id=name.lower(),
        name=words,
        brand_id=brand.id if brand else "",
        keywords=", ".join(dict.fromkeys(word for word in keywords if word)),
        description=_first_lines(description),
        picture=iconic.read_bytes,
    )


def _first_lines(file: Path) -> str:
    return " ".join(file.read_text(encoding="utf-8-sig").split()) if file.is_file() else ""


def _chinese_name(english: str, coarse: str) -> str:
    """As Chinese sellers call it: the adjectives that have a translation, then the generic word."""
    chinese = COARSE_WORDS.get(coarse, ("", ""))[0]
    generic = set(coarse.lower().split("-"))
    known = [ADJECTIVES[word] for word in english.lower().split() if word in ADJECTIVES and word not in generic]
    if coarse == "Juice" and known:
        chinese = "汁"  # 橙汁, not 橙果汁
    return "".join([*known, chinese])


def _good(
    product: DemoProduct, coarse: str, brand: DemoBrand | None, sheet: dict[str, str], data: Path, photo: str
) -> DemoGood:
    rng = random.Random(f"listing {photo}")  # noqa: S311
    shop = rng.choice(SHOPKEEPERS)
    english = product.name.removeprefix(brand.name).strip() if brand else product.name
    chinese, swedish = COARSE_WORDS.get(coarse, ("", ""))
    title_of_sheet = re.sub(r"\s+[CK]lass 1$", "", sheet.get("title", "")) or english
    chinese_name = _chinese_name(english, coarse)
    spellings = [brand.name, *brand.aliases.split(", ")] if brand else []
    price = random.Random(f"price {product.id}").uniform(8, 32)  # noqa: S311
    return DemoGood(
        item_id=item_id(photo),
        product_id=product.id,
        title=seller_title(
            rng,
            brand_spellings=spellings,
            names=[
                title_of_sheet,
                title_of_sheet,
                english,
                chinese_name or english,
                f"{chinese_name} {english}".strip(),
            ],
            generic_words=[word for word in (chinese, swedish, coarse.replace("-", " ")) if word],
            volume=sheet.get("volume", ""),
        ),
        price=round(price * shop.rate * rng.uniform(0.85, 1.2), 2),
        currency=shop.currency,
        shop=shop,
        words=f"{product.name} {brand.aliases if brand else ''} {product.keywords}",
        picture=partial(_photo, data / photo),
    )


def _photo(path: Path) -> bytes:
    return path.read_bytes()
