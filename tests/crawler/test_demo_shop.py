"""The storefront itself: what it sells, that it hides the truth, and that it misbehaves when told to."""

import io
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from crawler.demo_shop.behaviour import API_MODES, AREAS, FAILURES, PICTURE_MODES, SEARCH_MODES, Behaviour
from crawler.demo_shop.catalog import CatalogError, DemoCatalog, load_catalog
from crawler.demo_shop.search import ShopSearch
from mmproject.environment import BASE_DIR


def get(shop, path, **options):
    return httpx2.get(f"{shop.address}{path}", trust_env=False, **options)


def found(catalog: DemoCatalog, keyword: str) -> list[str]:
    return [good.product_id for good in ShopSearch(catalog).find(keyword)]


def test_it_sells_24_products_of_8_brands_30_times_each(goods):
    drawn = load_catalog(None)
    assert (len(drawn.brands), len(drawn.products), len(drawn.goods)) == (8, 24, 720)
    assert len({good.item_id for good in drawn.goods}) == 720
    assert {product.brand_id for product in drawn.products} == {brand.id for brand in drawn.brands}
    assert len({product.name for product in drawn.products}) == 24


def test_the_goods_are_the_same_every_time():
    one, other = load_catalog(None), load_catalog(None)
    assert one == other
    from crawler.demo_shop.pictures import draw_photo

    pack, seed = one.goods[40].picture.args
    assert draw_photo(pack, seed=seed) == draw_photo(pack, seed=seed) == one.goods[40].picture()


def test_every_photo_is_another(goods):
    photos = [good.picture() for good in goods.goods[:30]]
    assert len(set(photos)) == 30
    assert all(Image.open(io.BytesIO(photo)).size == (420, 420) for photo in photos)
    assert Image.open(io.BytesIO(goods.products[0].picture())).format == "JPEG"


@pytest.mark.parametrize(
    ("keyword", "product"),
    [
        ("Solvikka Orange Juice", "solvikka-orange-juice"),
        ("ORANGE JUICE", "marovela-orange-juice"),
        ("橙汁", "solvikka-orange-juice"),
        ("苏维卡橙汁", "solvikka-orange-juice"),
        ("酸奶", "tindrelle-natural-yoghurt"),
        ("apelsinjuice", "marovela-orange-juice"),
        ("yoghurt", "harumel-blueberry-yoghurt"),
    ],
)
def test_it_finds_products_in_three_languages(keyword, product):
    assert found(load_catalog(None), keyword).count(product) == 30


def test_it_finds_nothing_for_nothing():
    catalog = load_catalog(None)
    assert found(catalog, "") == found(catalog, "xyzzy") == []


def test_the_best_hits_come_first():
    first = found(load_catalog(None), "Solvikka Orange Juice")[:20]
    assert first.count("solvikka-orange-juice") >= 10


def test_the_pages_do_not_tell_the_product(shop, goods):
    products = {product.id for product in goods.products}
    pages = [get(shop, "/search?q=juice").text, get(shop, "/search?q=juice&page=2").text]
    pages += [get(shop, path).text for path in re.findall(r'href="(/items/\d+)"', pages[0])[:5]]
    assert len(pages) > 5
    assert not [product for product in products for page in pages if product in page]


def test_an_item_page_carries_its_offer(shop, goods):
    good = goods.goods[5]
    page = get(shop, f"/items/{good.item_id}").text
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert (data["@type"], data["sku"], data["name"]) == ("Product", good.item_id, good.title)
    assert data["offers"]["price"] == f"{good.price:.2f}"
    assert get(shop, f"/shops/{good.shop.id}").status_code == 200


@pytest.mark.parametrize("path", ["/items/1", "/shops/none", "/pictures/1.jpg", "/nowhere", "/items/../../etc/passwd"])
def test_unknown_pages_are_not_found(shop, path):
    assert get(shop, path).status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x"])
def test_pages_that_are_no_number_are_refused(shop, page):
    assert get(shop, f"/search?q=juice&page={page}").status_code == 400


# --- the photographed goods ---


@pytest.fixture
def grocery(tmp_path) -> Path:
    """A dataset folder in little: two products, one of them branded."""
    lines = [
        "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),"
        "Iconic Image Path (str),Product Description Path (str)"
    ]
    sheets = {
        "Bravo-Orange-Juice": ("Packages", "Juice", "Title: Apelsinjuice\nManufacturer and volume: BRAVO , 2l\n"),
        "Kiwi": ("Fruit", "Kiwi", "\ufeffTitle: Kiwi Class 1\nCountry: Italy\n"),
    }
    train = []
    for number, (name, (kind, coarse, sheet)) in enumerate(sheets.items()):
        folder = tmp_path / "iconic-images-and-descriptions" / kind / coarse / name
        photos = tmp_path / "train" / kind / coarse / name
        folder.mkdir(parents=True)
        photos.mkdir(parents=True)
        Image.new("RGB", (40, 40), "orange").save(folder / f"{name}_Iconic.jpg")
        (folder / f"{name}_Description.txt").write_text(f"A {name}.", encoding="utf-8")
        (folder / f"{name}_Information.txt").write_text(sheet, encoding="utf-8")
        start = f"/{folder.relative_to(tmp_path)}/{name}"
        lines.append(f"{name},{number},{coarse},{number},{start}_Iconic.jpg,{start}_Description.txt")
        for shot in range(12):
            Image.new("RGB", (48, 48), (shot * 20, 90, 30)).save(photos / f"{name}_{shot:03}.jpg")
            train.append(f"{(photos / f'{name}_{shot:03}.jpg').relative_to(tmp_path)}, {number}, {number}")
    (tmp_path / "classes.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "train.txt").write_text("\n".join(train), encoding="utf-8")
    return tmp_path


def test_photographs_are_sold_with_their_catalogue(grocery):
    catalog = load_catalog(grocery)
    assert [(brand.id, brand.name) for brand in catalog.brands] == [("bravo", "Bravo")]
    juice, kiwi = catalog.products
    assert (juice.id, juice.name, juice.brand_id) == ("bravo-orange-juice", "Bravo Orange Juice", "bravo")
    assert (kiwi.id, kiwi.brand_id, kiwi.description) == ("kiwi", "", "A Kiwi.")
    assert Image.open(io.BytesIO(juice.picture())).size == (40, 40)
    assert len(catalog.goods) == len({good.item_id for good in catalog.goods}) == 24
    assert Image.open(io.BytesIO(catalog.goods[0].picture())).size == (48, 48)
    assert found(catalog, "果汁") == found(catalog, "橙汁") == found(catalog, "JUICE") == ["bravo-orange-juice"] * 12
    assert found(catalog, "猕猴桃") == ["kiwi"] * 12


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: (data / "classes.csv").unlink(), "holds no classes.csv"),
        (lambda data: (data / "train.txt").unlink(), "holds no train.txt"),
        (lambda data: (data / "classes.csv").write_text("a,b\n1,2\n"), "columns of the GroceryStoreDataset"),
        (lambda data: (data / "train.txt").write_text("x.jpg, 99, 0\n"), "line 1"),
        (lambda data: (data / "train.txt").write_text("../x.jpg, 0, 0\n"), "line 1"),
        (lambda data: (data / "train.txt").write_text("train/none.jpg, 0, 0\n"), "are missing"),
        (lambda data: next(data.rglob("*_Iconic.jpg")).unlink(), "catalogue picture"),
    ],
)
def test_a_folder_that_lacks_something_is_told_in_one_line(grocery, spoil, told):
    spoil(grocery)
    with pytest.raises(CatalogError, match=told) as error:
        load_catalog(grocery)
    assert "\n" not in str(error.value)


def shop_command(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "crawler.demo_shop", *arguments]
    # No settings and no stores: the shop needs neither.
    return subprocess.run(
        command, cwd=BASE_DIR, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_wrong_folder_ends_it_with_one_line(tmp_path):
    ended = shop_command("--port", "0", "--data", str(tmp_path / "none"))
    assert ended.returncode == 1
    assert re.fullmatch(r"demo shop: --data: .*is not a folder.*\n", ended.stderr)


def test_a_port_in_use_is_told(shop):
    port = shop.address.rpartition(":")[2]
    ended = shop_command("--port", port)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_tells_how_it_misbehaves():
    ended = shop_command("--help")
    assert ended.returncode == 0
    for field in fields(Behaviour):
        assert field.name in ended.stdout
    for mode in (*SEARCH_MODES, *API_MODES, *PICTURE_MODES, *FAILURES, *AREAS):
        assert mode in ended.stdout
