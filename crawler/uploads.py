"""Listings that nobody crawled: a picture and a title that somebody sent."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.images import ImageError, StoredImage, store_image
from crawler.models import ImageState, Listing
from mmproject.ids import content_id

UPLOAD = "upload"  # the source of these listings; it cannot be searched
MAX_TITLE = 500


def listing_of_upload(*, picture: bytes, title: str) -> Listing:
    """The listing of this picture and title: the same sent again, by whomever, is the same listing.

    The title may be empty. Raises ValidationError, keyed `picture` or `title`, for what is no picture that we keep
    (see `crawler.images`) and for a title that is too long; nothing is stored then.
    """
    title = " ".join(title.encode(errors="replace").decode().split())
    if len(title) > MAX_TITLE:
        message = _("The title has %(length)d characters: at most %(max)d.")
        raise ValidationError({"title": message % {"length": len(title), "max": MAX_TITLE}})
    try:
        stored = store_image(picture)
    except ImageError as error:
        raise ValidationError({"picture": str(error)}) from error
    return _listing(stored, title=title)


def _listing(stored: StoredImage, *, title: str) -> Listing:
    now = timezone.now()
    item_id = content_id("upload", stored.sha256, title)
    listing = Listing(
        id=Listing.make_id(source=UPLOAD, item_id=item_id),
        source=UPLOAD,
        item_id=item_id,
        title=title,
        image_sha256=stored.sha256,
        phash=stored.phash,
        image_state=ImageState.DONE,
        first_seen_at=now,
        last_seen_at=now,
    )
    try:
        listing.save(force_insert=True)
    except IntegrityError:  # sent before: seen again, it is not cleaned away
        Listing.objects.filter(id=listing.id).update(last_seen_at=now)
        return Listing.objects.get(id=listing.id)
    return listing
