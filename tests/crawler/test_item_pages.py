"""The listing behind a pasted address: found among ours, else read from its page, safely, or refused with advice."""

import pytest

from crawler.errors import ConfigError, ForbiddenAddressError, LayoutError, SourceError
from crawler.images import image_exists
from crawler.item_pages import address_in, listing_at, listing_fetch, read_item_page
from crawler.models import ImageState, Listing, Source
from crawler.responses import Fetched
from crawler.services import crawl_run, search

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

URL = "https://shop.example/items/7"


def page(head: str, body: str = "") -> Fetched:
    html = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return Fetched(url=URL, content_type="text/html", charset="utf-8", body=html.encode())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" https://shop.example/a?id=1 ", "https://shop.example/a?id=1"),
        ("HTTPS://shop.example/a#reviews", "https://shop.example/a"),
        ("shop.example/a", "https://shop.example/a"),
        ("【某宝】https://m.tb.example/h.5 点击链接直接打开", "https://m.tb.example/h.5"),
        ("看看这个:https://shop.example/绿茶,不错", "https://shop.example/"),
        ("https://shop.example/绿茶", "https://shop.example/绿茶"),
        ("Look (https://shop.example/a).", "https://shop.example/a"),
        ("green tea", ""),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://", ""),
        ("https://shop.example/" + "x" * 2000, ""),
        ("", ""),
    ],
)
def test_the_address_is_found_in_what_was_pasted(text, address):
    assert address_in(text) == address


def test_a_crawled_listing_is_found_by_its_address(shop):
    crawl = search(keyword="honey").crawl
    assert crawl is not None
    crawl_run(crawl_id=crawl.id)
    listing = Listing.objects.exclude(image_sha256="").first()
    assert listing_at(listing.url) == listing
    Listing.objects.filter(id=listing.id).update(image_sha256="", image_state=ImageState.FAILED)
    assert listing_at(listing.url) is None
    assert listing_at("https://shop.example/never/seen") is None


def test_the_page_of_a_configured_source_becomes_its_listing(shop, source, goods):
    good = goods.goods[0]
    listing = listing_fetch(address=f"{shop.address}/items/{good.item_id}")
    assert listing.id == Listing.make_id(source=source.id, item_id=good.item_id)  # the one a search would find
    assert (listing.title, listing.price, listing.shop_name) == (good.title, good.price, good.shop.name)
    assert image_exists(listing.image_sha256)
    again = listing_fetch(address=f"{shop.address}/items/{good.item_id}")
    assert (again.id, Listing.objects.count()) == (listing.id, 1)


def test_a_host_that_nobody_configured_must_be_public(shop):
    Source.objects.all().delete()
    with pytest.raises(ForbiddenAddressError, match="not a public address"):
        listing_fetch(address=f"{shop.address}/items/1")
    assert not shop.conduct.stats()["by_path"]
    assert not Listing.objects.exists()


def test_a_source_that_is_switched_off_is_not_asked(shop, source):
    source.enabled = False
    source.save()
    with pytest.raises(ConfigError, match="switched off"):
        listing_fetch(address=f"{shop.address}/items/1")


def test_robots_txt_is_honoured(shop, source):
    from crawler.demo_shop.behaviour import Behaviour

    source.robots = True
    source.save()
    shop.conduct.behave(Behaviour.parse({"robots": "User-agent: *\nDisallow: /items/"}))
    with pytest.raises(SourceError, match="robots"):
        listing_fetch(address=f"{shop.address}/items/1")


@pytest.mark.parametrize(
    ("behaviour", "path", "words"),
    [
        ({}, "/items/none", "answered 404"),
        ({}, "/", "shows no product"),
        ({"pictures": "missing"}, "", "Save the picture and upload it"),
        ({"pictures": "html"}, "", "Save the picture and upload it"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(shop, goods, behaviour, path, words):
    from crawler.demo_shop.behaviour import Behaviour

    shop.conduct.behave(Behaviour.parse(behaviour))
    with pytest.raises(SourceError, match=words):
        listing_fetch(address=shop.address + (path or f"/items/{goods.goods[0].item_id}"))


def test_of_several_products_the_pages_own_counts():
    other = '{"@type": "Product", "name": "Coffee", "sku": "1", "image": "/1.jpg", "url": "/items/1"}'
    own = '{"@type": "Product", "name": "Tea", "sku": "7", "image": "/7.jpg", "url": "/items/7"}'
    found = read_item_page(page(f'<script type="application/ld+json">[{other}, {own}]</script>'))
    assert (found.title, found.item_id, found.image_url) == ("Tea", "7", "https://shop.example/7.jpg")


def test_without_schema_org_what_is_shared_counts():
    found = read_item_page(
        page(
            '<title>Shop</title><meta property="og:title" content="绿茶 500ml">'
            '<meta property="og:image" content="/t.jpg">'
            '<meta property="product:price:amount" content="12.50">'
            '<meta property="product:price:currency" content="CNY">'
            '<meta property="og:site_name" content="茶叶店">'
        )
    )
    assert (found.title, found.image_url, found.price) == ("绿茶 500ml", "https://shop.example/t.jpg", 12.5)
    assert (found.currency, found.shop_name, found.url) == ("CNY", "茶叶店", URL)


def test_the_pages_title_stands_in_for_that_of_opengraph():
    found = read_item_page(page('<title>Green tea</title><meta name="og:image" content="https://cdn.example/t.jpg">'))
    assert (found.title, found.price, found.item_id) == ("Green tea", None, URL)


@pytest.mark.parametrize(
    "head",
    [
        "<title>Sign in</title>",
        '<meta property="og:title" content="Tea">',
        '<meta property="og:title" content="Tea"><meta property="og:image" content="javascript:alert(1)">',
        '<script type="application/ld+json">{"@type": "Product", "name": "no picture", "sku": "1"}</script>',
    ],
)
def test_a_page_without_a_picture_of_a_product_is_refused(head):
    with pytest.raises(LayoutError, match=r"shop\.example shows no product"):
        read_item_page(page(head))


def test_a_page_made_to_keep_a_worker_busy_is_not_read():
    with pytest.raises(LayoutError, match="elements"):
        read_item_page(page("", "<b>" * 40_000))
