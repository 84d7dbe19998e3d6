"""The pages of imports of tables in the admin."""

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Product, TableImport
from annotation.tables.services import table_import_run
from mmproject import roles
from tests.annotation.factories import make_product
from tests.annotation.table_files import csv_file

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

ADD = "/admin/annotation/tableimport/add/"
LIST = "/admin/annotation/tableimport/"
HOSTILE = "<script>alert(1)</script>"
TABLE = csv_file(["id", "name", "keywords", "active"], ["a", "A", HOSTILE, ""], ["", "B", "", "x" + HOSTILE])


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def reviewer(sign_in):
    return sign_in("reviewer")


def upload(client, data: bytes = TABLE, **values):
    file = SimpleUploadedFile("list.csv", data)
    return client.post(ADD, {"kind": "products", "file": file} | values)


def checked(client, data: bytes = TABLE, **values) -> TableImport:
    assert upload(client, data, **values).status_code == 302
    one = TableImport.objects.order_by("-created_at").first()
    table_import_run(import_id=one.id)
    return TableImport.objects.get(id=one.id)


def address(one: TableImport, what: str = "change") -> str:
    return reverse(f"admin:annotation_tableimport_{what}", args=[one.id])


def test_from_the_list_of_products_to_the_import(reviewer):
    make_product("A", keywords="old", brand="")
    assert f"{ADD}?kind=products" in reviewer.get("/admin/annotation/product/").content.decode()
    assert '<option value="products" selected>' in reviewer.get(f"{ADD}?kind=products").content.decode()
    upload(reviewer)
    one = TableImport.objects.get()
    page = reviewer.get(address(one)).content.decode()
    assert "Waiting for a worker" in page
    assert f'hx-get="{address(one, "progress")}"' in page
    assert reviewer.get(address(one, "progress")).status_code == 200
    table_import_run(import_id=one.id)
    assert reviewer.get(address(one, "progress")).status_code == 286
    page = reviewer.get(address(one)).content.decode()
    assert "<del>old</del> → <ins>&lt;script&gt;" in page
    assert "It should be true or false." in page
    assert HOSTILE not in page
    assert Product.objects.get(id="a").keywords == "old"
    first, second = reviewer.post(address(one, "confirm")), reviewer.post(address(one, "confirm"))
    real = TableImport.objects.get(dry_run=False)
    assert first.url == second.url == address(real)
    table_import_run(import_id=real.id)
    assert "The import is finished." in reviewer.get(first.url).content.decode()
    assert Product.objects.get(id="a").keywords == HOSTILE
    assert "list.csv" in reviewer.get(LIST).content.decode()


def test_the_page_says_when_a_wrong_row_stops_all(reviewer):
    one = checked(reviewer, strict="on")
    page = reviewer.get(address(one)).content.decode()
    assert "Rows are wrong, and you wanted nothing imported then" in page
    assert "Import for real" not in page
    answer = reviewer.post(address(one, "confirm"))
    assert answer.status_code == 422
    assert not TableImport.objects.filter(dry_run=False).exists()


@pytest.mark.parametrize(
    "values", [{"kind": "users"}, {"kind": ""}, {"file": ""}, {"file": SimpleUploadedFile("a.exe", b"x")}]
)
def test_a_bad_upload_is_told_and_changes_nothing(reviewer, values):
    answer = upload(reviewer, **values)
    assert answer.status_code == 422
    assert "The file was not taken" in answer.content.decode()
    assert not TableImport.objects.exists()


def test_who_may_not_change_the_catalogue_imports_none(sign_in, monkeypatch, reviewer):
    one = checked(reviewer)
    assert sign_in("operator").get(ADD).status_code == 403
    assert upload(sign_in("operator")).status_code == 403
    assert sign_in("operator").get(address(one, "progress")).status_code == 403
    without = [name for name in roles.PERMISSIONS[roles.REVIEWER] if name != "annotation.change_product"]
    monkeypatch.setitem(roles.PERMISSIONS, roles.REVIEWER, without)
    roles.make_groups(using="default")
    assert upload(reviewer).status_code == 403
    assert reviewer.post(address(one, "confirm")).status_code == 403
    assert not TableImport.objects.filter(dry_run=False).exists()


def test_an_unknown_import_is_not_found(reviewer):
    assert reviewer.get(f"{LIST}unknown/change/").status_code == 404
    assert reviewer.get(f"{LIST}unknown/progress/").status_code == 404
    assert reviewer.post(f"{LIST}unknown/confirm/").status_code == 404


def test_the_page_costs_two_queries_however_much_is_told(reviewer):
    one = checked(reviewer, csv_file(["name", "active"], *([f"P{n}", "x" * (n % 2)] for n in range(300))))
    with CaptureQueriesContext(connections["mongo"]) as queries:
        page = reviewer.get(address(one)).content.decode()
    assert len(queries) <= 2
    assert page.count("It should be true or false.") == 150
