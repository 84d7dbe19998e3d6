"""What is old and unneeded goes, beside crawls and beside itself; the command and the task that do it."""

import io
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from crawler import cleaning, raw_pages
from crawler.cleaning import Cleaned, crawls_clean, raw_pages_clean
from crawler.images import image_exists, image_name
from crawler.management.commands import clean_crawls
from crawler.models import Crawl, Listing, SearchPage, Source
from crawler.responses import Fetched
from crawler.tasks import clean_crawls as clean_crawls_task
from tests.crawler.old_documents import age, make_crawl, make_listing, make_page, make_picture

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("own_store"),
]


# --- pages and crawls ----------------------------------------------------------------------------------------------


def test_only_pages_that_expired_long_ago_go():
    make_page(1, stale_days_ago=31)
    make_page(2, stale_days_ago=29)
    make_page(3, stale_days_ago=-3)
    assert crawls_clean().search_pages == 1
    assert crawls_clean(days=1).search_pages == 1
    assert list(SearchPage.objects.values_list("id", flat=True)) == ["page-3"]


def test_a_page_of_before_there_was_a_stale_time_goes_by_its_fresh_one():
    page = make_page()
    SearchPage.objects.filter(id=page.id).update(stale_until=None)
    assert crawls_clean().search_pages == 1


def test_a_page_that_is_fetched_again_meanwhile_stays(monkeypatch):
    make_page()
    real = cleaning._remove

    def remove(documents):
        SearchPage.objects.update(stale_until=timezone.now())
        return real(documents)

    monkeypatch.setattr(cleaning, "_remove", remove)
    assert crawls_clean().search_pages == 0
    assert SearchPage.objects.exists()


def test_a_listing_that_is_seen_meanwhile_stays(monkeypatch):
    make_listing(1)
    real = cleaning.referred

    def see(references, ids):
        Listing.objects.update(last_seen_at=timezone.now())
        return real(references, ids)

    monkeypatch.setattr(cleaning, "referred", see)
    assert crawls_clean().listings == 0
    assert Listing.objects.exists()


def test_a_picture_that_is_stored_again_meanwhile_stays(monkeypatch):
    sha = make_picture(1)
    real = cleaning.referred

    def store_again(references, digests):
        found = real(references, digests)
        age(image_name(sha), hours_ago=0)  # as store_image does
        return found

    monkeypatch.setattr(cleaning, "referred", store_again)
    assert crawls_clean().pictures == 0
    assert image_exists(sha)


@pytest.mark.parametrize("state", ["pending", "running"])
def test_a_crawl_that_waits_or_runs_stays_however_old(state):
    make_crawl(state=state, days_ago=400)
    assert crawls_clean().crawls == 0


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_crawl_that_ended_long_ago_goes_with_its_raw_page(state):
    old, young = make_crawl(state=state, raw=True), make_crawl(state=state, days_ago=2, raw=True)
    age(old.raw_page, 31 * 24)
    cleaned = crawls_clean()
    assert (cleaned.crawls, cleaned.raw_pages) == (1, 1)
    assert list(Crawl.objects.values_list("id", flat=True)) == [young.id]
    assert not default_storage.exists(old.raw_page)
    assert default_storage.exists(young.raw_page)


def test_raw_pages_go_after_a_week_and_beyond_the_newest_of_a_source(monkeypatch):
    monkeypatch.setattr(cleaning, "RAW_PAGES_PER_SOURCE", 3)
    old = make_crawl(state="failed", days_ago=8, raw=True, source="other")
    many = [make_crawl(state="failed", days_ago=n / 10, raw=True) for n in range(5)]
    assert raw_pages_clean() == 3
    kept = set(Crawl.objects.exclude(raw_page="").values_list("id", flat=True))
    assert kept == {crawl.id for crawl in many[:3]}
    assert not default_storage.exists(old.raw_page)
    assert Crawl.objects.count() == 6
    assert raw_pages_clean() == 0


def test_a_raw_page_whose_worker_was_killed_is_found_by_its_age():
    for crawl_id, hours in (("old", 25), ("new", 1)):
        name = raw_pages.keep(crawl_id, Fetched(url="https://x", content_type="", charset="", body=b"x"))
        age(name, hours)
    assert raw_pages_clean() == 1
    assert default_storage.listdir("raw-pages")[1] == ["new.txt"]


def test_what_a_killed_worker_left_half_written_goes_and_strange_files_stay():
    for name, hours in (("tmp1.part", 25), ("tmp2.part", 1), ("README", 900)):
        default_storage.save(f"images/ab/{name}", ContentFile(b"x"))
        age(f"images/ab/{name}", hours)
    assert crawls_clean().pictures == 1
    assert sorted(default_storage.listdir("images/ab")[1]) == ["README", "tmp2.part"]


def test_it_goes_on_where_it_was_stopped(monkeypatch):
    monkeypatch.setattr(cleaning, "BATCH", 2)
    for number in range(7):
        make_page(number)

    def stop(what, count):
        if count >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crawls_clean(progress=stop)
    assert SearchPage.objects.count() == 3
    assert crawls_clean().search_pages == 3


def test_references_are_asked_for_in_batches_not_one_by_one(monkeypatch):
    for number in range(30):
        make_listing(number)
        make_picture(number)
    asked: list[int] = []
    real = cleaning.referred
    monkeypatch.setattr(cleaning, "REFERENCE_BATCH", 10)
    monkeypatch.setattr(cleaning, "referred", lambda which, ids: asked.append(len(ids)) or real(which, ids))
    crawls_clean()
    assert asked == [10] * 6


# --- the command and the task ----------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("clean_crawls", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_dry_run_counts_and_removes_nothing():
    make_page(listing_ids=["listing-1"])
    make_crawl(raw=True)
    make_listing(1)
    make_listing(2, sha=make_picture(1))
    make_picture(2)
    said = run("--dry-run")
    for line in ("1 search pages", "1 crawls", "1 raw pages", "1 listings", "1 pictures"):
        assert f"would remove {line}" in said
    assert (SearchPage.objects.count(), Crawl.objects.count(), Listing.objects.count()) == (1, 1, 2)
    assert image_exists(f"{2:064x}")
    said = run()
    for line in ("1 search pages", "1 crawls", "2 listings", "2 pictures"):
        assert f"removed {line}" in said


def test_the_days_are_chosen():
    make_page(stale_days_ago=5)
    assert "removed 0 search pages" in run()
    assert "removed 1 search pages" in run("--days", "4")


@pytest.mark.parametrize("days", ["0", "-3"])
def test_too_few_days_are_refused(days):
    with pytest.raises(CommandError, match="would remove what is still in use"):
        run("--days", days)
    with pytest.raises(ValueError, match=f"days={days}"):
        crawls_clean(days=int(days))


def test_a_store_that_does_not_answer_is_an_exit_code(monkeypatch):
    def fail(**values):
        raise DatabaseError("no server")

    monkeypatch.setattr(clean_crawls, "crawls_clean", fail)
    with pytest.raises(CommandError, match="stopped: no server") as raised:
        run()
    assert raised.value.returncode == 1


def test_the_log_says_what_was_removed(caplog):
    make_page()
    with caplog.at_level("INFO"):
        clean_crawls_task()
    assert "cleaned: 1 search_pages, 0 crawls, 0 raw_pages, 0 listings, 0 pictures" in caplog.text


def test_an_empty_store_is_nothing_to_clean(tmp_path):
    assert not Path(tmp_path / "images").exists()
    assert crawls_clean() == Cleaned()


def test_imported_listings_stay_however_long_ago_that_was():
    Source.objects.create(id="ours", name="Ours", kind="files")
    imported = make_listing(1)
    Listing.objects.filter(id=imported.id).update(source="ours")
    make_listing(2)
    assert crawls_clean().listings == 1
    assert Listing.objects.get().source == "ours"
