"""One row: what it becomes, and what is wrong with it."""

import pytest

from crawler.imports.rows import ImportRow, Problem, Row, checked
from crawler.models import Listing


def row(**values) -> ImportRow | Problem:
    return checked(Row(line=7, values={"title": "Tea"} | values), source="files")


def test_the_key_is_that_of_a_crawled_listing():
    assert row(item_id="5").id == Listing.make_id(source="files", item_id="5")


def test_without_an_item_id_the_address_names_it_else_title_and_picture():
    by_url = row(url="https://a.example/1", image="a.jpg").item_id
    assert row(url="https://a.example/1", title="Other").item_id == by_url
    assert row(url="https://a.example/2").item_id != by_url
    assert row(image="a.jpg").item_id == row(image="./a.jpg").item_id
    assert len({by_url, row().item_id, row(image="a.jpg").item_id, row(image="b.jpg").item_id}) == 4


def test_only_the_columns_of_the_file_are_given():
    assert row().values == {"title": "Tea"}
    assert row(price="", shop_name="").values == {"title": "Tea", "price": None, "shop_name": ""}


@pytest.mark.parametrize(
    ("price", "amount", "currency"),
    [
        ("12", 12.0, ""),
        ("12.345", 12.345, ""),
        ("0", 0.0, ""),
        ("1e3", 1000.0, ""),
        (7, 7.0, ""),
        ("￥1,299.00", 1299.0, "￥"),
        ("1.299,50 €", 1299.5, "€"),
        ("１２．５", 12.5, ""),
        ("99元", 99.0, ""),
        ("", None, ""),
    ],
)
def test_prices_are_read(price, amount, currency):
    values = row(price=price).values
    assert (values["price"], values.get("currency", "")) == (amount, currency)


def test_the_column_of_the_currency_counts_more_than_the_sign():
    assert row(price="￥5", currency="CNY").values["currency"] == "CNY"
    assert row(price="￥5", currency="").values["currency"] == "￥"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title", "  ", "title is missing"),
        ("price", "面议", "no price"),
        ("price", "-5", "no price"),
        ("price", "￥-5", "no price"),
        ("price", float("inf"), "no price"),
        ("price", "9" * 400, "no price"),
        ("url", "javascript:alert(1)", "http:// or https://"),
        ("url", "shop.example/1", "http:// or https://"),
        ("url", "https://a.example/" + "x" * 2000, "longer than 2000"),
        ("shop_url", "ftp://a.example", "http:// or https://"),
        ("image", "file:///etc/passwd", "http:// or https://"),
        ("image", "//evil.example/a.jpg", "http:// or https://"),
        ("image", "/etc/passwd", "inside the folder"),
        ("image", "../secret.jpg", "inside the folder"),
        ("image", "a/../../secret.jpg", "inside the folder"),
        ("image", "..\\secret.jpg", "inside the folder"),
        ("image", "C:\\secret.jpg", "inside the folder"),
        ("image", "\\\\host\\share\\a.jpg", "http:// or https://|inside the folder"),
        ("item_id", "x" * 201, "longer than 200"),
        ("shop_name", ["a"], "text or a number"),
    ],
)
def test_what_is_wrong_is_told_with_line_field_and_value(field, value, told):
    problem = row(**{field: value})
    assert isinstance(problem, Problem)
    shown = problem.as_json()
    assert (shown["line"], shown["field"], shown["skipped"]) == (7, field, True)
    assert len(shown["value"]) <= 100
    assert any(part in shown["message"] for part in told.split("|"))


def test_long_texts_are_cut_to_what_a_document_holds():
    values = row(title="x" * 600, shop_name="y" * 300, currency="z" * 20).values
    assert [len(values[name]) for name in ("title", "shop_name", "currency")] == [500, 200, 8]
