"""Writes: submissions, and the labels that follow from them. Reviews of these are in `annotation.reviews`."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.followers import follow
from annotation.models import Label, Product, Submission
from annotation.selectors import product_named
from crawler.models import Listing, WorkState
from crawler.selectors import listings_by_ids
from mmproject.ids import ID_LENGTH

MAX_SHOWN = 1000
RESUME_AFTER = timedelta(seconds=30)


def submission_create(
    *,
    submission_id: str,
    product_name: str,
    keyword: str,
    source: str,
    pages: int,
    shown_listing_ids: Sequence[str],
    matched_listing_ids: Sequence[str],
    annotator: AbstractBaseUser,
) -> Submission:
    """Save what an annotator ticked: the whole submission first, then a label for each match.

    The same `submission_id` again (a double click, a retry) changes nothing and returns the first submission.
    Raises ValidationError, keyed by field, for a product that is not in the catalogue, nothing ticked, an id that is
    not ours, or a listing that was not shown or has no picture. Nothing is written then.
    """
    if not submission_id or len(submission_id) > ID_LENGTH:
        raise ValidationError({"submission": _("The page is out of date: search again.")})
    if existing := Submission.objects.filter(id=submission_id).first():
        return _same_again(existing, annotator=annotator)
    product = _required_product(product_name)
    listings = _matched_listings(shown=shown_listing_ids, matched=matched_listing_ids)
    submission = Submission(
        id=submission_id,
        product_id=product.id,
        product_name=product.name,
        keyword=keyword,
        source=source,
        pages=pages,
        shown_listing_ids=list(shown_listing_ids),
        matched_listing_ids=[listing.id for listing in listings],
        annotator_id=annotator.pk,
        annotator_name=annotator.get_username(),
        created_at=timezone.now(),
    )
    try:
        submission.save(force_insert=True)
    except IntegrityError:  # the same submission, a moment ago, in another process
        return _same_again(Submission.objects.get(id=submission_id), annotator=annotator)
    submission_finish(submission=submission, product=product, listings=listings)
    return submission


def _same_again(submission: Submission, *, annotator: AbstractBaseUser) -> Submission:
    if submission.annotator_id != annotator.pk:
        raise ValidationError({"submission": _("This submission belongs to somebody else: search again.")})
    return submission  # its labels are being written, or `submissions_resume` will write them


def _required_product(name: str) -> Product:
    if not name.strip():
        raise ValidationError({"product": _("Choose the product that the ticked pictures show, then submit again.")})
    product = product_named(name)
    if product is None:
        message = _("“%(name)s” is not in the catalogue: choose a product from the list.") % {"name": name.strip()}
        raise ValidationError({"product": message})
    return product


def _matched_listings(*, shown: Sequence[str], matched: Sequence[str]) -> list[Listing]:
    if not matched:
        raise ValidationError({"listing": _("Tick at least one picture that shows the product.")})
    if len(shown) > MAX_SHOWN:
        message = ngettext(
            "At most %(max)d listing can be submitted at once.",
            "At most %(max)d listings can be submitted at once.",
            MAX_SHOWN,
        )
        raise ValidationError({"listing": message % {"max": MAX_SHOWN}})
    unknown = set(matched) - set(shown)
    listings = listings_by_ids(list(dict.fromkeys(matched)))
    unknown |= set(matched) - {listing.id for listing in listings}
    if unknown:
        message = _("The listing %(id)s was not on this page: search again.") % {"id": min(unknown)}
        raise ValidationError({"listing": message})
    without_picture = [listing for listing in listings if not listing.image_sha256]
    if without_picture:
        message = _("“%(title)s” has no picture, so it cannot be labelled.") % {"title": without_picture[0].title}
        raise ValidationError({"listing": message})
    return listings


def submission_finish(
    *, submission: Submission, product: Product | None = None, listings: Sequence[Listing] | None = None
) -> int:
    """Write the labels that `submission` still lacks and mark it done; returns how many were written.

    Safe to run again after a crash: a label's key comes from submission and listing, and one that exists is left alone,
    with whatever a reviewer has said of it since.
    """
    product = product or Product.objects.get(id=submission.product_id)
    listings = listings or listings_by_ids(submission.matched_listing_ids)
    labels = {
        label.id: label
        for label in (_label(submission=submission, product=product, listing=listing) for listing in listings)
    }
    existing = set(Label.objects.filter(id__in=list(labels)).values_list("id", flat=True))
    missing = [label for label_id, label in labels.items() if label_id not in existing]
    if missing:
        Label.objects.bulk_create(missing)
    follow(submission)
    Submission.objects.filter(id=submission.id).update(state=WorkState.DONE)
    submission.state = WorkState.DONE
    return len(missing)


def _label(*, submission: Submission, product: Product, listing: Listing) -> Label:
    return Label(
        id=Label.make_id(submission_id=submission.id, listing_id=listing.id),
        submission_id=submission.id,
        listing_id=listing.id,
        **listing.offer(),
        product_id=product.id,
        product_name=product.name,
        product_image_sha256=product.image_sha256,
        brand_id=product.brand_id or "",
        brand_name=product.brand_name,
        keyword=submission.keyword,
        annotator_id=submission.annotator_id,
        annotator_name=submission.annotator_name,
        created_at=submission.created_at,
    )


def submissions_resume() -> int:
    """Finish what a crash left half-written; returns how many submissions that were."""
    cutoff = timezone.now() - RESUME_AFTER
    left = Submission.objects.filter(state=WorkState.PENDING, created_at__lt=cutoff)
    for submission in left:
        submission_finish(submission=submission)
    return len(left)
