"""Writes: submissions, and the labels that follow from them. Reviews of these are in `annotation.reviews`."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.claims import claim_take, task_overlap
from annotation.followers import follow
from annotation.models import Label, Product, Submission, Task
from annotation.submission_checks import Said, matched_listings, required_product
from annotation.undo import undo_finish
from crawler.models import Listing, WorkState
from crawler.selectors import listings_by_ids
from mmproject.ids import ID_LENGTH

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
    refused_listing_ids: Sequence[str] = (),
    unsure_listing_ids: Sequence[str] = (),
    skip_reason: str = "",
    skip_note: str = "",
    second_opinion: bool = False,
    suggested_listing_ids: Sequence[str] = (),
    suggested_by: str = "",
    ordered_by_model: bool = False,
) -> Submission:
    """Save what an annotator ticked and marked: the whole submission first, then a label for each match.

    The same `submission_id` again (a double click, a retry) changes nothing and returns the first submission.
    Raises ValidationError, keyed by field, for a product that is not in the catalogue, nothing ticked, marked or
    skipped, a skip with ticks, an id that is not ours or was taken back, a listing that was not shown or is marked in
    two ways, and a tick on one without a picture. Raises ClaimedError where others have all that is wanted of this
    product and keyword, unless it is a `second_opinion`. Nothing is written then.
    """
    if not submission_id or len(submission_id) > ID_LENGTH:
        raise ValidationError({"submission": _("The page is out of date: search again.")})
    if existing := Submission.objects.filter(id=submission_id).first():
        return _same_again(existing, annotator=annotator)
    product = required_product(product_name)
    said = Said(
        shown=list(shown_listing_ids),
        matched=list(dict.fromkeys(matched_listing_ids)),
        refused=list(dict.fromkeys(refused_listing_ids)),
        unsure=list(dict.fromkeys(unsure_listing_ids)),
        suggested=list(dict.fromkeys(suggested_listing_ids)),
        skip_reason=skip_reason,
        skip_note=skip_note.strip(),
    )
    listings = matched_listings(said)
    task_id = Task.make_id(product_id=product.id, source=source, keyword=keyword)
    overlap = task_overlap(task_id)
    claim_take(
        product=product,
        source=source,
        keyword=keyword,
        annotator=annotator,
        overlap=overlap or 1,
        second_opinion=second_opinion,
    )
    submission = Submission(
        id=submission_id,
        product_id=product.id,
        product_name=product.name,
        keyword=keyword,
        source=source,
        pages=pages,
        shown_listing_ids=said.shown,
        matched_listing_ids=said.matched,
        refused_listing_ids=said.refused,
        unsure_listing_ids=said.unsure,
        skip_reason=said.skip_reason,
        skip_note=said.skip_note,
        suggested_listing_ids=said.suggested,
        suggested_by=suggested_by,
        ordered_by_model=ordered_by_model,
        task_id="" if overlap is None else task_id,
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
    if submission.cancelled_at is not None:
        message = _("You have taken this submission back: search again to submit it anew.")
        raise ValidationError({"submission": message})
    return submission  # its labels are being written, or `submissions_resume` will write them


def submission_finish(
    *, submission: Submission, product: Product | None = None, listings: Sequence[Listing] | None = None
) -> int:
    """Write the labels that `submission` still lacks and mark it done; returns how many were written.

    Safe to run again after a crash: a label's key comes from submission and listing, and one that exists is left alone,
    with whatever a reviewer has said of it since. If the submission is taken back meanwhile, its labels go again.
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
    stands = Submission.objects.filter(id=submission.id, cancelled_at=None)
    if not stands.update(state=WorkState.DONE):
        submission.refresh_from_db()
        undo_finish(submission=submission)
        return 0
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
        suggested_by=submission.suggested_by if listing.id in submission.suggested_listing_ids else "",
    )


def submissions_resume() -> int:
    """Finish what a crash left half-written or half taken back; returns how many submissions that were."""
    cutoff = timezone.now() - RESUME_AFTER
    left = Submission.objects.filter(state=WorkState.PENDING, created_at__lt=cutoff)
    for submission in left:
        if submission.cancelled_at is None:
            submission_finish(submission=submission)
        else:
            undo_finish(submission=submission)
    return len(left)
