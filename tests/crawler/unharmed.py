"""What must be there after a shop has done its worst: the cached page, its pictures, and nothing else on the disk."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from crawler import fetching
from crawler.images import read_image
from crawler.models import ImageState, Source
from crawler.services import SearchResult, search
from crawler.sources import opening

TIMEOUT_S = 2
SLACK_S = 3  # for what a busy machine needs beside the shop: databases, pictures
KEYWORD = "honey"


@pytest.fixture
def hurried(monkeypatch) -> None:
    """A shop that says nothing is given up sooner; for tests in which it says nothing."""
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.4)
    monkeypatch.setattr(opening, "PICTURE_SECONDS", 2.0)


def on_disk(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@dataclass(frozen=True)
class Before:
    """What there was while all was well: it must be there afterwards, too."""

    result: SearchResult
    folder: Path
    files: set[str]

    def is_served_unchanged(self) -> None:
        now = search(keyword=self.result.keyword)
        assert (now.state, now.from_cache, now.stale_reason) == ("ready", True, "")
        page, was = now.search_page, self.result.search_page
        assert (page.fetched_at, page.fresh_until, page.stale_until) == (
            was.fetched_at,
            was.fresh_until,
            was.stale_until,
        )
        assert [vars(one) | {"_state": 0} for one in now.listings] == [
            vars(one) | {"_state": 0} for one in self.result.listings
        ]
        assert all(read_image(one.image_sha256) for one in now.listings)

    def new_files(self) -> set[str]:
        """What the disk holds more than before; nothing may be missing, and nothing half-written."""
        now = on_disk(self.folder)
        assert self.files <= now
        assert not [name for name in now if name.endswith(".part")]
        return now - self.files


@pytest.fixture
def before(shop, source, crawled, settings, tmp_path) -> Before:
    """A page that was crawled, on a disk of the test's own; from now on the source has not much time."""
    settings.MEDIA_ROOT = str(tmp_path)
    result = crawled(KEYWORD)
    assert (result.state, len(result.listings)) == ("ready", 20)
    assert {one.image_state for one in result.listings} == {ImageState.DONE}
    Source.objects.filter(id=source.id).update(timeout_s=TIMEOUT_S)
    return Before(result, tmp_path, on_disk(tmp_path))


@pytest.fixture
def again(crawled) -> Callable[..., SearchResult]:
    """`again()`: the same search, crawled afresh; fails when that goes on beyond the source's deadline."""

    def do(keyword: str = KEYWORD, *, seconds: float = TIMEOUT_S) -> SearchResult:
        began = time.monotonic()
        result = crawled(keyword, force_update=True)
        assert time.monotonic() - began < seconds + SLACK_S
        return result

    return do


def failed(result: SearchResult, kind: str, told: str) -> None:
    assert (result.state, result.crawl.error_kind) == ("failed", kind)
    assert told in result.error
    assert result.crawl.finished_at is not None
