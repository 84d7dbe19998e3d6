"""Taking submissions back: an annotator's own last ones, with the labels that no reviewer has spoken of.

There are no transactions. The intent is written first, by a compare-and-set: `cancelled_at`, and the state `pending`
again. Then the labels go, then follows what depends on them, then the state is `cancelled`. Whoever meets a submission
that is pending and taken back (`submissions_resume`, or the one who was just writing its labels) finishes it.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import ngettext

from annotation.followers import follow
from annotation.models import Label, LabelChange, Review, Submission
from crawler.keywords import normalized
from crawler.models import SearchPage, WorkState
from crawler.selectors import listings_by_ids
from crawler.services import SearchResult

UNDO_DEPTH = 10


@dataclass(frozen=True)
class Undone:
    submission: Submission
    kept: int  # labels that stay, because a reviewer has spoken of them


def undoable_submissions(annotator: AbstractBaseUser) -> list[Submission]:
    """What `annotator` may take back, the latest first; one query."""
    mine = Submission.objects.filter(annotator_id=annotator.pk, cancelled_at=None)
    return list(mine.order_by("-created_at")[:UNDO_DEPTH])


def submission_undo(*, submission_id: str, annotator: AbstractBaseUser) -> Undone:
    """Take a submission of `annotator`'s own back. Done again it changes nothing.

    Raises Submission.DoesNotExist for one that is not there or somebody else's, and ValidationError for one that is
    not among his last UNDO_DEPTH.
    """
    submission = Submission.objects.get(id=submission_id, annotator_id=annotator.pk)
    if submission.cancelled_at is None:
        later = Submission.objects.filter(
            annotator_id=annotator.pk, cancelled_at=None, created_at__gt=submission.created_at
        )
        if len(later.values_list("id", flat=True)[:UNDO_DEPTH]) == UNDO_DEPTH:
            text = ngettext(
                "Only your last submit can be taken back.",
                "Only your last %(count)d submits can be taken back.",
                UNDO_DEPTH,
            )
            raise ValidationError({"submission": text % {"count": UNDO_DEPTH}})
        stands = Submission.objects.filter(id=submission.id, cancelled_at=None)
        stands.update(cancelled_at=timezone.now(), state=WorkState.PENDING)
        submission.refresh_from_db()
    if submission.state != WorkState.CANCELLED:
        undo_finish(submission=submission)
    return Undone(submission, kept=Label.objects.filter(submission_id=submission.id).count())


def undo_finish(*, submission: Submission) -> None:
    """Delete the labels of a submission that was taken back and mark it cancelled; safe to run again after a crash.

    A label that a reviewer has spoken of stays, also where his word is written and the label has yet to follow it.
    """
    untouched = Label.objects.filter(submission_id=submission.id, review=Review.PENDING, reviewed_at=None, changes=0)
    ids = set(untouched.values_list("id", flat=True))
    spoken_of = set(LabelChange.objects.filter(label_id__in=list(ids)).values_list("label_id", flat=True))
    untouched.filter(id__in=list(ids - spoken_of)).delete()
    follow(submission)
    Submission.objects.filter(id=submission.id).update(state=WorkState.CANCELLED)
    submission.state = WorkState.CANCELLED


def as_it_was(submission: Submission) -> SearchResult:
    """The result that `submission` was ticked on: all listings that were shown, whatever the shop shows by now."""
    page_id = SearchPage.make_id(
        source=submission.source, normalized_keyword=normalized(submission.keyword), page=submission.pages
    )
    last_page = SearchPage.objects.filter(id=page_id).first()
    return SearchResult(
        state="ready",
        keyword=submission.keyword,
        page=submission.pages,
        source=submission.source,
        listings=listings_by_ids(dict.fromkeys(submission.shown_listing_ids)),
        search_page=last_page,
        from_cache=True,
        has_next=last_page is not None and last_page.has_next,
    )
