"""Writing what a source found as listings: one document an item, however often it is found."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError
from django.utils import timezone

from crawler.models import ImageState, Listing
from crawler.sources import FoundListing


def listings_write(*, source: str, found: Sequence[FoundListing]) -> list[Listing]:
    """Create or update the listings of a page; returns them in its order, each once.

    Texts are stored as the seller wrote them, cut to what a document holds. A picture that is stored already stays,
    unless its address has changed: then it is to be fetched again.
    """
    ids = {Listing.make_id(source=source, item_id=one.item_id): one for one in found}
    existing = {listing.id: listing for listing in Listing.objects.filter(id__in=list(ids))} if ids else {}
    now = timezone.now()
    return [
        _write(listing_id, one, existing.get(listing_id), source=source, now=now) for listing_id, one in ids.items()
    ]


def listings_stored(*, source: str, found: Sequence[FoundListing]) -> list[Listing]:
    """The listings that a source found among ours, untouched and in its order; one deleted meanwhile is left out."""
    ids = [Listing.make_id(source=source, item_id=one.item_id) for one in found]
    stored = {listing.id: listing for listing in Listing.objects.filter(id__in=ids)} if ids else {}
    return [stored[one] for one in ids if one in stored]


def _write(listing_id: str, found: FoundListing, existing: Listing | None, *, source: str, now: datetime) -> Listing:
    listing = existing or Listing(id=listing_id, source=source, item_id=_cut(found.item_id, 200), first_seen_at=now)
    image_url = found.image_url if len(found.image_url) <= 2000 else ""
    if existing is None or listing.image_url != image_url:
        listing.image_url, listing.image_sha256, listing.phash = image_url, "", ""
        listing.image_state, listing.image_error = ImageState.PENDING, ""
    listing.title = _cut(found.title, 500)
    listing.url = found.url if len(found.url) <= 2000 else ""
    listing.price = found.price
    listing.currency = _cut(found.currency, 8)
    listing.shop_name = _cut(found.shop_name, 200)
    listing.shop_url = found.shop_url if len(found.shop_url) <= 2000 else ""
    listing.last_seen_at = now
    try:
        listing.save(force_insert=existing is None)
    except IntegrityError:  # another crawl found it for the first time a moment ago
        listing.save(force_update=True)
    return listing


def _cut(text: str, length: int) -> str:
    """At most `length` characters; half a surrogate pair, which no document can hold, becomes a question mark."""
    return text.encode(errors="replace").decode()[:length]
