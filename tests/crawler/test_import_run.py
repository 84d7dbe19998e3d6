"""Imports from upload to listings: a dry run, the real run, the same again, and what a crash leaves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.utils import timezone, translation

from crawler import crawling
from crawler.images import read_image
from crawler.imports import running, services, writing
from crawler.imports.services import import_confirm, import_run, import_start, imports_resume
from crawler.models import ImageState, Listing, ListingImport, SearchPage, Source, WorkState
from crawler.services import search
from tests.crawler.import_files import csv_of, jsonl_of, muge_pictures, muge_queries, picture, xlsx_of, zip_of
from tests.shop import HOSTILE_TITLE

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

TEN = csv_of(*(f"{number},Tea {number},,{number}" for number in range(10)), header="item_id,title,url,price")


@pytest.fixture(autouse=True)
def queued(monkeypatch) -> list[str]:
    """The ids handed to the workers; nothing is really queued."""
    ids: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: ids.append(args[0]))
    return ids


@pytest.fixture
def dry(files_source) -> Callable[..., ListingImport]:
    """`dry(data)`: upload, and do the dry run as a worker would."""

    def do(data: bytes, name: str = "list.csv") -> ListingImport:
        started = import_start(source="files", file=SimpleUploadedFile(name, data), file_name=name, requested_by="ann")
        return ran(started)

    return do


@pytest.fixture
def imported(dry) -> Callable[..., ListingImport]:
    """`imported(data)`: the dry run, and the real one unless there is nothing to do."""

    def do(data: bytes, name: str = "list.csv") -> ListingImport:
        dry_run = dry(data, name)
        assert dry_run.state == WorkState.DONE, dry_run.error
        return ran(import_confirm(dry_run=dry_run))

    return do


def ran(listing_import: ListingImport) -> ListingImport:
    import_run(import_id=listing_import.id)
    return ListingImport.objects.get(id=listing_import.id)


def counts(one: ListingImport) -> tuple[int, int, int, int]:
    return one.created, one.updated, one.unchanged, one.failed


def documents() -> list[dict]:
    return list(Listing.objects.order_by("id").values())


def test_a_dry_run_writes_nothing_and_tells_what_an_import_would(dry, files_source):
    one = dry(TEN)
    assert (one.state, one.total, one.done, counts(one)) == (WorkState.DONE, 10, 10, (10, 0, 0, 0))
    assert one.format == "csv"
    assert not Listing.objects.exists()
    pictures = dry(zip_of({"a.csv": csv_of("1,Tea,a.png", header="item_id,title,image"), "a.png": picture()}), "a.zip")
    assert counts(pictures) == (1, 0, 0, 0)
    assert default_storage.listdir("")[0] == ["imports"]


def test_listings_are_written_with_their_pictures(imported):
    table = csv_of(
        "1,Oolong,https://shop.example/1,￥12.50,,Tea house,,pics/a.png",
        f'2,"{HOSTILE_TITLE.replace(chr(34), chr(34) * 2)}",,,,,,',
        '3,"=HYPERLINK(""http://x"")",,,,,,gone.jpg',
        "4,Broken,,,,,,pics/broken.jpg",
    )
    files = {"list.csv": table, "pics/a.png": picture(form="PNG"), "pics/broken.jpg": b"<svg/>"}
    one = imported(zip_of(files), "list.zip")
    assert (one.state, counts(one), one.pictures_failed) == (WorkState.DONE, (4, 0, 0, 0), 2)
    oolong, hostile, formula, broken = Listing.objects.order_by("item_id")
    assert (oolong.title, oolong.price, oolong.currency, oolong.shop_name) == ("Oolong", 12.5, "￥", "Tea house")
    assert (oolong.image_state, len(oolong.phash), oolong.image_url) == (ImageState.DONE, 16, "")
    assert read_image(oolong.image_sha256)[:3] == b"\xff\xd8\xff"
    assert hostile.title == HOSTILE_TITLE
    assert (hostile.image_state, hostile.image_error) == (ImageState.FAILED, "The listing has no picture.")
    assert formula.title == '=HYPERLINK("http://x")'
    assert formula.image_error == "There is no picture “gone.jpg”."
    assert broken.image_error == "The picture is not a JPEG, PNG or WebP file."
    assert [(error["line"], error["field"], error["skipped"]) for error in one.errors] == [
        (4, "image", False),
        (5, "image", False),
    ]


@pytest.mark.parametrize(
    ("data", "name", "count"),
    [
        (TEN, "list.csv", 10),
        (jsonl_of({"title": "a", "price": 1.1}, {"title": "b", "image": "x.jpg"}), "list.jsonl", 2),
        (xlsx_of(["标题", "价格"], ["茶", 1.5]), "list.xlsx", 1),
        (
            zip_of({"a.csv": csv_of("1,Tea,a.png", "2,Oil,b.png", header="id,title,image"), "a.png": picture()}),
            "list.zip",
            2,
        ),
        (
            zip_of(
                {
                    "v_queries.jsonl": muge_queries((1, "tea", [5, 6])),
                    "v_imgs.tsv": muge_pictures({5: picture(), 6: picture("blue")}),
                }
            ),
            "muge.zip",
            2,
        ),
    ],
)
def test_importing_twice_changes_nothing(imported, dry, data, name, count):
    assert imported(data, name).created == count
    before = documents()
    again = dry(data, name)
    assert counts(again) == (0, 0, count, 0)
    with pytest.raises(ValidationError, match="nothing in the file"):
        import_confirm(dry_run=again)
    again.created = 1  # as if there were something: the real run then finds nothing to write, either
    assert counts(ran(import_confirm(dry_run=again))) == (0, 0, count, 0)
    assert documents() == before


def test_only_what_differs_is_written(imported):
    imported(TEN)
    before = {one["item_id"]: one for one in documents()}
    one = imported(TEN.replace(b"Tea 3,,3", b"Green tea,,3.5"))
    assert counts(one) == (0, 1, 9, 0)
    after = {one["item_id"]: one for one in documents()}
    changed = after.pop("3")
    assert (changed["title"], changed["price"]) == ("Green tea", 3.5)
    assert changed["last_seen_at"] > before["3"]["last_seen_at"]
    assert changed["first_seen_at"] == before["3"]["first_seen_at"]
    before.pop("3")
    assert after == before


def test_a_column_that_is_not_there_leaves_what_is_known(imported):
    imported(csv_of("1,Tea,Tea house,5", header="item_id,title,shop_name,price"))
    assert counts(imported(csv_of("1,Tea,6", header="item_id,title,price"))) == (0, 1, 0, 0)
    listing = Listing.objects.get()
    assert (listing.shop_name, listing.price) == ("Tea house", 6.0)


def test_a_good_picture_is_only_replaced_by_another_one(imported):
    table = csv_of("1,Tea,a.png", header="item_id,title,image")
    imported(zip_of({"a.csv": table, "a.png": picture("red")}), "a.zip")
    red = Listing.objects.get().image_sha256
    imported(csv_of("1,Tea 2,a.png", header="item_id,title,image"))  # came without its pictures
    assert Listing.objects.get().image_sha256 == red
    imported(zip_of({"a.csv": table, "a.png": picture("blue")}), "a.zip")
    assert Listing.objects.get().image_sha256 not in ("", red)


def test_an_item_that_stands_twice_counts_once(imported):
    one = imported(csv_of("1,First", "1,Second", "2,Other", header="item_id,title"))
    assert counts(one) == (2, 0, 0, 1)
    (error,) = one.errors
    assert (error["line"], error["message"]) == (3, "The same item stands in line 2 already.")
    assert Listing.objects.get(item_id="1").title == "First"


def test_wrong_rows_are_left_out_and_the_first_200_told(imported):
    rows = [f"{number},Tea,javascript:{number}" for number in range(300)]
    one = imported(csv_of("ok,Tea,", *rows, header="item_id,title,url"))
    assert counts(one) == (1, 0, 0, 300)
    assert len(one.errors) == 200
    assert one.errors[0] == {
        "line": 3,
        "field": "url",
        "value": "javascript:0",
        "message": "It should be an address that starts with http:// or https://.",
        "file": "",
        "skipped": True,
    }


def test_what_is_wrong_is_told_in_the_language_of_who_asked(dry, monkeypatch):
    with translation.override("zh-hans"):
        one = dry(csv_of("1,Tea,gone.jpg", header="item_id,title,image"))
    assert one.language == "zh-hans"
    seen = []
    monkeypatch.setattr(running, "look_at_image", lambda data: seen.append(translation.get_language()))
    one = import_start(
        source="files",
        file=SimpleUploadedFile("a.zip", zip_of({"a.csv": b"title,image\na,b", "b": b"x"})),
        file_name="a.zip",
    )
    ListingImport.objects.filter(id=one.id).update(language="zh-hans")
    ran(one)
    assert seen == ["zh-hans"]  # in the threads that read pictures as well


def test_pictures_on_the_web_are_fetched(shop, goods, imported, requests_seen, behave):
    address = f"{shop.address}/pictures/{goods.goods[0].item_id}.jpg"
    table = csv_of(f"1,Tea,{address}", f"2,Oil,{shop.address}/nothing.jpg", header="item_id,title,image")
    one = imported(table)
    assert (counts(one), one.pictures_failed) == ((2, 0, 0, 0), 1)
    assert (one.errors[0]["field"], one.errors[0]["skipped"]) == ("image", False)
    tea, oil = Listing.objects.order_by("item_id")
    assert (tea.image_state, tea.image_url) == (ImageState.DONE, address)
    assert read_image(tea.image_sha256)
    assert oil.image_state == ImageState.FAILED
    assert "404" in oil.image_error


def test_a_crash_in_the_middle_is_made_good_by_running_it_again(dry, monkeypatch, queued):
    monkeypatch.setattr(running, "CHUNK_ROWS", 3)
    run = import_confirm(dry_run=dry(TEN))

    class Killed(BaseException):
        """The worker ends here, as by SIGKILL."""

    real, calls = running.rows_write, []

    def dying(**options):
        written = real(**options)
        calls.append(written)
        if len(calls) == 2:  # the second chunk is written and not counted
            raise Killed
        return written

    monkeypatch.setattr(running, "rows_write", dying)
    with pytest.raises(Killed):
        import_run(import_id=run.id)
    crashed = ListingImport.objects.get(id=run.id)
    assert (crashed.state, crashed.resume_from, Listing.objects.count()) == (WorkState.RUNNING, 3, 6)
    import_run(import_id=run.id)  # the lease of the dead one still holds
    assert ListingImport.objects.get(id=run.id).lease_token == crashed.lease_token
    ListingImport.objects.filter(id=run.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    queued.clear()
    assert imports_resume() == 1
    assert queued == [run.id]
    done = ran(run)
    assert (done.state, done.done, counts(done)) == (WorkState.DONE, 10, (7, 0, 3, 0))
    assert Listing.objects.count() == 10


def test_a_worker_that_lost_its_lease_writes_no_outcome(dry, monkeypatch):
    run = import_confirm(dry_run=dry(TEN))

    def stall(**options):
        ListingImport.objects.filter(id=run.id).update(lease_token="another")
        return writing.rows_write(**options)

    monkeypatch.setattr(running, "rows_write", stall)
    done = ran(run)
    assert (done.state, done.lease_token, done.created) == (WorkState.RUNNING, "another", 0)


def test_a_fault_of_ours_is_tried_again_and_given_up_in_the_end(dry, monkeypatch, caplog):
    run = import_confirm(dry_run=dry(TEN))

    def broken(**options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(running, "rows_write", broken)
    for attempt in range(1, services.MAX_ATTEMPTS + 1):
        assert (ran(run).attempts, ListingImport.objects.get(id=run.id).state) == (attempt, WorkState.PENDING)
    assert "given up after 3 attempts" in ran(run).error
    assert "a bug" in caplog.text


def test_two_imports_of_the_same_listings_at_once_are_no_fault(dry, monkeypatch):
    run = import_confirm(dry_run=dry(TEN))
    real = Listing.objects.bulk_create

    def late(new):
        monkeypatch.undo()
        real([Listing(**{name: getattr(one, name) for name in _names()}) for one in new[:4]])
        raise IntegrityError("duplicate key")

    monkeypatch.setattr(Listing.objects, "bulk_create", late)
    assert counts(ran(run)) == (6, 0, 4, 0)


def _names() -> list[str]:
    return [field.name for field in Listing._meta.fields]


def test_a_new_import_is_found_though_the_search_is_cached(imported, crawled, dry):
    imported(TEN)
    found = crawled("tea", source="files")
    assert search(keyword="tea", source="files").state == "ready"
    imported(csv_of("11,Tea 11", header="item_id,title"))
    result = search(keyword="tea", source="files")
    assert (result.state, len(result.listings)) == ("pending", len(found.listings))
    SearchPage.objects.update(fresh_until=timezone.now() + timedelta(hours=1))
    dry(csv_of("12,Tea 12", header="item_id,title"))
    assert search(keyword="tea", source="files").state == "ready"  # a dry run changed nothing


def test_an_import_that_ends_while_a_page_is_cached_is_not_hidden_by_it(imported, monkeypatch):
    imported(TEN)
    late = []

    def slow(**options):
        late.append(imported(csv_of("11,Tea 11", header="item_id,title")))

    monkeypatch.setattr(crawling, "pictures_fetch", slow)
    crawl = search(keyword="tea", source="files").crawl
    crawling.crawl_run(crawl_id=crawl.id)
    assert late[0].created == 1
    assert search(keyword="tea", source="files").state == "pending"


def test_a_file_that_cannot_be_read_fails_with_the_reason(dry):
    one = dry(b"colour\nred\n")
    assert one.state == WorkState.FAILED
    assert "No column “title”" in one.error
    with pytest.raises(ValidationError, match="Only a finished dry run"):
        import_confirm(dry_run=one)


def test_too_many_rows_are_refused_before_anything_is_written(dry, monkeypatch):
    monkeypatch.setattr(running, "MAX_ROWS", 9)
    assert "more than 9 rows" in dry(TEN).error


def test_a_file_without_rows_says_so(dry):
    assert dry(csv_of()).warnings == ["The file has no rows."]


@pytest.mark.parametrize(
    ("name", "data", "source", "told"),
    [
        ("list.exe", b"x", "files", "“list.exe” is none of the files"),
        ("list.csv", b"", "files", "“list.csv” is empty"),
        ("list.csv", b"title\na", "nowhere", "“nowhere” is no source of files"),
        ("list.csv", b"x" * 11, "files", "at most 0 can be uploaded"),
    ],
)
def test_an_upload_that_cannot_be_taken_is_told_and_leaves_nothing(files_source, monkeypatch, name, data, source, told):
    monkeypatch.setattr(services, "MAX_UPLOAD", 10)
    with pytest.raises(ValidationError, match=told):
        import_start(source=source, file=SimpleUploadedFile(name, data), file_name=name)
    assert not ListingImport.objects.exists()
    assert not default_storage.exists("imports")


def test_a_source_of_another_kind_takes_no_files(source):
    with pytest.raises(ValidationError, match="no source of files"):
        import_start(source=source.id, file=SimpleUploadedFile("a.csv", b"title\na"), file_name="a.csv")


def test_the_file_is_kept_until_it_is_imported_and_a_week_at_most(dry, imported):
    done = imported(TEN)
    assert (done.stored_name, default_storage.listdir("imports")[1]) == ("", [])
    left = dry(TEN + b"11,Tea 11,,1\r\n")
    imports_resume()
    assert default_storage.exists(left.stored_name)
    ListingImport.objects.filter(id=left.id).update(finished_at=timezone.now() - timedelta(days=8))
    imports_resume()
    assert not default_storage.exists(left.stored_name)
    with pytest.raises(ValidationError, match="not kept any more"):
        import_confirm(dry_run=ListingImport.objects.get(id=left.id))


def test_asked_twice_it_is_imported_once(dry):
    dry_run = dry(TEN)
    assert import_confirm(dry_run=dry_run).id == import_confirm(dry_run=dry_run).id
    assert ListingImport.objects.filter(dry_run=False).count() == 1


def test_a_source_that_was_taken_away_is_told(dry):
    run = import_confirm(dry_run=dry(TEN))
    Source.objects.all().delete()
    assert "not configured any more" in ran(run).error
