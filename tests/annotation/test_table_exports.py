"""Exports: what is in them, what a spreadsheet may not run, and that they come back as they were."""

import csv
import io
import json
import resource

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from annotation.models import Brand, Label, Product
from annotation.tables.cells import harmless, original
from annotation.tables.exporting import csv_bytes, jsonl_bytes, xlsx_bytes
from annotation.tables.formats import FORMATS
from annotation.tables.running import _read
from crawler.imports.opening import opened_file
from crawler.imports.rows import Row
from mmproject.mongo.collections import collection
from tests.annotation.factories import make_product
from tests.annotation.labelled import make_labels

mongo = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
FORMULA = '=HYPERLINK("http://evil.example")'

# What a document can hold and CSV, too: no surrogates, and not NUL, which no text file has.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
formulas = st.builds(
    lambda quotes, space, sign, rest: quotes + space + sign + rest,
    st.text("'", max_size=2), st.text(" \t\r\n\u3000\xa0", max_size=2), st.sampled_from("=+-@\t\r＝'"), texts,
)  # fmt: skip


@given(texts | formulas)
@example("'=1")
@example("''")
@example(" \t-1")
def test_whatever_is_made_harmless_comes_back_and_starts_no_formula(text):
    cell = harmless(text)
    assert original(cell) == text
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r"))


def test_numbers_stay_numbers():
    assert [harmless(value) for value in (-1, 2.5, True, None)] == [-1, 2.5, True, None]
    assert harmless("-1") == "'-1"


def back(format: str, data: bytes) -> list[dict]:
    with opened_file(io.BytesIO(data), columns=FORMATS["products"].columns) as opened:
        assert opened.format == format
        rows = list(opened.rows)
    assert all(isinstance(row, Row) for row in rows)
    return [dict(_read(row, format).values) for row in rows]


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(texts | formulas, texts | formulas), min_size=1, max_size=4))
@example(rows=[("_x000D_", "a\rb"), ("\x01", "_x005F_x000D_")])
@example(rows=[("#N/A", "1"), ("true", "2020-01-01")])
def test_an_export_comes_back_exactly(format, rows):
    write = {"csv": csv_bytes, "xlsx": xlsx_bytes, "jsonl": jsonl_bytes}[format]
    header = ["id", "name", "description"]
    table = [[f"p{number}", *row] for number, row in enumerate(rows)]
    found = back(format, b"".join(write(header, table)))
    assert [[row[name] or "" for name in header] for row in found] == table


# --- the addresses


@pytest.fixture
def reviewer(sign_in):
    return sign_in("reviewer")


def downloaded(client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    return b"".join(answer.streaming_content)


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@mongo
def test_products_in_all_three_formats(reviewer):
    make_product("Alpha Juice", keywords="橙汁, juice", description=FORMULA, active=False)
    [row] = csv_rows(downloaded(reviewer, "/admin/annotation/product/export/csv/"))
    assert (row["id"], row["brand_name"], row["keywords"]) == ("alpha-juice", "Alpha", "橙汁, juice")
    assert (row["description"], row["active"]) == (f"'{FORMULA}", "false")
    sheet = load_workbook(io.BytesIO(downloaded(reviewer, "/admin/annotation/product/export/xlsx/"))).active
    header, values = ([cell.value for cell in cells] for cells in sheet.iter_rows())
    row = dict(zip(header, values, strict=True))
    assert (row["description"], row["active"]) == (f"'{FORMULA}", False)
    assert all(cell.data_type != "f" for cells in sheet.iter_rows() for cell in cells)
    row = json.loads(downloaded(reviewer, "/admin/annotation/product/export/jsonl/"))
    assert (row["description"], row["active"], row["brand_id"]) == (FORMULA, False, "alpha")


@mongo
def test_the_filters_and_the_search_of_the_list_apply(reviewer, person):
    make_labels(["apple", "pear"], annotator=person("annotator"))
    Label.objects.filter(title="pear").update(review="approved", price=3.5)
    rows = csv_rows(downloaded(reviewer, "/admin/annotation/label/export/csv/?review__exact=approved"))
    assert [(row["title"], row["review"], row["price"]) for row in rows] == [("pear", "approved", "3.5")]
    assert len(csv_rows(downloaded(reviewer, "/admin/annotation/label/export/csv/?q=apple"))) == 1
    page = reviewer.get("/admin/annotation/label/?review__exact=approved&p=1").content.decode()
    assert "/admin/annotation/label/export/csv/?review__exact=approved" in page
    assert "Review one by one" in page
    assert "p=1" not in page.split("export/csv/")[1].split('"')[0]
    book = load_workbook(io.BytesIO(downloaded(reviewer, "/admin/annotation/label/export/xlsx/?q=pear")))
    assert 3.5 in [cell.value for cell in book.active[2]]


@mongo
def test_an_empty_list_is_a_header(reviewer):
    assert downloaded(reviewer, "/admin/annotation/brand/export/csv/").decode("utf-8-sig") == "id,name,aliases\r\n"


@mongo
def test_what_there_is_not(reviewer, sign_in):
    assert reviewer.get("/admin/annotation/brand/export/pdf/").status_code == 404
    assert reviewer.get("/admin/annotation/product/export/csv/?nonsense=x").url == "/admin/annotation/product/"
    assert sign_in("operator").get("/admin/annotation/brand/export/csv/").status_code == 403


@mongo
def test_a_large_export_is_streamed(reviewer, person):
    make_labels(["tea"], annotator=person("annotator"))
    Label.objects.update(url="x" * 2000)
    labels = collection(Label)
    one = labels.find_one({}, {"_id": 0})
    for start in range(0, 30_000, 5_000):
        labels.insert_many([one | {"id": f"{number:06d}"} for number in range(start, start + 5_000)])
    b"".join(reviewer.get("/admin/annotation/label/export/csv/?q=nothing").streaming_content)  # imports and caches
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = reviewer.get("/admin/annotation/label/export/csv/")
    size = sum(len(piece) for piece in answer.streaming_content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert size > 60_000_000
    assert grown < 40 * 1024  # kilobytes


@mongo
def test_a_whole_catalogue_that_comes_back_changes_nothing(reviewer, person):
    from tests.annotation.table_files import counts, dry_run

    make_product("'=Alpha", keywords="  -1 ", description="\ta\r\nb\rc", guidelines="@all")
    make_product("Plain", brand="")
    Brand.objects.create(id="odd", name=" =Odd ", aliases="'x")
    before = list(Product.objects.order_by("id").values()), list(Brand.objects.order_by("id").values())
    for kind, name in (("brands", "brand"), ("products", "product")):
        for format in ("csv", "xlsx", "jsonl"):
            data = downloaded(reviewer, f"/admin/annotation/{name}/export/{format}/")
            one = dry_run(data, kind=kind, by=person("reviewer"), name=f"x.{format}")
            assert (counts(one), one.errors, one.changes) == ((0, 0, 2, 0), [], []), format
    assert (list(Product.objects.order_by("id").values()), list(Brand.objects.order_by("id").values())) == before
