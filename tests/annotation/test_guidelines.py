"""What counts for a product, beside the grid; and what the picker's list shows."""

import pytest
from django.urls import reverse

from tests.annotation.factories import make_product

URL = "/annotation/products/guidelines/"


def test_they_are_shown_with_picture_and_description(sign_in):
    make_product(guidelines="The can only.\nNo bottles.", description="330 ml", image_sha256="a" * 64)
    page = sign_in("annotator").get(URL, {"product": "Alpha Orange Juice"}).content.decode()
    assert "The can only.<br>No bottles." in page
    assert "330 ml" in page
    assert "a" * 64 in page


@pytest.mark.parametrize("name", ["", "Alpha", "x" * 300])
def test_an_unknown_product_has_none(sign_in, name):
    make_product()
    answer = sign_in("annotator").get(URL, {"product": name})
    assert answer.status_code == 200
    assert not answer.content.strip()


def test_they_are_there_after_a_reload(sign_in):
    make_product(guidelines="The can only.")
    page = sign_in("annotator").get(reverse("annotation:search"), {"product": "Alpha Orange Juice"}).content.decode()
    assert "The can only." in page


def test_they_are_inert(sign_in):
    make_product("<b>Alpha</b>", guidelines="<script>alert(1)</script>", brand="")
    client = sign_in("annotator")
    for path in (URL, reverse("annotation:product_options")):
        page = client.get(path, {"product": "<b>Alpha</b>"}).content.decode()
        assert "<script>" not in page
        assert "<b>" not in page
        assert "&lt;b&gt;Alpha" in page


def test_a_reviewer_writes_them_in_the_admin(sign_in):
    product = make_product(brand="")
    values = {"name": product.name, "guidelines": "The can only.", "active": "on"}
    answer = sign_in("reviewer").post(f"/admin/annotation/product/{product.id}/change/", values)
    assert answer.status_code == 302
    product.refresh_from_db()
    assert product.guidelines == "The can only."


def test_the_list_shows_picture_name_and_brand_and_says_how_many(sign_in):
    make_product("可口可乐", image_sha256="a" * 64)
    make_product("可口可乐 Zero")
    page = sign_in("annotator").get(reverse("annotation:product_options"), {"product": "kkkl"}).content.decode()
    assert page.count('role="option"') == 2
    assert 'data-value="可口可乐"' in page
    assert "a" * 64 in page
    assert "Alpha" in page
    assert "2 products found" in page


def test_the_list_says_when_nothing_is_found(sign_in):
    page = sign_in("annotator").get(reverse("annotation:product_options"), {"product": "zzz"}).content.decode()
    assert "No product is found" in page
    assert "<li" not in page


def test_the_page_itself_holds_no_catalogue(sign_in):
    make_product()
    assert "Alpha Orange Juice" not in sign_in("annotator").get(reverse("annotation:search")).content.decode()


def test_a_reviewer_finds_products_by_pinyin_too(sign_in):
    make_product("可口可乐", brand="")
    make_product("Beta Milk", brand="Beta")
    page = sign_in("reviewer").get("/admin/annotation/product/", {"q": "kekou"}).content.decode()
    assert "可口可乐" in page
    assert "Beta Milk" not in page
