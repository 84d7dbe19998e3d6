"""Imports of brands, products and labels: what a dry run says, what the import writes, and what is wrong with rows."""

import time

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotation.disputes import dispute_decide
from annotation.models import Brand, Dispute, Label, Product, Submission, TableImport
from annotation.product_search import products_matching
from annotation.tables import running
from annotation.tables.services import (
    table_import_confirm,
    table_import_run,
    table_import_start,
    table_imports_resume,
)
from crawler.models import WorkState
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission
from tests.annotation.table_files import counts, csv_file, dry_run, import_file, jsonl_file

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def reviewer(person):
    return person("reviewer")


def test_products_are_made_and_changed_and_a_dry_run_writes_nothing(reviewer):
    make_product("Alpha Juice", keywords="juice", description="old")
    make_product("Alpha Tea")
    data = csv_file(
        ["id", "name", "brand", "keywords", "active"],
        ["alpha-juice", "Alpha Juice 1 l", "Alpha", "juice, orange", "true"],
        ["", "Alpha Tea", "Alpha", "", "yes"],
        ["", "Alpha 咖啡", "alpha", "coffee", "no"],
        ["", "绿茶", "", "tea", ""],
    )
    one = dry_run(data, kind="products", by=reviewer)
    assert (one.state, counts(one)) == (WorkState.DONE, (2, 1, 1, 0))
    assert one.changes == [
        {"line": 2, "name": "Alpha Juice 1 l",
         "fields": {"name": ["Alpha Juice", "Alpha Juice 1 l"], "keywords": ["juice", "juice, orange"]}},
        {"line": 4, "name": "Alpha 咖啡", "fields": {}},
        {"line": 5, "name": "绿茶", "fields": {}},
    ]  # fmt: skip
    assert Product.objects.count() == 2
    assert Product.objects.get(id="alpha-juice").name == "Alpha Juice"
    real = import_file(data, kind="products", by=reviewer)
    assert (real.state, counts(real)) == (WorkState.DONE, (2, 1, 1, 0))
    changed = Product.objects.get(id="alpha-juice")
    assert (changed.name, changed.keywords, changed.description) == ("Alpha Juice 1 l", "juice, orange", "old")
    new = Product.objects.get(name="Alpha 咖啡")
    assert (new.brand_id, new.brand_name, new.active) == ("alpha", "Alpha", False)
    assert Product.objects.get(name="绿茶").brand_id is None
    assert counts(dry_run(data, kind="products", by=reviewer)) == (0, 0, 4, 0)


def test_an_import_writes_the_same_as_saving_would(reviewer):
    make_product("Alpha Tea")
    data = csv_file(["name", "brand", "keywords"], ["Alpha Juice", "Alpha", "orange, 橙汁"])
    import_file(data, kind="products", by=reviewer)
    imported = Product.objects.filter(name="Alpha Juice").values().get()
    product = Product.objects.get(name="Alpha Juice")
    product.save()
    assert Product.objects.filter(name="Alpha Juice").values().get() == imported


def test_what_was_imported_is_found_by_the_picker_and_follows_its_brand(reviewer):
    make_product("Alpha Tea")
    assert [found.name for found in products_matching("chengzhi")] == []
    import_file(csv_file(["name", "brand"], ["Alpha 橙汁", "Alpha"]), kind="products", by=reviewer)
    assert [found.name for found in products_matching("chengzhi")] == ["Alpha 橙汁"]
    import_file(csv_file(["id", "name", "aliases"], ["alpha", "Omega", "欧米茄"]), kind="brands", by=reviewer)
    assert {product.brand_name for product in Product.objects.all()} == {"Omega"}
    assert len(products_matching("oumijia")) == 2


def test_wrong_rows_are_told_and_the_others_are_imported(reviewer):
    make_product("Alpha Juice")
    data = csv_file(
        ["id", "name", "brand_id", "active", "keywords"],
        ["", "", "", "", "x"],
        ["no spaces here", "A", "", "", ""],
        ["new-one", "Alpha Juice", "", "", ""],
        ["", "B", "nobody", "", ""],
        ["", "C", "", "perhaps", ""],
        ["", "D", "", "", "x" * 501],
        ["", "Good", "", "", ""],
        ["", "Good", "", "", ""],
        ["unknown", "", "", "", ""],
    )
    one = dry_run(data, kind="products", by=reviewer)
    told = {error["line"]: (error["field"], error["value"][:9], error["message"]) for error in one.errors}
    assert told[2] == ("id", "", "It is not in the catalogue, and something new needs a name.")
    assert told[3][:2] == ("id", "no spaces")
    assert told[4] == ("name", "Alpha Jui", "There is already a product named “Alpha Juice”. (id: alpha-juice)")
    assert told[5] == ("brand_id", "nobody", "There is no such brand: import the brands first.")
    assert told[6] == ("active", "perhaps", "It should be true or false.")
    assert told[7] == ("keywords", "xxxxxxxxx", "It is longer than 500 characters.")
    assert told[9] == ("", "", "The same stands in line 8 already.")
    assert told[10][0] == "id"
    assert counts(one) == (1, 0, 0, 8)
    assert counts(import_file(data, kind="products", by=reviewer)) == (1, 0, 0, 8)
    assert sorted(Product.objects.values_list("name", flat=True)) == ["Alpha Juice", "Good"]


def test_a_wrong_row_stops_all_where_that_is_wanted(reviewer):
    data = csv_file(["name", "active"], ["Good", ""], ["Bad", "perhaps"])
    one = dry_run(data, kind="products", by=reviewer, strict=True)
    with pytest.raises(ValidationError, match="Rows are wrong"):
        table_import_confirm(dry_run=one, requested_by=reviewer)
    assert not Product.objects.exists()


def test_brands_by_name_and_id(reviewer):
    Brand.objects.create(id="alpha", name="Alpha", aliases="A")
    Brand.objects.create(id="twin-1", name="Twin")
    Brand.objects.create(id="twin-2", name="Twin")
    data = csv_file(
        ["品牌", "编号", "别名"],
        ["Alpha", "", "A, 阿尔法"],
        ["Beta", "", ""],
        ["Twin", "", "x"],
        ["Twin", "twin-2", "y"],
    )
    one = import_file(data, kind="brands", by=reviewer)
    assert counts(one) == (1, 1, 0, 2)  # both twins: which one is not said, and its name stood there already
    assert Brand.objects.get(id="alpha").aliases == "A, 阿尔法"
    assert Brand.objects.get(name="Beta").id == "beta"


def test_names_that_make_the_same_id_get_different_ones(reviewer):
    import_file(csv_file(["name"], ["A b"], ["A-b"], ["a B"]), kind="products", by=reviewer)
    assert Product.objects.count() == 3


def test_jsonl_keeps_types_and_refuses_objects(reviewer):
    data = jsonl_file({"name": 12345, "active": False}, {"name": "B", "keywords": ["a"]}, {"name": True})
    one = import_file(data, kind="products", by=reviewer, name="list.jsonl")
    assert [(error["line"], error["field"]) for error in one.errors] == [(2, "keywords")]
    assert Product.objects.get(name="12345").active is False


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"colour\nred", "list.csv", "No column “name” (or “id”): the columns of the first line are “colour”."),
        (b"PK\x03\x04nonsense", "list.xlsx", ""),
        ("name\n绿茶".encode("utf-16"), "list.csv", "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(reviewer, data, name, message):
    one = dry_run(data, kind="products", by=reviewer, name=name)
    assert one.state == WorkState.FAILED
    assert one.error
    assert message in one.error


@pytest.mark.parametrize(("name", "data"), [("list.exe", b"x"), ("list.csv", b"")])
def test_what_is_no_table_is_not_taken(reviewer, name, data):
    with pytest.raises(ValidationError):
        table_import_start(kind="products", file=ContentFile(data), file_name=name, requested_by=reviewer)
    with pytest.raises(ValidationError, match="cannot be imported"):
        table_import_start(kind="users", file=ContentFile(b"x"), file_name="a.csv", requested_by=reviewer)
    assert not TableImport.objects.exists()


# --- labels


def test_labels_become_those_of_submissions_by_whoever_imports_them(reviewer):
    product = make_product()
    listings = [make_listing(f"juice {number}") for number in range(3)]
    data = csv_file(
        ["listing", "source", "item_id", "product", "keyword"],
        [listings[0].id, "", "", product.name, "juice"],
        ["", "demo-shop", listings[1].item_id, product.id, "juice"],
        [listings[2].id, "", "", product.name, ""],
    )
    one = import_file(data, kind="labels", by=reviewer, name="from elsewhere.csv")
    assert counts(one) == (3, 0, 0, 0)
    labels = {label.listing_id: label for label in Label.objects.all()}
    assert set(labels) == {listing.id for listing in listings}
    label = labels[listings[0].id]
    assert (label.product_id, label.annotator_name, label.keyword) == (product.id, "reviewer", "juice")
    assert (label.review, label.title, label.source) == ("pending", "juice 0", "demo-shop")
    assert labels[listings[2].id].keyword == "imported: from elsewhere.csv"
    assert {one.state for one in Submission.objects.all()} == {WorkState.DONE}
    assert Submission.objects.count() == 2
    again = dry_run(data, kind="labels", by=reviewer)
    assert counts(again) == (0, 0, 3, 0)


def test_our_own_export_of_labels_changes_nothing(sign_in, person, reviewer):
    product, listing = make_product(), make_listing("=1+1")
    make_submission(product, [listing], by=person("annotator"), matched=[listing])
    for format in ("csv", "xlsx", "jsonl"):
        data = b"".join(sign_in("reviewer").get(f"/admin/annotation/label/export/{format}/").streaming_content)
        one = dry_run(data, kind="labels", by=reviewer, name=f"x.{format}")
        assert counts(one) == (0, 0, 1, 0)
    assert any("Columns that are not imported" in warning for warning in one.warnings)


def test_wrong_labels_are_told(reviewer):
    product, listing, bare = make_product(), make_listing(), make_listing(image_sha256="")
    data = csv_file(
        ["listing_id", "product_id", "product"],
        ["nowhere", product.id, ""],
        [listing.id, "nothing", ""],
        [listing.id, "", "Nothing"],
        [bare.id, product.id, ""],
        ["", product.id, ""],
    )
    one = dry_run(data, kind="labels", by=reviewer)
    assert [(error["line"], error["field"]) for error in one.errors] == [
        (2, "listing_id"), (3, "product_id"), (4, "product"), (5, "listing_id"), (6, "item_id"),
    ]  # fmt: skip
    assert not Submission.objects.exists()


def test_imported_labels_are_disputed_like_any_other(reviewer, person):
    product, listing = make_product(), make_listing()
    make_submission(product, [listing], by=person("annotator"), refused=[listing], ago=9)
    import_file(csv_file(["listing", "product"], [listing.id, product.name]), kind="labels", by=reviewer)
    dispute_decide(dispute_id=Dispute.objects.get().id, is_match=False, reviewer=person("superuser"))
    assert Label.objects.get().review == "rejected"


# --- workers


def test_a_worker_that_died_is_followed_by_one_that_goes_on(reviewer, monkeypatch):
    monkeypatch.setattr(running, "CHUNK_ROWS", 2)
    data = csv_file(["name"], *([f"Product {number}"] for number in range(5)))
    real = table_import_confirm(dry_run=dry_run(data, kind="products", by=reviewer), requested_by=reviewer)
    done: list[int] = []
    whole = running._chunk_done

    def die_in_the_second(run, target, chunk, number):
        if len(done) == 1:
            raise RuntimeError("the machine is gone")
        done.append(number)
        whole(run, target, chunk, number)

    with monkeypatch.context() as patched:
        patched.setattr(running, "_chunk_done", die_in_the_second)
        table_import_run(import_id=real.id)
    assert Product.objects.count() == 2
    assert table_imports_resume() == 1
    table_import_run(import_id=real.id)
    now = TableImport.objects.get(id=real.id)
    assert (now.state, counts(now), Product.objects.count()) == (WorkState.DONE, (5, 0, 0, 0), 5)


def test_a_second_confirmation_is_the_same_import(reviewer):
    one = dry_run(csv_file(["name"], ["A"]), kind="products", by=reviewer)
    first, second = (table_import_confirm(dry_run=one, requested_by=reviewer) for _again in range(2))
    assert first.id == second.id
    table_import_run(import_id=first.id)
    table_import_run(import_id=first.id)
    assert counts(TableImport.objects.get(id=first.id)) == (1, 0, 0, 0)
    with pytest.raises(ValidationError, match="Only a finished dry run"):
        table_import_confirm(dry_run=TableImport.objects.get(id=first.id), requested_by=reviewer)


def test_nothing_to_write_is_not_imported(reviewer):
    make_product("A")
    one = dry_run(csv_file(["name"], ["A"]), kind="products", by=reviewer)
    with pytest.raises(ValidationError, match="nothing in the file"):
        table_import_confirm(dry_run=one, requested_by=reviewer)


def test_many_products_take_few_queries_and_little_time(reviewer):
    Brand.objects.create(id="alpha", name="Alpha")
    rows = [[f"p{number}", f"Product {number}", "alpha", "a, b"] for number in range(5_000)]
    data = csv_file(["id", "name", "brand_id", "keywords"], *rows)
    started = time.monotonic()
    with CaptureQueriesContext(connections["mongo"]) as queries:
        assert import_file(data, kind="products", by=reviewer).created == 5_000
    assert len(queries) < 10 * 20 + 30  # chunks of both runs
    assert time.monotonic() - started < 30
