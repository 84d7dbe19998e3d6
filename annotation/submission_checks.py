"""What a submission may say: checked as a whole before anything of it is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import MAX_NOTE, Product, SkipReason
from annotation.selectors import product_named
from crawler.models import Listing
from crawler.selectors import listings_by_ids

MAX_SHOWN = 1000


@dataclass(frozen=True)
class Said:
    """What an annotator says of the listings that were shown, by their ids, each once; nothing of what is not named."""

    shown: Sequence[str]
    matched: Sequence[str] = ()
    refused: Sequence[str] = ()
    unsure: Sequence[str] = ()
    suggested: Sequence[str] = ()  # what a model had ticked before
    skip_reason: str = ""
    skip_note: str = ""


def required_product(name: str) -> Product:
    """The active product of this name. Raises ValidationError, keyed "product", where there is none."""
    if not name.strip():
        raise ValidationError(
            {"product": _("Choose the product of our catalogue that this is about, then submit again.")}
        )
    product = product_named(name)
    if product is None:
        message = _("“%(name)s” is not in the catalogue: choose a product from the list.") % {"name": name.strip()}
        raise ValidationError({"product": message})
    return product


def matched_listings(said: Said) -> list[Listing]:
    """The listings that are ticked, one query.

    Raises ValidationError, keyed by field, for a submission that says nothing, a skip that is not one, a listing that
    was not shown, is unknown or is marked in two ways, and a tick on one without a picture.
    """
    _check_skip(said)
    if not (said.matched or said.refused or said.unsure or said.skip_reason):
        raise ValidationError({"listing": _("Tick at least one picture that shows the product, or mark one.")})
    if len(said.shown) > MAX_SHOWN:
        message = ngettext(
            "At most %(max)d listing can be submitted at once.",
            "At most %(max)d listings can be submitted at once.",
            MAX_SHOWN,
        )
        raise ValidationError({"listing": message % {"max": MAX_SHOWN}})
    known = _known_listings(said)
    ways = Counter(listing_id for ids in (said.matched, said.refused, said.unsure) for listing_id in ids)
    if several := [listing_id for listing_id, count in ways.items() if count > 1]:
        message = _("The listing %(id)s is marked in two ways: choose one.") % {"id": min(several)}
        raise ValidationError({"listing": message})
    listings = [known[listing_id] for listing_id in said.matched]
    without_picture = [listing for listing in listings if not listing.image_sha256]
    if without_picture:
        message = _("“%(title)s” has no picture, so it cannot be labelled.") % {"title": without_picture[0].title}
        raise ValidationError({"listing": message})
    return listings


def _known_listings(said: Said) -> dict[str, Listing]:
    """What is ticked or marked, by id: all of it was shown and is known."""
    fields = {"listing": said.matched, "refused": said.refused, "unsure": said.unsure}
    ids = [listing_id for marked in fields.values() for listing_id in marked]
    known = {listing.id: listing for listing in listings_by_ids(ids)}
    shown = set(said.shown)
    for field, marked in {**fields, "suggested": said.suggested}.items():
        unknown = set(marked) - shown
        if field != "suggested":
            unknown |= set(marked) - set(known)
        if unknown:
            message = _("The listing %(id)s was not on this page: search again.") % {"id": min(unknown)}
            raise ValidationError({field: message})
    return known


def _check_skip(said: Said) -> None:
    if not said.skip_reason:
        if said.skip_note:
            raise ValidationError({"skip_reason": _("Choose why you skip this.")})
        return
    if said.skip_reason not in SkipReason.values:
        message = _("“%(reason)s” is no reason to skip.") % {"reason": said.skip_reason}
        raise ValidationError({"skip_reason": message})
    if said.matched:
        message = _("Take the ticks back first: what has a tick is submitted, not skipped.")
        raise ValidationError({"skip_reason": message})
    if said.skip_reason == SkipReason.OTHER and not said.skip_note:
        raise ValidationError({"skip_note": _("Say in the note why you skip this.")})
    if len(said.skip_note) > MAX_NOTE:
        message = _("The note is too long: at most %(max)d characters.") % {"max": MAX_NOTE}
        raise ValidationError({"skip_note": message})
