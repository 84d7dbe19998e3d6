"""A crawl platform's JSON, whatever its shape, read by JSON paths."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import LayoutError, SourceError
from crawler.responses import Fetched
from crawler.sources.base import MOST_LISTINGS
from crawler.sources.platform import PlatformConfig, read_answer

URL = "https://api.example/v1/search?q=x"
PATHS = {
    "listings": "$.data.items[*]",
    "item_id": "$.id",
    "title": "$.title",
    "url": "$.url",
    "price": "$.price",
    "currency": "$.currency",
    "shop_name": "$.shop.name",
    "shop_url": "$.shop.url",
    "picture": "$.images",
    "total": "$.data.total",
    "has_next": "$.data.more",
    "error": ["$.error", "$[?$.code != 0 && @ == $.message]"],
}
ROW = {
    "id": 7,
    "title": " 绿茶 ",
    "url": "//shop.example/items/7",
    "price": 3.5,
    "currency": "CNY",
    "shop": {"name": "Corner", "url": "/shops/1"},
    "images": ["//img.example/7.jpg", "//img.example/8.jpg"],
}


def config(*, paths: dict | None = None, **changes) -> PlatformConfig:
    return PlatformConfig.parse({"search_url": "search?q={keyword}", "paths": {**PATHS, **(paths or {})}, **changes})


def answered(data: object, *, page: int = 1, **changes):
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    fetched = Fetched(url=URL, content_type="application/json", charset="", body=body)
    return read_answer(fetched, config(**changes), page=page)


def answer(*rows: object, **data) -> dict:
    return {"code": 0, "message": "ok", "data": {"items": list(rows), "total": len(rows), "more": False, **data}}


def test_it_works():
    page = answered(answer(ROW, total=90, more=True))
    assert (page.total, page.has_next) == (90, True)
    (one,) = page.listings
    assert (one.item_id, one.title, one.price, one.currency) == ("7", "绿茶", 3.5, "CNY")
    assert (one.url, one.shop_name) == ("https://shop.example/items/7", "Corner")
    assert (one.shop_url, one.image_url) == ("https://api.example/shops/1", "https://img.example/7.jpg")


@pytest.mark.parametrize("path", ["$.data.items", "$.data.items[*]", "$.data['items'][?@.id > 0]", "$..items"])
def test_the_path_names_the_listings_or_their_list(path):
    assert len(answered(answer(ROW, {**ROW, "id": 8}), paths={"listings": path}).listings) == 2


def test_of_several_paths_the_first_that_finds_something_counts():
    row = {**ROW, "promotion": None, "image": "", "images": [{"thumb": "/t.jpg"}]}
    paths = {"price": ["$.promotion", "$.price"], "picture": ["$.image", "$.images[*].thumb"]}
    (one,) = answered(answer(row), paths=paths).listings
    assert (one.price, one.image_url) == (3.5, "https://api.example/t.jpg")


@pytest.mark.parametrize(
    ("value", "price", "currency"),
    [
        (12, 12.0, ""),
        ("12.50", 12.5, ""),
        ("¥1,299.00", 1299.0, "¥"),
        ("1299 元", 1299.0, ""),
        (0, 0.0, ""),
        (-1, None, ""),
        (True, None, ""),
        (None, None, ""),
        ("ask us", None, ""),
        ([9.9, 8.8], 9.9, ""),
        ({"amount": 1}, None, ""),
        (10**400, None, ""),
        (float("nan"), None, ""),
        (float("inf"), None, ""),
    ],
)
def test_a_price_is_a_number_or_a_text_or_none(value, price, currency):
    row = {**ROW, "price": value, "currency": ""}
    (one,) = answered(answer(row)).listings
    assert (one.price, one.currency) == (price, currency)


@pytest.mark.parametrize(
    ("item_id", "told"), [(7, "7"), ("7", "7"), (612345678901, "612345678901"), (6.5e11, "650000000000")]
)
def test_an_id_is_a_text_or_a_number(item_id, told):
    assert answered(answer({**ROW, "id": item_id})).listings[0].item_id == told


def test_without_an_id_the_address_is_it():
    values = {name: path for name, path in PATHS.items() if name != "item_id"}
    shop = PlatformConfig.parse({"search_url": "s?q={keyword}", "paths": values})
    body = json.dumps(answer(ROW)).encode()
    fetched = Fetched(url=URL, content_type="application/json", charset="", body=body)
    assert read_answer(fetched, shop, page=1).listings[0].item_id == "https://shop.example/items/7"


def test_listings_without_an_id_or_a_title_are_left_out():
    rows = [{"ad": 1}, ROW, {**ROW, "id": None}, {**ROW, "id": 9, "title": ""}, "text", 5, None, [ROW]]
    assert [one.item_id for one in answered(answer(*rows)).listings] == ["7"]


def test_a_listing_given_twice_is_one():
    assert len(answered(answer(ROW, {**ROW, "title": "again"})).listings) == 1


@pytest.mark.parametrize(
    "data",
    [
        answer(),
        answer(total=5),
        {"data": {"total": 0}},
        {"data": {"total": "0", "items": None}},
    ],
)
@pytest.mark.parametrize("path", ["$.data.items", "$.data.items[*]"])
def test_nothing_found_is_an_empty_result(data, path):
    page = answered(data, paths={"listings": path})
    assert (page.listings, page.has_next) == ([], False)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, r"\$\.data\.items\[\*\]” \(listings\)"),
        ({"data": {"items": None}}, "listings"),
        ({"data": {"total": 3}}, "listings"),
        ({"result": [ROW]}, "listings"),
        ([], "listings"),
        ("text", "listings"),
        (None, "listings"),
        (answer({"title": "x"}), r"\$\.id” \(item_id\)"),
        (answer({"id": 1}), r"\$\.title” \(title\)"),
        (answer("text"), "item_id"),
    ],
)
def test_an_answer_that_changed_shape_says_which_path_found_nothing_and_carries_the_answer(data, told):
    with pytest.raises(LayoutError, match=f"no longer matches: .*{told}") as error:
        answered(data)
    assert error.value.page.body == json.dumps(data).encode()


@pytest.mark.parametrize("body", [b"", b"<html>log in</html>", b"{", b"callback({})", b"\xff\xfe\xfa", b"[" * 5000])
def test_what_is_no_json_is_told_and_kept(body):
    with pytest.raises(LayoutError, match=r"api\.example did not send JSON") as error:
        answered(body)
    assert error.value.page.body == body


def test_json_nested_deeper_than_a_path_goes_is_a_changed_answer():
    nested: object = [ROW]
    for _ in range(300):
        nested = {"x": nested}
    with pytest.raises(LayoutError, match="listings"):
        answered({"deep": nested}, paths={"listings": "$..items"})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"error": "no such user"}, "no such user"),
        ({"error": {"code": 17}}, '{"code": 17}'),
        ({"error": ["busy"]}, '["busy"]'),
        ({"error": 500}, "500"),
        ({"code": 9, "message": "quota used up", "data": {}}, "quota used up"),
        ({"error": "x" * 9000}, "x" * 300),
        ({"error": "\ud800"}, r"\?"),
    ],
)
def test_an_error_that_the_platform_reports_is_told(data, told):
    with pytest.raises(SourceError, match="The platform reports: ") as error:
        answered(data)
    assert not isinstance(error.value, LayoutError)
    assert str(error.value).removeprefix("The platform reports: ") == told.removeprefix("\\")


@pytest.mark.parametrize("nothing", [None, "", 0, False, [], {}])
def test_an_empty_error_is_none(nothing):
    assert answered({**answer(ROW), "error": nothing}).listings


@pytest.mark.parametrize(
    ("more", "has_next"), [(True, True), (1, True), ("cursor", True), ("false", False), ("0", False), (None, False)]
)
def test_more_pages_are_told_in_many_ways(more, has_next):
    assert answered(answer(ROW, more=more)).has_next == has_next


@pytest.mark.parametrize(("total", "page", "has_next"), [(21, 1, True), (20, 1, False), (40, 2, False), (41, 2, True)])
def test_else_the_total_says_whether_there_are_more(total, page, has_next):
    assert answered(answer(ROW, total=total), page=page, paths={"has_next": []}).has_next == has_next


def test_else_a_page_that_holds_something_may_have_a_next():
    assert answered(answer(ROW), paths={"has_next": [], "total": []}).has_next
    assert not answered(answer(), paths={"has_next": [], "total": []}).has_next


def test_only_so_many_listings_are_taken():
    rows = [{**ROW, "id": number} for number in range(1, 1000)]
    assert len(answered(answer(*rows)).listings) == MOST_LISTINGS


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(categories=None), max_size=9),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.sampled_from([*ROW, "name", "data"]), part, max_size=4)
    ),
    max_leaves=12,
)


@given(anything | st.lists(anything, max_size=3).map(lambda rows: answer(*rows)))
@example(answer({**ROW, "id": "\ud800", "title": "\udfff", "url": "//\ud800"}))
def test_any_json_is_listings_or_a_source_error(data):
    try:
        page = answered(data)
    except SourceError:
        return
    for one in page.listings:
        assert one.item_id
        assert one.title
        repr(one).encode()
        assert one.price is None or 0 <= one.price < float("inf")
