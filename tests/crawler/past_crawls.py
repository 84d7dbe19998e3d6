"""Crawls of the past few minutes, with only what a test cares about spelled out."""

from datetime import timedelta

from django.utils import timezone

from crawler.models import Crawl, Source, SourceKind
from mmproject.ids import new_id


def make_source(name: str = "shop", **values) -> Source:
    fields = {"name": name.title(), "kind": SourceKind.STOREFRONT, "base_url": "https://shop.example/"} | values
    return Source.objects.create(id=name, **fields)


def crawl_of(*, minutes_ago: float = 5, wait_s: float | None = 1, took_s: float | None = 2, **values) -> Crawl:
    """Not saved yet. `wait_s` None: not started; `took_s` None: not ended."""
    asked = timezone.now() - timedelta(minutes=minutes_ago)
    started = None if wait_s is None else asked + timedelta(seconds=wait_s)
    finished = None if started is None or took_s is None else started + timedelta(seconds=took_s)
    fields = {
        "id": new_id(),
        "source": "shop",
        "keyword": "honey",
        "page": 1,
        "search_page_id": "x",
        "state": "done",
        "attempts": 1,
        "created_at": asked,
        "started_at": started,
        "finished_at": finished,
        "leased_until": asked,
    } | values
    return Crawl(**fields)


def make_crawl(**values) -> Crawl:
    crawl = crawl_of(**values)
    crawl.save(force_insert=True)
    return crawl
