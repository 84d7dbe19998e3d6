"""Writes of disputes: they follow from the submissions, until a reviewer decides.

A decision is first written to the dispute, whole (state `running`); the labels follow, then it is `done`. Whoever meets
one that was left there (`disputes_resume`) carries it out. A decided dispute stays as it is, whatever is said later.
"""

import contextlib
from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import MAX_NOTE, Dispute, Label, LabelChange, Product, RejectReason, Review, Submission
from annotation.reviews import ReviewConflictError, label_undo, labels_review
from annotation.words import MATCH, NO_MATCH, meaning, words_of_product
from crawler.locks import one_at_a_time
from crawler.models import WorkState
from crawler.selectors import listings_by_ids

RESUME_AFTER = timedelta(seconds=30)


class DisputeDecidedError(Exception):
    """Somebody else has decided meanwhile; `dispute` is how it is now."""

    def __init__(self, dispute: Dispute) -> None:
        super().__init__(f"dispute {dispute.id} is {dispute.state!r} by {dispute.decided_by!r}")
        self.dispute = dispute


def follow_submission(submission: Submission) -> None:
    """Bring the disputes of what `submission` shows up to date; a follower."""
    if submission.product_id and submission.shown_listing_ids:
        disputes_recompute(product_id=submission.product_id, listing_ids=submission.shown_listing_ids)


def disputes_recompute(*, product_id: str, listing_ids: Collection[str]) -> None:
    """Open the disputes of these listings that there are now, and close those that are no more.

    A listing is disputed where of the words of two annotators (see `annotation.words`) one is "match" and one is
    "no match". Done again it changes nothing. What a reviewer has decided, or is deciding, stays.
    """
    # Whoever read first could otherwise write last, and undo what the other one saw.
    with one_at_a_time(f"disputes:{product_id}"):
        said = {
            listing_id: words
            for listing_id, words in words_of_product(product_id, listing_ids).items()
            if {MATCH, NO_MATCH} <= {meaning(word["said"]) for word in words}
        }
        ids = {Dispute.make_id(product_id=product_id, listing_id=one): one for one in dict.fromkeys(listing_ids)}
        known = {one.id: one for one in Dispute.objects.filter(id__in=list(ids))}
        over = [one.id for one in known.values() if ids[one.id] not in said and one.state == WorkState.PENDING]
        if over:
            Dispute.objects.filter(id__in=over, state=WorkState.PENDING).delete()
        for dispute in known.values():
            words = said.get(ids[dispute.id])
            if words and words != dispute.said:
                Dispute.objects.filter(id=dispute.id, state=WorkState.PENDING).update(said=words)
        new = [listing_id for dispute_id, listing_id in ids.items() if listing_id in said and dispute_id not in known]
        if new:
            _open(product_id, {listing_id: said[listing_id] for listing_id in new})


def _open(product_id: str, said: dict[str, list[dict[str, str]]]) -> None:
    product = Product.objects.filter(id=product_id).first()
    if product is None:
        return
    now = timezone.now()
    disputes = [
        Dispute(
            id=Dispute.make_id(product_id=product_id, listing_id=listing.id),
            product_id=product_id,
            product_name=product.name,
            product_image_sha256=product.image_sha256,
            listing_id=listing.id,
            **listing.offer(),
            said=said[listing.id],
            opened_at=now,
        )
        for listing in listings_by_ids(list(said))
    ]
    try:
        Dispute.objects.bulk_create(disputes)
    except IntegrityError:  # the lock was not to be had, and somebody else opened one of them
        for dispute in disputes:
            with contextlib.suppress(IntegrityError):
                dispute.save(force_insert=True)


def dispute_decide(*, dispute_id: str, is_match: bool, reviewer: AbstractBaseUser, note: str = "") -> Dispute:
    """Say whether the listing shows the product: its labels for that product are approved or rejected.

    The same decision by the same reviewer again changes nothing. Raises Dispute.DoesNotExist for a dispute that is
    over, DisputeDecidedError where somebody else has decided, ValidationError for a note that is too long.
    """
    note = note.strip()
    if len(note) > MAX_NOTE:
        message = _("The note is too long: at most %(max)d characters.") % {"max": MAX_NOTE}
        raise ValidationError({"note": message})
    name = reviewer.get_username()
    mine = Dispute.objects.filter(id=dispute_id, state=WorkState.PENDING).update(
        state=WorkState.RUNNING, is_match=is_match, note=note, decided_by=name, decided_at=timezone.now()
    )
    dispute = Dispute.objects.get(id=dispute_id)
    if not mine and (dispute.decided_by != name or dispute.is_match != is_match):
        raise DisputeDecidedError(dispute)
    if dispute.state == WorkState.RUNNING:
        _carry_out(dispute, reviewer)
    return dispute


def dispute_reopen(*, dispute_id: str, reviewer: AbstractBaseUser) -> Dispute | None:
    """Take back a decision of `reviewer`'s own: its labels say again what they said before, and it is open again.

    Returns None where the annotators do not differ any more. Labels that somebody changed since stay. Raises
    Dispute.DoesNotExist for one that is not there, not decided, or decided by somebody else.
    """
    dispute = Dispute.objects.get(id=dispute_id, state=WorkState.DONE, decided_by=reviewer.get_username())
    changes = LabelChange.objects.filter(
        label_id__in=list(_labels(dispute).values_list("id", flat=True)),
        changed_by_id=reviewer.pk,
        changed_at__gte=dispute.decided_at,
        undoes="",
    )
    for change in changes:
        with contextlib.suppress(ReviewConflictError, Label.DoesNotExist):
            label_undo(change_id=change.id, reviewer=reviewer)
    decided = Dispute.objects.filter(id=dispute.id, state=WorkState.DONE, decided_at=dispute.decided_at)
    decided.update(state=WorkState.PENDING, is_match=None, note="", decided_by="", decided_at=None)
    disputes_recompute(product_id=dispute.product_id, listing_ids=[dispute.listing_id])
    return Dispute.objects.filter(id=dispute.id).first()


def disputes_resume() -> int:
    """Carry out the decisions that a crash left half-done; returns how many that were."""
    left = Dispute.objects.filter(state=WorkState.RUNNING, decided_at__lt=timezone.now() - RESUME_AFTER)
    users = get_user_model()
    for dispute in left:
        name = dispute.decided_by
        # An account that is gone meanwhile has decided all the same.
        reviewer = users.objects.filter(username=name).first() or users(pk=0, username=name)
        _carry_out(dispute, reviewer)
    return len(left)


def _carry_out(dispute: Dispute, reviewer: AbstractBaseUser) -> None:
    """Let the labels follow, but none that somebody reviewed after the decision."""
    labels = _labels(dispute).filter(Q(reviewed_at=None) | Q(reviewed_at__lt=dispute.decided_at))
    labels_review(
        label_ids=list(labels.values_list("id", flat=True)),
        review=str(Review.APPROVED if dispute.is_match else Review.REJECTED),
        reviewer=reviewer,
        reason="" if dispute.is_match else str(RejectReason.PRODUCT),
        note="" if dispute.is_match else dispute.note,
    )
    Dispute.objects.filter(id=dispute.id, state=WorkState.RUNNING).update(state=WorkState.DONE)
    dispute.state = str(WorkState.DONE)


def _labels(dispute: Dispute) -> QuerySet[Label]:
    return Label.objects.filter(listing_id=dispute.listing_id, product_id=dispute.product_id)
