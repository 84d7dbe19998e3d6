"""Writing what a source found as listings: one document an item, however often it is found."""

from collections.abc import Sequence

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import ImageState, Listing
from crawler.sources import FoundListing


def listings_write(*, source: str, found: Sequence[FoundListing]) -> list[Listing]:
    """Create or update the listings of a page; returns them in its order, each once.

    Texts are stored as the seller wrote them, cut to what a document holds. A picture whose address has changed is to
    be fetched again; until that succeeds the one of before stays. Three writes for a page in which nothing changed,
    however long it is.
    """
    ids = {Listing.make_id(source=source, item_id=one.item_id): one for one in found}
    existing = {listing.id: listing for listing in Listing.objects.filter(id__in=list(ids))} if ids else {}
    now = timezone.now()
    new: list[Listing] = []
    same: list[Listing] = []
    for listing_id, one in ids.items():
        listing = existing.get(listing_id)
        if listing is None:
            listing = existing[listing_id] = Listing(
                id=listing_id, source=source, item_id=_cut(one.item_id, 200), first_seen_at=now, last_seen_at=now
            )
            _follow(listing, one)
            new.append(listing)
        elif _follow(listing, one):
            listing.last_seen_at = now
            listing.save(force_update=True)
        else:
            listing.last_seen_at = now
            same.append(listing)
    if same:
        Listing.objects.filter(id__in=[listing.id for listing in same]).update(last_seen_at=now)
    _create(new)
    return [existing[listing_id] for listing_id in ids]


def listings_stored(*, source: str, found: Sequence[FoundListing]) -> list[Listing]:
    """The listings that a source found among ours, untouched and in its order; one deleted meanwhile is left out."""
    ids = [Listing.make_id(source=source, item_id=one.item_id) for one in found]
    stored = {listing.id: listing for listing in Listing.objects.filter(id__in=ids)} if ids else {}
    return [stored[one] for one in ids if one in stored]


def _create(new: list[Listing]) -> None:
    try:
        Listing.objects.bulk_create(new)
    except IntegrityError:  # another crawl found some of them for the first time a moment ago
        for listing in new:
            listing.save()


def _follow(listing: Listing, found: FoundListing) -> bool:
    """Take over what was found; whether anything is different."""
    shown = {
        "title": _cut(found.title, 500),
        "url": _address(found.url),
        "price": found.price,
        "currency": _cut(found.currency, 8),
        "shop_name": _cut(found.shop_name, 200),
        "shop_url": _address(found.shop_url),
    }
    image_url = _address(found.image_url)
    changed = listing.image_url != image_url or any(getattr(listing, name) != shown[name] for name in shown)
    for name, value in shown.items():
        setattr(listing, name, value)
    if listing._state.adding or listing.image_url != image_url:
        # The picture of before stays until there is another.
        listing.image_url, listing.image_state, listing.image_error = image_url, ImageState.PENDING, ""
        if not image_url:
            listing.image_state, listing.image_error = ImageState.FAILED, _("The listing has no picture.")
    return changed


def _address(url: str) -> str:
    """A link that does not fit is no link: cut, it would lead elsewhere."""
    return url if len(url) <= 2000 else ""


def _cut(text: str, length: int) -> str:
    """At most `length` characters; half a surrogate pair, which no document can hold, becomes a question mark."""
    return text.encode(errors="replace").decode()[:length]
