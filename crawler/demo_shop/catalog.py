"""What the demo shop sells: brands, products, and the goods that shops offer of them.

The goods know their product: that is the truth, by item id, which the pages never show.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path


class CatalogError(ValueError):
    """The folder of pictures cannot be sold from; the message says what is missing, in one line."""


@dataclass(frozen=True, kw_only=True)
class DemoBrand:
    id: str
    name: str
    aliases: str  # comma-separated, as in the catalogue's own field


@dataclass(frozen=True, kw_only=True)
class DemoProduct:
    id: str
    name: str
    brand_id: str  # "" for goods without a brand, like fruit
    keywords: str  # comma-separated, in English, Chinese and Swedish
    description: str
    picture: Callable[[], bytes] = field(repr=False, compare=False)  # the catalogue's own picture, JPEG


@dataclass(frozen=True, kw_only=True)
class DemoShopkeeper:
    id: str
    name: str
    currency: str
    rate: float  # units of `currency` for one yuan


@dataclass(frozen=True, kw_only=True)
class DemoGood:
    """One listing: a product as one shop offers it, with the title and the photo of that shop."""

    item_id: str
    product_id: str
    title: str
    price: float
    currency: str
    shop: DemoShopkeeper
    words: str = field(repr=False)  # what a search looks through beside the title
    picture: Callable[[], bytes] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class DemoCatalog:
    brands: list[DemoBrand]
    products: list[DemoProduct]
    goods: list[DemoGood]


SHOPKEEPERS = (
    DemoShopkeeper(id="s1", name="鲜享生活旗舰店", currency="CNY", rate=1.0),
    DemoShopkeeper(id="s2", name="北欧优选", currency="CNY", rate=1.12),
    DemoShopkeeper(id="s3", name="Corner Market 24h", currency="CNY", rate=1.3),
    DemoShopkeeper(id="s4", name="Livs & Kök", currency="SEK", rate=1.45),
    DemoShopkeeper(id="s5", name="天天超市", currency="CNY", rate=0.92),
    DemoShopkeeper(id="s6", name="Pantry Direct EU", currency="EUR", rate=0.13),
)


def item_id(*parts: str) -> str:
    """Twelve digits that are the same for the same parts and tell nothing about them."""
    digest = sha256("\0".join(("item", *parts)).encode()).digest()
    return str(10**11 + int.from_bytes(digest[:8], "big") % (9 * 10**11))


def load_catalog(data: Path | None) -> DemoCatalog:
    """The drawn goods when `data` is None, else the photographed ones of a GroceryStoreDataset folder.

    Raises CatalogError when `data` is not such a folder.
    """
    # Imported here because both build on the classes above.
    if data is None:
        from crawler.demo_shop.drawn import drawn_catalog

        return drawn_catalog()
    from crawler.demo_shop.grocery import grocery_catalog

    return grocery_catalog(Path(data))
