"""The table of judgments and its exports: every filter, order and page against the obvious way of doing it."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from annotation.models import Product
from evaluation import services
from evaluation.models import Judgment, Verdict
from evaluation.selectors import statistics_table
from evaluation.selectors.statistics_filters import Filters
from evaluation.selectors.statistics_table import table_page
from tests.evaluation.factories import make_catalogue, make_judgment

URL = "/evaluation/statistics/judgments/"
DATABASES = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def rows():
    products = make_catalogue()
    for number in range(23):
        wrong = number % 3 == 1
        make_judgment(
            number,
            predicted=products[number % 3],
            verdict=Verdict.WRONG if wrong else [Verdict.RIGHT, Verdict.UNSURE][number % 2],
            right=products[2] if wrong and number % 2 else None,
            model_id=f"m{number % 2}",
            shop_name=f"Shop {number % 4}",
            evaluator_id=number % 2 + 1,
            evaluator_name=["ann", "bob"][number % 2],
            product_confidence=(number * 37 % 100) / 100,
            rejected=number % 5 == 0,
            trained_on=number % 7 == 0,
            judged_at=datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=number * 5),
        )
    services.days_refresh()
    return list(Judgment.objects.order_by("judged_at", "id"))


FILTERS = [
    ({}, lambda row: True),
    ({"model": "m1"}, lambda row: row.model_id == "m1"),
    ({"product": "Tea 1"}, lambda row: row.predicted_product_id == "tea-1"),
    ({"brand": "brand-0"}, lambda row: row.predicted_brand_id == "brand-0"),
    ({"shop": "Shop 3"}, lambda row: row.shop_name == "Shop 3"),
    ({"source": "demo-shop"}, lambda row: True),
    ({"evaluator": "bob"}, lambda row: row.evaluator_name == "bob"),
    ({"evaluator": "1"}, lambda row: row.evaluator_id == 1),
    ({"verdict": "wrong"}, lambda row: row.verdict == "wrong"),
    ({"right": "tea-2"}, lambda row: row.right_product_id == "tea-2"),
    ({"right": "absent"}, lambda row: row.verdict == "wrong" and not row.right_product_id),
    ({"confidence": "50-90"}, lambda row: 0.5 <= row.product_confidence < 0.9),
    ({"confidence": "99-100"}, lambda row: row.product_confidence >= 0.99),
    ({"refused": "yes"}, lambda row: row.rejected),
    ({"refused": "no", "verdict": "right"}, lambda row: not row.rejected and row.verdict == "right"),
    ({"pictures": "known"}, lambda row: row.trained_on),
    ({"pictures": "fresh"}, lambda row: not row.trained_on),
    ({"since": "2026-03-03"}, lambda row: row.judged_at >= datetime(2026, 3, 3, tzinfo=UTC)),
    ({"until": "2026-03-02"}, lambda row: row.judged_at < datetime(2026, 3, 3, tzinfo=UTC)),
    ({"shop": "Shop 2", "verdict": "right"}, lambda row: row.shop_name == "Shop 2" and row.verdict == "right"),
    ({"product": "no such product"}, lambda row: False),
]  # fmt: skip


@DATABASES
def test_every_filter_order_and_page_shows_what_it_should(rows, monkeypatch):
    monkeypatch.setattr(statistics_table, "PAGE_SIZE", 4)
    keys = {
        "oldest": lambda row: (row.judged_at, row.id),
        "newest": lambda row: (row.judged_at, row.id),
        "unsure": lambda row: (row.product_confidence, row.judged_at, row.id),
        "sure": lambda row: (row.product_confidence, row.judged_at, row.id),
    }
    for given, means in FILTERS:
        for order, key in keys.items():
            wanted = sorted(filter(means, rows), key=key, reverse=order in {"newest", "sure"})
            first = table_page(filters=Filters(**given), order=order)
            assert first.count == len(wanted)
            pages = [table_page(filters=Filters(**given), order=order, number=n + 1) for n in range(first.pages)]
            assert [row.id for page in pages for row in page.rows] == [row.id for row in wanted], (given, order)
    beyond = table_page(filters=Filters(), number=99)
    assert beyond.number == beyond.pages == 6


def test_a_page_of_the_table_comes_alone_for_htmx(sign_in, rows):
    client = sign_in("evaluator")
    part = client.get(URL, {"model": "m1"}, headers={"HX-Request": "true", "HX-Target": "judgments"}).content.decode()
    assert "<html" not in part
    assert "11 judgments" in part
    assert "<html" in client.get(URL, {"model": "m1"}).content.decode()


def test_csv_holds_what_the_filters_leave(sign_in, rows):
    response = sign_in("evaluator").get("/evaluation/statistics/export/csv/", {"verdict": "wrong"})
    found = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert [row["id"] for row in found] == [row.id for row in rows if row.verdict == "wrong"]
    assert found[0]["judged_at"] == "2026-03-01T17:00:00+00:00"


@DATABASES
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_cells_run_nothing(sign_in, format):
    hostile = '=HYPERLINK("http://evil.example";"x")'
    make_judgment(1, predicted=make_catalogue()[0], shop_name=hostile)
    make_judgment(2, predicted=Product(id="hostile", name=hostile, brand_name="B"))
    data = b"".join(sign_in("evaluator").get(f"/evaluation/statistics/export/{format}/").streaming_content)
    if format == "csv":
        cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
    else:
        sheet = load_workbook(io.BytesIO(data)).active
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert cells.count(f"'{hostile}") == 2
    assert hostile not in cells


def test_exports_say_no_with_reason(sign_in, rows):
    client = sign_in("evaluator")
    assert client.get("/evaluation/statistics/export/pdf/").status_code == 404
    wrong = client.get("/evaluation/statistics/export/csv/", {"since": "soon"})
    assert wrong.status_code == 400
    assert "“soon”" in wrong.content.decode()
    assert sign_in("annotator").get("/evaluation/statistics/export/csv/").status_code == 403


def test_every_number_leads_to_as_many_rows(sign_in, rows):
    client = sign_in("evaluator")
    followed = 0
    for by in ("model", "product", "brand", "shop", "evaluator", "confidence", "day"):
        page = client.get("/evaluation/statistics/", {"by": by}).content.decode()
        for address, number in re.findall(r'<a href="(/evaluation/statistics/judgments/[^"]*)">(\d+)</a>', page):
            rows_there = client.get(address.replace("&amp;", "&"), headers={"HX-Target": "judgments"}).content.decode()
            assert f"<h2>{number} judgment" in rows_there, (by, address)
            followed += 1
    assert followed > 40


def test_names_are_found_as_they_are_typed(sign_in, rows):
    client = sign_in("evaluator")
    found = client.get("/evaluation/statistics/names/product/", {"product": "tea 1"}).content.decode()
    assert found.strip() == '<option value="Tea 1"></option>'
    assert client.get("/evaluation/statistics/names/product/", {"product": ".*"}).content.decode().strip() == ""
    assert client.get("/evaluation/statistics/names/id/").status_code == 404


def test_a_judgment_saved_just_now_is_there(sign_in, rows):
    client = sign_in("evaluator")
    make_judgment(99, predicted=Product.objects.get(id="tea-0"), title="fresh from the press", judged_at=timezone.now())
    page = client.get("/evaluation/statistics/").content.decode()
    assert "24 judgments" in page
    assert "fresh from the press" in page
