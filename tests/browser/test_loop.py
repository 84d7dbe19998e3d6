"""The whole loop as people walk it, in a real Chromium: search, tick, review, train, predict, judge."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Brand, Label, Product, Review
from crawler.demo_shop.catalog import DemoCatalog
from crawler.images import store_image
from crawler.models import Listing
from evaluation.models import Judgment, Prediction
from tests.workers import worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

TRAINING_MS, PREDICTION_MS = 240_000, 120_000
KINDS = 2  # products that the test labels: enough to train on


@pytest.fixture
def products(goods: DemoCatalog) -> list[Product]:
    """The first few products of the demo shop, in our catalogue."""
    made = []
    for product in goods.products[:KINDS]:
        brand = next(brand for brand in goods.brands if brand.id == product.brand_id)
        Brand(id=brand.id, name=brand.name).save()
        document = Product(id=product.id, name=product.name, brand_id=brand.id, keywords=product.keywords)
        document.image_sha256 = store_image(product.picture()).sha256
        document.save()
        made.append(document)
    return made


def truth(goods: DemoCatalog) -> dict[str, str]:
    """Listing id → product id, as only the demo shop knows it."""
    return {Listing.make_id(source="demo-shop", item_id=good.item_id): good.product_id for good in goods.goods}


def annotate(page: Page, product: Product, right: dict[str, str]) -> int:
    """Search for a product, tick its pictures, submit; how many were ticked."""
    page.get_by_label("Product of our catalogue").fill(product.name)
    page.get_by_label("Keyword to search for").fill(product.keywords.split(",")[0])
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".card .tick").first).to_be_attached()
    ticked = 0
    for box in page.locator(".card .tick").all():
        if right.get(box.get_attribute("value") or "") == product.id:
            box.locator("xpath=ancestor::li").locator(".picture").click()
            expect(box).to_be_checked()
            ticked += 1
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text(re.compile(rf"Saved: {ticked} labels? for {product.name}"))
    expect(page.get_by_label("Keyword to search for")).to_have_value("")
    return ticked


def test_the_whole_loop(visit, shop, goods, products, settings, tmp_path):
    right = truth(goods)
    with worker("crawl", pool="threads", concurrency=4):
        page = visit("annotator", "/annotation/")
        ticked = sum(annotate(page, product, right) for product in products)
    assert Label.objects.count() == ticked > 10

    page = visit("reviewer", "/admin/annotation/label/")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("approve")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".messagelist")).to_contain_text(f"{ticked} labels are now “approved”")
    assert Label.objects.filter(review=Review.APPROVED).count() == ticked

    page = visit("operator", "/evaluation/training/")
    page.get_by_role("button", name="Start training").click()
    with worker("train"):
        expect(page.get_by_text("done", exact=True).first).to_be_visible(timeout=TRAINING_MS)

    page = visit("evaluator", "/evaluation/")
    page.get_by_label("Keyword to search for").fill("juice")
    page.get_by_role("button", name="Test the model").click()
    with worker("crawl", pool="threads", concurrency=4), worker("predict"):
        expect(page.locator("fieldset.verdict").first).to_be_visible(timeout=PREDICTION_MS)
        expect(page.locator("input[name=waiting]")).to_have_count(0, timeout=PREDICTION_MS)
    judged = judge(page, right, products)
    page.get_by_role("button", name="Submit the judgments").click()
    expect(page.locator("#messages")).to_contain_text(re.compile(rf"{judged} judgment"))
    assert Judgment.objects.count() == judged > 0

    page = visit("evaluator", "/evaluation/statistics/")
    expect(page.get_by_role("heading", name=f"{judged} judgment")).to_be_visible()
    expect(page.get_by_text("Product right").first).to_be_visible()


def judge(page: Page, right: dict[str, str], products: list[Product]) -> int:
    """Say of each predicted card whether it is right, and if not what it is; how many were judged."""
    names = {product.id: product.name for product in products}
    done = 0
    for prediction in Prediction.objects.exclude(product_id="").order_by("position"):
        card = page.locator(f"#card-{prediction.position}")
        card.evaluate("card => card.scrollIntoView({block: 'center'})")  # clear of the floating bar
        wanted = right[prediction.listing_id]
        if prediction.product_id == wanted:
            card.locator("label.good").click()
        else:
            card.locator("label.bad").click()
            if wanted in names:
                card.locator("input[value=other]").check()
                card.get_by_label("The right product").fill(names[wanted])
            else:
                card.locator("input[value=absent]").check()
        done += 1
    return done


def test_a_page_waits_while_no_worker_runs_and_goes_on(visit, shop, products):
    page = visit("annotator", "/annotation/?keyword=orange%20juice")
    expect(page.get_by_text("Waiting for a crawl worker")).to_be_visible(timeout=20_000)
    with worker("crawl", pool="threads", concurrency=4):
        expect(page.locator(".card .tick").first).to_be_attached()


def test_ticks_survive_show_more_and_a_failed_submit(visit, shop, products):
    with worker("crawl", pool="threads", concurrency=4):
        page = visit("annotator", "/annotation/?keyword=juice")
        page.locator(".card .picture").first.click()
        before = page.locator(".card .tick").count()
        page.get_by_role("button", name="Show more").click()
        expect(page.locator(".card .tick")).not_to_have_count(before)
    page.locator(".card .picture").last.click()
    expect(page.locator(".card .tick:checked")).to_have_count(2)
    page.get_by_role("button", name="Submit the ticked pictures").click()  # no product chosen
    expect(page.locator("#messages")).to_contain_text("Choose the product")
    expect(page.locator(".card .tick:checked")).to_have_count(2)
    page.get_by_label("Product of our catalogue").fill(products[0].name)
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("Saved: 2 labels")


def test_a_shop_that_fails_is_told_and_can_be_tried_again(visit, shop, products):
    from crawler.demo_shop.behaviour import Behaviour

    shop.conduct.behave(Behaviour.parse({"fail_next": 100, "status": 404}))
    with worker("crawl", pool="threads", concurrency=4):
        page = visit("annotator", "/annotation/?keyword=juice")
        expect(page.get_by_text("could not be fetched from the shop")).to_be_visible()
        shop.conduct.behave(Behaviour())
        page.get_by_role("link", name="Try again").click()
        expect(page.locator(".card .tick").first).to_be_attached()


def test_chinese_is_spoken(visit, shop, products):
    page = visit("annotator", "/annotation/", locale="zh-CN")
    expect(page.get_by_role("button", name="搜索")).to_be_visible()
