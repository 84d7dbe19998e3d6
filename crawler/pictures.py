"""Fetching the pictures of listings, several at a time; what fails is noted on its listing and stops nothing.

A failed one can be fetched once more: `image_retry_at` holds the wish, and whose turn it is.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.translation import activate, get_language

from crawler.errors import SourceError
from crawler.images import ImageError, StoredImage, image_exists, store_image
from crawler.models import ImageState, Listing
from crawler.responses import Fetched
from crawler.sources import open_source
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

AT_ONCE = 8
_REPORT_EVERY_S = 0.7
RETRY_PICTURE = "crawler.tasks.retry_picture"
_RETRY_LEASE = timedelta(seconds=60)
_RESUMED_AT_ONCE = 500


class PictureSource(Protocol):
    """Who is asked for pictures: an open source, or the page at one address."""

    def picture(self, url: str) -> Fetched:
        """The picture at `url` as it was sent, not yet looked into. Raises FetchError."""


def pictures_fetch(*, listings: Sequence[Listing], source: PictureSource, progress: Callable[[int], None]) -> None:
    """Store the picture of every listing that has none yet; each ends `done`, or `failed` with the reason.

    `progress` is called with the number of listings dealt with about every second, so that a lease can be renewed;
    what it raises stops the rest.
    """
    missing = [listing for listing in listings if listing.image_url and not _has_picture(listing)]
    done = len(listings) - len(missing)
    if not missing:
        return
    # The threads only fetch and store files: documents are written here, by the thread that owns the connection.
    pool = pool_in_language(AT_ONCE)
    reported = time.monotonic()
    try:
        running = {pool.submit(_attempt, source, one.image_url): one for one in missing}
        while running:
            finished, _rest = wait(running, timeout=_REPORT_EVERY_S, return_when=FIRST_COMPLETED)
            for future in finished:
                _note(running.pop(future), future.result())
                done += 1
            if not running or time.monotonic() - reported > _REPORT_EVERY_S:
                progress(done)
                reported = time.monotonic()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def pool_in_language(threads: int) -> ThreadPoolExecutor:
    """Threads that tell what goes wrong in the language of this one: Django knows it by thread."""
    language = get_language() or settings.LANGUAGE_CODE
    return ThreadPoolExecutor(threads, "pictures", initializer=activate, initargs=(language,))


def picture_retry(*, listing_id: str) -> bool:
    """Have the picture of a listing fetched again, if it had failed; whether it had."""
    failed = Listing.objects.filter(id=listing_id, image_state=ImageState.FAILED).exclude(image_url="")
    wished = bool(failed.update(image_state=ImageState.PENDING, image_error="", image_retry_at=timezone.now()))
    if wished:
        nudge(RETRY_PICTURE, listing_id)
    return wished


def picture_fetch(*, listing_id: str) -> None:
    """Fetch the picture that somebody wished for, unless another worker is at it; the listing tells the outcome."""
    listing = Listing.objects.filter(id=listing_id, image_state=ImageState.PENDING).first()
    now = timezone.now()
    if listing is None or listing.image_retry_at is None or listing.image_retry_at > now:
        return
    wished = Listing.objects.filter(id=listing_id, image_retry_at=listing.image_retry_at)
    if not wished.update(image_retry_at=now + _RETRY_LEASE):
        return
    try:
        with open_source(listing.source) as source:
            outcome = _attempt(source, listing.image_url)
    except SourceError as error:
        outcome = str(error)
    _note(listing, outcome)


def pictures_resume() -> int:
    """Queue the wished pictures again that nobody fetches: the nudge was lost, or the worker; returns how many."""
    waiting = Listing.objects.filter(image_retry_at__lt=timezone.now() - timedelta(seconds=5))
    ids = list(waiting.values_list("id", flat=True)[:_RESUMED_AT_ONCE])
    return sum(nudge(RETRY_PICTURE, listing_id) for listing_id in ids)


def _has_picture(listing: Listing) -> bool:
    return listing.image_state == ImageState.DONE and bool(listing.image_sha256) and image_exists(listing.image_sha256)


def _attempt(source: PictureSource, url: str) -> StoredImage | str:
    """The stored picture, or why there is none."""
    try:
        return store_image(source.picture(url).body)
    except (SourceError, ImageError) as error:
        return str(error)


def _note(listing: Listing, outcome: StoredImage | str) -> None:
    if isinstance(outcome, str):
        listing.image_state, listing.image_error = ImageState.FAILED, outcome[:300]
        if listing.image_sha256 and not image_exists(listing.image_sha256):
            listing.image_sha256, listing.phash = "", ""
    else:
        listing.image_state, listing.image_error = ImageState.DONE, ""
        listing.image_sha256, listing.phash = outcome.sha256, outcome.phash
    listing.image_retry_at = None
    names = ("image_sha256", "phash", "image_state", "image_error", "image_retry_at")
    Listing.objects.filter(id=listing.id).update(**{name: getattr(listing, name) for name in names})
