"""Writing rows as listings: what is new is created, what differs is changed, the rest stays exactly as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.images import StoredImage
from crawler.imports.rows import ImportRow
from crawler.models import ImageState, Listing
from mmproject.mongo.collections import update_each

# A row's own picture: stored, or why it could not be; None for rows without one, and for pictures on the web.
Picture = StoredImage | str | None

_MAX_TRIES = 3


@dataclass(kw_only=True)
class Written:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    listings: list[Listing] = field(default_factory=list)  # one a row, as they are now


def rows_write(
    *, source: str, rows: Sequence[ImportRow], pictures: Sequence[Picture], dry_run: bool = False
) -> Written:
    """Write rows of different items, with one picture each; a dry run only counts what would be written.

    Repeating it writes nothing: a listing is found by its key, and only what differs is written.
    """
    for attempt in range(1, _MAX_TRIES + 1):
        try:
            return _written(source, rows, pictures, dry_run)
        except IntegrityError:  # another import created one of them a moment ago
            if attempt == _MAX_TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")


def _written(source: str, rows: Sequence[ImportRow], pictures: Sequence[Picture], dry_run: bool) -> Written:
    ids = [row.id for row in rows]
    known = {listing.id: listing for listing in Listing.objects.filter(id__in=ids)} if ids else {}
    now = timezone.now()
    new: list[Listing] = []
    changed: list[tuple[str, dict[str, Any]]] = []
    written = Written()
    for row, picture in zip(rows, pictures, strict=True):
        listing = known.get(row.id)
        if listing is None:
            listing = Listing(id=row.id, source=source, item_id=row.item_id, first_seen_at=now, last_seen_at=now)
            _set(listing, row.values | _picture_of_new(row, picture))
            new.append(listing)
        else:
            wanted = row.values | _picture_of_known(listing, row, picture)
            different = {name: value for name, value in wanted.items() if getattr(listing, name) != value}
            if different:
                _set(listing, different | {"last_seen_at": now})
                changed.append((listing.id, different | {"last_seen_at": now}))
        written.listings.append(listing)
    if not dry_run:
        if new:
            Listing.objects.bulk_create(new)
        update_each(Listing, changed)
    written.created, written.updated = len(new), len(changed)
    written.unchanged = len(rows) - len(new) - len(changed)
    return written


def _picture_of_new(row: ImportRow, picture: Picture) -> dict[str, Any]:
    if "image_url" in row.values:
        return {"image_state": str(ImageState.PENDING)}
    if isinstance(picture, StoredImage):
        return _stored(picture)
    return _failed(picture or _("The listing has no picture."))


def _picture_of_known(listing: Listing, row: ImportRow, picture: Picture) -> dict[str, Any]:
    """What changes of its picture: a good one is only ever replaced by another one."""
    if "image_url" in row.values:
        if listing.image_url == row.values["image_url"]:
            return {}
        return {"image_sha256": "", "phash": "", "image_state": str(ImageState.PENDING), "image_error": ""}
    if isinstance(picture, StoredImage):
        return _stored(picture)
    if picture is not None and not listing.image_sha256 and not listing.image_url:
        return _failed(picture)
    return {}


def _stored(picture: StoredImage) -> dict[str, Any]:
    return {
        "image_url": "",
        "image_sha256": picture.sha256,
        "phash": picture.phash,
        "image_state": str(ImageState.DONE),
        "image_error": "",
    }


def _failed(reason: str) -> dict[str, Any]:
    return {"image_state": str(ImageState.FAILED), "image_error": reason[:300]}


def _set(listing: Listing, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(listing, name, value)
