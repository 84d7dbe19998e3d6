"""The assortment that is drawn when there are no photographs: 24 products of 8 invented brands."""

import random
from dataclasses import dataclass
from functools import lru_cache, partial

from crawler.demo_shop.catalog import SHOPKEEPERS, DemoBrand, DemoCatalog, DemoGood, DemoProduct, item_id
from crawler.demo_shop.pictures import Pack, draw_catalogue_picture, draw_photo
from crawler.demo_shop.titles import seller_title

GOODS_PER_PRODUCT = 30
PICTURES_KEPT = 512  # in memory, about 30 kB each


@dataclass(frozen=True)
class _Kind:
    """What a product is, whatever its brand."""

    english: str
    chinese: str
    swedish: str
    label: str  # the words on the pack
    motif: str
    accent: tuple[int, int, int]
    price: float


_KINDS = {
    "orange-juice": _Kind("Orange Juice", "橙汁", "apelsinjuice", "ORANGE", "citrus", (245, 140, 20), 12.9),
    "apple-juice": _Kind("Apple Juice", "苹果汁", "äppeljuice", "APPLE", "apple", (120, 175, 50), 11.9),
    "mango-juice": _Kind("Mango Juice", "芒果汁", "mangojuice", "MANGO", "drop", (250, 180, 30), 14.5),
    "peach-juice": _Kind("Peach Juice", "桃汁", "persikojuice", "PEACH", "apple", (245, 150, 120), 13.5),
    "oat-drink": _Kind("Oat Milk", "燕麦奶", "havremjölk", "OAT", "grain", (214, 178, 110), 18.0),
    "oat-vanilla": _Kind(
        "Vanilla Oat Milk", "香草燕麦奶", "vaniljhavremjölk", "OAT VANILLA", "flower", (240, 214, 120), 19.0
    ),
    "oat-chocolate": _Kind(
        "Chocolate Oat Milk", "巧克力燕麦奶", "chokladhavremjölk", "OAT CHOCO", "bean", (112, 68, 40), 19.5
    ),
    "whole-milk": _Kind("Whole Milk", "全脂牛奶", "helmjölk", "WHOLE MILK", "drop", (60, 110, 200), 9.9),
    "light-milk": _Kind("Light Milk", "低脂牛奶", "lättmjölk", "LIGHT MILK", "drop", (90, 180, 215), 9.5),
    "strawberry-milk": _Kind(
        "Strawberry Milk", "草莓牛奶", "jordgubbsmjölk", "STRAWBERRY", "berry", (226, 60, 90), 12.5
    ),
    "strawberry-yoghurt": _Kind(
        "Strawberry Yoghurt", "草莓酸奶", "jordgubbsyoghurt", "STRAWBERRY", "berry", (226, 60, 90), 15.9
    ),
    "blueberry-yoghurt": _Kind(
        "Blueberry Yoghurt", "蓝莓酸奶", "blåbärsyoghurt", "BLUEBERRY", "berries", (80, 80, 170), 15.9
    ),
    "natural-yoghurt": _Kind(
        "Natural Yoghurt", "原味酸奶", "naturell yoghurt", "NATURAL", "drop", (150, 190, 190), 13.9
    ),
    "peanut-smooth": _Kind(
        "Smooth Peanut Butter", "柔滑花生酱", "mjukt jordnötssmör", "SMOOTH", "bean", (205, 150, 80), 29.0
    ),
    "peanut-crunchy": _Kind(
        "Crunchy Peanut Butter", "颗粒花生酱", "krispigt jordnötssmör", "CRUNCHY", "bean", (170, 105, 50), 29.0
    ),
    "honey": _Kind("Flower Honey", "百花蜂蜜", "blomsterhonung", "HONEY", "flower", (240, 170, 30), 39.0),
    "jasmine-tea": _Kind("Jasmine Tea", "茉莉花茶", "jasminte", "JASMINE", "flower", (190, 205, 110), 6.5),
    "lemon-tea": _Kind("Lemon Tea", "柠檬茶", "citronte", "LEMON", "citrus", (240, 215, 50), 6.5),
    "peach-tea": _Kind("Peach Tea", "蜜桃茶", "persikote", "PEACH", "apple", (245, 150, 120), 6.5),
}

_GENERIC = {
    "Juice": "果汁", "Milk": "牛奶", "Yoghurt": "酸奶", "Butter": "花生酱", "Honey": "蜂蜜", "Tea": "茶饮料",
}  # fmt: skip

# id, name, Chinese name, pack shape, main colour, second colour, volume, kinds
_BRANDS: tuple[tuple[str, str, str, str, tuple[int, int, int], tuple[int, int, int], str, tuple[str, ...]], ...] = (
    ("solvikka", "Solvikka", "苏维卡", "carton", (250, 246, 232), (232, 106, 20), "1L",
     ("orange-juice", "apple-juice", "mango-juice")),
    ("marovela", "Marovela", "玛洛维", "bottle", (16, 92, 72), (250, 226, 120), "1L",
     ("orange-juice", "apple-juice", "peach-juice")),
    ("nordfylla", "Nordfylla", "诺菲拉", "carton", (38, 62, 92), (238, 228, 205), "1L",
     ("oat-drink", "oat-vanilla", "oat-chocolate")),
    ("kumovia", "Kumovia", "云薇", "bottle", (246, 248, 252), (44, 88, 178), "950ml",
     ("whole-milk", "light-milk", "strawberry-milk")),
    ("tindrelle", "Tindrelle", "汀蕾", "pouch", (250, 236, 242), (168, 44, 96), "150g",
     ("strawberry-yoghurt", "blueberry-yoghurt", "natural-yoghurt")),
    ("harumel", "Harumel", "春蜜", "jar", (244, 244, 236), (196, 40, 40), "500g",
     ("strawberry-yoghurt", "blueberry-yoghurt", "natural-yoghurt")),
    ("pamperino", "Pamperino", "帕佩诺", "jar", (250, 205, 60), (92, 44, 20), "350g",
     ("peanut-smooth", "peanut-crunchy", "honey")),
    ("lotavay", "Lotavay", "莲湾", "bottle", (226, 240, 214), (32, 104, 60), "500ml",
     ("jasmine-tea", "lemon-tea", "peach-tea")),
)  # fmt: skip


@lru_cache(maxsize=PICTURES_KEPT)
def _photo(pack: Pack, seed: str) -> bytes:
    return draw_photo(pack, seed=seed)


def drawn_catalog() -> DemoCatalog:
    """The same goods on every machine; a picture is drawn when it is first asked for."""
    brands, products, goods = [], [], []
    for brand_id, brand, chinese, shape, main, second, volume, kinds in _BRANDS:
        brands.append(DemoBrand(id=brand_id, name=brand, aliases=chinese))
        for kind_id in kinds:
            kind = _KINDS[kind_id]
            pack = Pack(
                shape=shape,
                brand=brand,
                label=kind.label,
                volume=volume,
                motif=kind.motif,
                main=main,
                second=second,
                accent=kind.accent,
            )
            # the last word is the generic name: "juice", "yoghurt"
            keywords = ", ".join(
                [
                    kind.english.lower(),
                    kind.chinese,
                    f"{chinese}{kind.chinese}",
                    kind.swedish,
                    kind.english.split()[-1].lower(),
                ]
            )
            product = DemoProduct(
                id=f"{brand_id}-{kind_id}",
                name=f"{brand} {kind.english}",
                brand_id=brand_id,
                keywords=keywords,
                description=f"{kind.english} by {brand}, {volume}. {chinese}{kind.chinese}。",
                picture=partial(draw_catalogue_picture, pack),
            )
            products.append(product)
            goods += [_good(product, brand, chinese, kind, pack, number) for number in range(GOODS_PER_PRODUCT)]
    return DemoCatalog(brands=brands, products=products, goods=goods)


def _good(product: DemoProduct, brand: str, chinese: str, kind: _Kind, pack: Pack, number: int) -> DemoGood:
    seed = f"{product.id}/{number}"
    rng = random.Random(f"listing {seed}")  # noqa: S311
    title = seller_title(
        rng,
        brand_spellings=[brand, chinese, f"{brand}/{chinese}"],
        names=[kind.english, kind.english, kind.chinese, f"{kind.chinese} {kind.english}"],
        generic_words=[_GENERIC[kind.english.split()[-1]], kind.swedish, "饮料" if pack.shape != "jar" else "食品"],
        volume=pack.volume,
    )
    shop = rng.choice(SHOPKEEPERS)
    return DemoGood(
        item_id=item_id(seed),
        product_id=product.id,
        title=title,
        price=round(kind.price * shop.rate * rng.uniform(0.8, 1.25), 2),
        currency=shop.currency,
        shop=shop,
        words=f"{product.name} {chinese} {product.keywords}",
        picture=partial(_photo, pack, seed),
    )
