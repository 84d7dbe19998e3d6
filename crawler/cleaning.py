"""What is old and unneeded is removed: cached pages, crawls with their raw pages, listings, pictures.

Never a listing or a picture that any document of any app refers to (crawler.references). Every step looks, removes and
goes on in batches; it can be stopped anywhere, run again, and run beside crawls and beside itself.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet
from django.utils import timezone

from crawler import raw_pages
from crawler.models import Crawl, Listing, SearchPage, Source, SourceKind, WorkState
from crawler.references import listing_references, picture_references, referred

logger = logging.getLogger(__name__)
T = TypeVar("T")

DAYS = 30  # pages and crawls are kept so long after they are of use
LISTING_DAYS = 90
RAW_PAGE_DAYS = 7
RAW_PAGES_PER_SOURCE = 20
# A file younger than this may belong to a document that is just being written.
FILE_AGE = timedelta(hours=24)
BATCH = 1000
# A look for references reads whole collections: fewer, larger batches.
REFERENCE_BATCH = 10_000
_PICTURES = "images"

Progress = Callable[[str, int], None]


@dataclass(kw_only=True)
class Cleaned:
    """How many of each were removed; in a dry run, how many would be."""

    search_pages: int = 0
    crawls: int = 0
    raw_pages: int = 0
    listings: int = 0
    pictures: int = 0


def crawls_clean(*, days: int = DAYS, dry_run: bool = False, progress: Progress = lambda what, count: None) -> Cleaned:
    """Remove all that is of no use any more; pages and crawls after `days`.

    `progress` is told after every batch what is being removed, and how many were so far. A dry run counts what could
    go at once: what only the removed pages refer to is not among it. Raises ValueError for less than one day, and what
    the databases and the storage raise: what was removed until then stays removed.
    """
    if days < 1:
        raise ValueError(f"days={days} would remove what is still in use: at least 1")
    steps = {
        "search_pages": _old_search_pages(days),
        "crawls": _old_crawls(days),
        "raw_pages": _unneeded_raw_pages(),
        "listings": _unneeded_listings(),
        "pictures": _unneeded_pictures(),
    }
    cleaned = Cleaned()
    for what, batches in steps.items():
        for remove, count in batches:
            removed = count if dry_run else remove()
            setattr(cleaned, what, getattr(cleaned, what) + removed)
            progress(what, getattr(cleaned, what))
    if not dry_run:
        logger.info("cleaned: %s", ", ".join(f"{count} {what}" for what, count in asdict(cleaned).items()))
    return cleaned


def raw_pages_clean() -> int:
    """Remove the raw pages that are too old or too many; returns how many. Raises OSError, DatabaseError."""
    removed = sum(remove() for remove, _count in _unneeded_raw_pages())
    if removed:
        logger.info("cleaned: %d raw pages", removed)
    return removed


# A batch: what removes it and tells how many went, and how many it is expected to be.
_Batches = Iterator[tuple[Callable[[], int], int]]


def _old_search_pages(days: int) -> _Batches:
    before = timezone.now() - timedelta(days=days)
    old = Q(stale_until__lt=before) | Q(stale_until=None, fresh_until__lt=before)
    yield from _batches(SearchPage.objects.filter(old))


def _old_crawls(days: int) -> _Batches:
    before = timezone.now() - timedelta(days=days)
    ended = [WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED]
    # What ended before then was asked for before then, and that has an index.
    yield from _batches(Crawl.objects.filter(created_at__lt=before, finished_at__lt=before, state__in=ended))


def _unneeded_listings() -> _Batches:
    """Listings that nobody has seen for long and nothing refers to; one that is seen meanwhile stays.

    Imported ones stay: they are seen only when they are imported, and no crawl would bring them back.
    """
    files = list(Source.objects.filter(kind=SourceKind.FILES).values_list("id", flat=True))
    seen_before = timezone.now() - timedelta(days=LISTING_DAYS)
    old = Listing.objects.filter(last_seen_at__lt=seen_before).exclude(source__in=files)
    references = listing_references()
    for ids in _chunks(_ids(old), REFERENCE_BATCH):
        kept = referred(references, ids)
        for chunk in _chunks((one for one in ids if one not in kept), BATCH):
            yield _remove(old.filter(id__in=chunk)), len(chunk)


def _batches(documents: QuerySet) -> _Batches:
    for ids in _chunks(_ids(documents), BATCH):
        # The conditions once more: a page that was fetched again meanwhile is not old any more.
        yield _remove(documents.filter(id__in=ids)), len(ids)


def _remove(documents: QuerySet) -> Callable[[], int]:
    return lambda: documents.delete()[0]


def _unneeded_raw_pages() -> _Batches:
    """Those that are too old or too many for their source, then files that no crawl knows (a worker was killed)."""
    for chunk in _chunks(_surplus_raw_pages(), BATCH):
        yield _forget(chunk), len(chunk)
    for names in _chunks(_old_files(raw_pages.FOLDER), BATCH):
        known = set(Crawl.objects.filter(raw_page__in=names).values_list("raw_page", flat=True))
        unknown = [name for name in names if name not in known]
        yield _delete(unknown), len(unknown)


def _surplus_raw_pages() -> Iterator[tuple[str, str]]:
    """(crawl id, name) of the kept pages that are over the limits."""
    before = timezone.now() - timedelta(days=RAW_PAGE_DAYS)
    kept = Crawl.objects.exclude(raw_page="").order_by("source", "-created_at")
    source, number = None, 0
    for crawl_id, raw_page, of, created_at in kept.values_list("id", "raw_page", "source", "created_at").iterator():
        source, number = of, number + 1 if of == source else 1
        if number > RAW_PAGES_PER_SOURCE or created_at < before:
            yield crawl_id, raw_page


def _forget(chunk: list[tuple[str, str]]) -> Callable[[], int]:
    def forget() -> int:
        for _crawl_id, name in chunk:
            raw_pages.delete(name)
        # Only then the crawls: a page whose crawl did not know it would be found by its age alone.
        Crawl.objects.filter(id__in=[crawl_id for crawl_id, _name in chunk]).update(raw_page="")
        return len(chunk)

    return forget


def _unneeded_pictures() -> _Batches:
    """Files of the store that no document names.

    References first, ages after: who stores a picture again touches its file before a document names it, so that
    whatever the look for references came too early for has a young file.
    """
    references = picture_references()
    for names in _chunks(_picture_files(), REFERENCE_BATCH):
        digests = {name: name.rpartition("/")[2].removesuffix(".jpg") for name in names}
        kept = referred(references, list(digests.values()))
        old = (name for name, digest in digests.items() if digest not in kept and _is_old(name))
        for chunk in _chunks(old, BATCH):
            yield _delete(chunk), len(chunk)


def _picture_files() -> Iterator[str]:
    """Names in the storage, a folder at a time; `.part` files are what a killed worker left."""
    for folder in sorted(_listdir(_PICTURES)[0]):
        for name in sorted(_listdir(f"{_PICTURES}/{folder}")[1]):
            if name.endswith((".jpg", ".part")):
                yield f"{_PICTURES}/{folder}/{name}"


def _delete(names: list[str]) -> Callable[[], int]:
    def delete() -> int:
        for name in names:
            default_storage.delete(name)
        return len(names)

    return delete


def _old_files(folder: str) -> Iterator[str]:
    for name in sorted(_listdir(folder)[1]):
        if _is_old(f"{folder}/{name}"):
            yield f"{folder}/{name}"


def _is_old(name: str) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - FILE_AGE
    except FileNotFoundError:  # removed a moment ago by another run
        return False


def _listdir(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was stored yet
        return [], []


def _ids(documents: QuerySet) -> Iterator[str]:
    """The ids of the documents, a batch at a time in their order, so that removing them meanwhile skips none."""
    last = ""
    while True:
        ids = list(documents.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        yield from ids
        if len(ids) < BATCH:
            return
        last = ids[-1]


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
