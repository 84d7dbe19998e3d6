"""Documents and files of some age, with only what a test cares about spelled out."""

import os
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from crawler import raw_pages
from crawler.images import image_name
from crawler.models import Crawl, Listing, SearchPage
from crawler.responses import Fetched
from mmproject.ids import new_id


def ago(**values) -> datetime:
    return timezone.now() - timedelta(**values)


def make_page(number: int = 1, *, stale_days_ago: float = 31, listing_ids=()) -> SearchPage:
    until = ago(days=stale_days_ago)
    return SearchPage.objects.create(
        id=f"page-{number}",
        source="shop",
        keyword="honey",
        page=number,
        listing_ids=list(listing_ids),
        fetched_at=until,
        fresh_until=until,
        stale_until=until,
    )


def make_crawl(*, days_ago: float = 31, state: str = "done", raw: bool = False, source: str = "shop") -> Crawl:
    at = ago(days=days_ago)
    crawl = Crawl(id=new_id(), source=source, keyword="honey", page=1, search_page_id="x", state=state)
    crawl.created_at = crawl.leased_until = at
    crawl.finished_at = at if state in {"done", "failed", "cancelled"} else None
    if raw:
        page = Fetched(url="https://x", content_type="text/html", charset="", body=b"<html>")
        crawl.raw_page = raw_pages.keep(crawl.id, page)
    crawl.save()
    return crawl


def make_listing(number: int, *, days_ago: float = 91, sha: str = "") -> Listing:
    seen = ago(days=days_ago)
    return Listing.objects.create(
        id=f"listing-{number}", source="shop", item_id=str(number), first_seen_at=seen, last_seen_at=seen,
        image_sha256=sha,
    )  # fmt: skip


def make_picture(number: int, *, hours_ago: float = 25) -> str:
    sha = f"{number:064x}"
    default_storage.save(image_name(sha), ContentFile(b"picture"))
    age(image_name(sha), hours_ago)
    return sha


def age(name: str, hours_ago: float) -> None:
    at = ago(hours=hours_ago).timestamp()
    os.utime(default_storage.path(name), (at, at))
