"""Fetching the pictures of listings, several at a time; what fails is noted on its listing and stops nothing."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.utils.translation import activate, get_language
from django.utils.translation import gettext as _

from crawler.errors import SourceError
from crawler.images import ImageError, StoredImage, image_exists, store_image
from crawler.models import ImageState, Listing
from crawler.sources import OpenSource

logger = logging.getLogger(__name__)

AT_ONCE = 8
_REPORT_EVERY_S = 2.0


def pictures_fetch(*, listings: Sequence[Listing], source: OpenSource, progress: Callable[[int], None]) -> None:
    """Store the picture of every listing that has none yet; each ends `done`, or `failed` with the reason.

    `progress` is called with the number of listings dealt with, every two seconds at least; what it raises stops
    the rest.
    """
    missing = [listing for listing in listings if not _has_picture(listing) and not _never_had_one(listing)]
    done = len(listings) - len(missing)
    # The threads only fetch and store files: documents are written here, by the thread that owns the connection.
    pool = pool_in_language(AT_ONCE)
    try:
        running: dict[Future[StoredImage], Listing] = {
            pool.submit(_fetch, source, one.image_url): one for one in missing
        }
        while running:
            finished, _rest = wait(running, timeout=_REPORT_EVERY_S, return_when=FIRST_COMPLETED)
            for future in finished:
                _note(running.pop(future), future)
                done += 1
            progress(done)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def pool_in_language(threads: int) -> ThreadPoolExecutor:
    """Threads that tell what goes wrong in the language of this one: Django knows it by thread."""
    language = get_language() or settings.LANGUAGE_CODE
    return ThreadPoolExecutor(threads, "pictures", initializer=activate, initargs=(language,))


def _has_picture(listing: Listing) -> bool:
    return listing.image_state == ImageState.DONE and bool(listing.image_sha256) and image_exists(listing.image_sha256)


def _never_had_one(listing: Listing) -> bool:
    """There is no address to try again, and why there is no picture is said already."""
    return listing.image_state == ImageState.FAILED and not listing.image_url and bool(listing.image_error)


def _fetch(source: OpenSource, url: str) -> StoredImage:
    if not url:
        raise SourceError(_("The listing has no picture."))
    return store_image(source.picture(url).body)


def _note(listing: Listing, future: "Future[StoredImage]") -> None:
    listing.image_sha256, listing.phash, listing.image_error = "", "", ""
    try:
        stored = future.result()
    except (SourceError, ImageError) as error:
        listing.image_state, listing.image_error = ImageState.FAILED, str(error)[:300]
    else:
        listing.image_state, listing.image_sha256, listing.phash = ImageState.DONE, stored.sha256, stored.phash
    listing.image_retry_at = None
    names = ("image_sha256", "phash", "image_state", "image_error", "image_retry_at")
    Listing.objects.filter(id=listing.id).update(**{name: getattr(listing, name) for name in names})
