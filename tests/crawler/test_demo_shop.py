"""The storefront itself: what it sells, that it hides the truth, and that it misbehaves when told to."""

import io
import json
import re
import subprocess
import sys
import time
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


def behave(shop, data):
    return httpx2.post(f"{shop.address}/_behave", content=data, trust_env=False)


def test_it_is_slow_fails_and_refuses_when_told_to(shop):
    assert behave(shop, '{"fail_next": 1, "status": 500, "delay_s": 0.3}').status_code == 200
    began = time.monotonic()
    assert get(shop, "/search?q=juice").status_code == 500
    assert time.monotonic() - began >= 0.3
    assert behave(shop, '{"rate_limit_per_s": 2, "retry_after": "7"}').status_code == 200
    answers = [get(shop, "/search?q=juice") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "7"
    assert behave(shop, "{}").status_code == 200
    assert get(shop, "/search?q=juice").status_code == 200
    stats = get(shop, "/_stats").json()
    assert stats["requests"] == {"search": 5, "refused_500": 1, "refused_429": 1}


@pytest.mark.parametrize(
    ("failure", "told", "timeout"),
    [
        ("hang", "ReadTimeout", 0.2),
        ("reset", "ReadError", 5),
        ("cut", "ReadError", 5),
        ("drip", "ReadTimeout", 0.05),
    ],
)
def test_it_breaks_off_or_says_nothing_when_told_to(shop, failure, told, timeout):
    behave(shop, json.dumps({"fail_next": 1, "failure": failure}))
    with pytest.raises(httpx2.TransportError) as error:
        get(shop, "/search?q=juice", timeout=timeout)
    assert type(error.value).__name__ == told
    assert get(shop, "/search?q=juice").status_code == 200
    assert get(shop, "/_stats").json()["requests"] == {"search": 2, f"refused_{failure}": 1}


@pytest.mark.parametrize(("mode", "charset"), [("gbk", "gbk"), ("gbk-undeclared", None)])
def test_it_speaks_gbk_when_told_to(shop, mode, charset):
    behave(shop, json.dumps({"search": mode}))
    page = get(shop, "/search?q=橙汁")
    assert page.charset_encoding == charset
    assert "橙汁" in page.content.decode("gb18030")
    assert b"utf-8" not in page.content


def test_its_pages_hold_bytes_that_are_no_utf_8_when_told_to(shop):
    behave(shop, '{"search": "invalid-utf8"}')
    with pytest.raises(UnicodeDecodeError):
        get(shop, "/search?q=橙汁").content.decode()


def test_it_has_no_robots_txt_unless_told_to(shop):
    assert get(shop, "/robots.txt").status_code == 404
    behave(shop, '{"robots": "User-agent: *\\nDisallow: /search\\n"}')
    robots = get(shop, "/robots.txt")
    assert (robots.text, robots.headers["Content-Type"]) == (
        "User-agent: *\nDisallow: /search\n",
        "text/plain; charset=utf-8",
    )
    assert get(shop, "/_stats").json()["requests"] == {"robots": 2}


def post(shop, data):
    return httpx2.post(f"{shop.address}/api/search", content=data, trust_env=False)


def test_it_answers_as_a_crawl_platform_does(shop, goods):
    by_get = get(shop, "/api/search?q=橙汁&page=2&size=5")
    by_post = post(shop, json.dumps({"keyword": "橙汁", "page": 2, "size": 5}))
    assert by_get.json() == by_post.json()
    assert by_get.headers["Content-Type"] == "application/json"
    data = by_get.json()["data"]
    first = data["items"][0]
    good = next(good for good in goods.goods if good.item_id == str(first["id"]))
    assert (len(data["items"]), data["page"], data["more"], data["total"]) == (5, 2, True, 60)
    assert (first["title"], first["price"], first["currency"]) == (good.title, f"{good.price:.2f}", good.currency)
    assert first["images"] == [f"//{shop.address.removeprefix('http://')}/pictures/{good.item_id}.jpg"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("[]", "JSON object"),
        ("{", "Expecting"),
        ("{}", "keyword should be a text"),
        ('{"keyword": 1}', "keyword should be a text"),
        ('{"keyword": "x", "page": 0}', "page=0"),
        ('{"keyword": "x", "page": "1"}', "page='1'"),
        ('{"keyword": "x", "size": 1000}', "size=1000"),
    ],
)
def test_a_wrong_query_is_refused(shop, data, told):
    answer = post(shop, data)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert told in answer.json()["message"]
    assert get(shop, "/api/search?q=x&page=none").status_code == 400


@pytest.mark.parametrize(
    ("mode", "status", "content_type", "text"),
    [
        ("error", 200, "application/json", "quota"),
        ("not-json", 200, "application/json", "callback("),
        ("html", 200, "text/html; charset=utf-8", "Sign in"),
        ("other-shape", 200, "application/json", "result"),
    ],
)
def test_it_is_a_platform_that_fails_when_told_to(shop, mode, status, content_type, text):
    behave(shop, json.dumps({"api": mode}))
    answer = get(shop, "/api/search?q=x")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert text in answer.text


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("[]", "JSON object"),
        ("{", "delimiter|property name|Expecting"),
        ('{"speed": 1}', "speed is unknown"),
        ('{"delay_s": "1"}', "delay_s='1'"),
        ('{"fail_next": true}', "fail_next=True"),
        ('{"pictures": "ugly"}', "pictures='ugly' is unknown"),
        ('{"failure": "fire"}', "failure='fire' is unknown"),
        ('{"robots": 1}', "robots=1"),
    ],
)
def test_a_wrong_behaviour_is_refused(shop, data, told):
    answer = behave(shop, data)
    assert answer.status_code == 400
    assert re.search(told, answer.json()["error"])


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
