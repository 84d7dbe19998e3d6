"""Writes of reviewers: every change of a label is first written to its history.

There are no transactions. A change is a document of its own that holds all of the intent (state `pending`); the label
follows, then the change is `done`. So no change that took effect lacks its history, and whoever meets a pending change
(the next reviewer of that label, or `reviews_resume`) carries it out: a change that is written always takes effect.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import MAX_NOTE, Label, LabelChange, RejectReason, Review
from annotation.webhook_events import follow_reviews
from crawler.models import WorkState

RESUME_AFTER = timedelta(seconds=30)
BATCH = 500
_SAID = ("review", "reject_reason", "review_note")


class ReviewConflictError(Exception):
    """Somebody else changed the label since the reviewer saw it; `label` is how it is now."""

    def __init__(self, label: Label) -> None:
        super().__init__(f"label {label.id} has changed to {label.review!r} by {label.reviewer_name!r}")
        self.label = label


def label_review(
    *, label_id: str, seen_changes: int, review: str, reviewer: AbstractBaseUser, reason: str = "", note: str = ""
) -> LabelChange | None:
    """Say of one label what `reviewer` decided on seeing it with `seen_changes` changes behind it.

    Returns the change, the same one for the same request again, or None where the label already says so.
    Raises Label.DoesNotExist, ReviewConflictError where somebody else changed the label since, and ValidationError as
    `labels_review` does.
    """
    said = _cleaned(review=review, reason=reason, note=note)
    return _change_one(label_id=label_id, seen_changes=seen_changes, said=said, reviewer=reviewer)


def labels_review(
    *, label_ids: Iterable[str], review: str, reviewer: AbstractBaseUser, reason: str = "", note: str = ""
) -> int:
    """Approve, reject or reopen labels, however they are now; returns how many changed.

    Labels that already say so keep their reviewer, and one that somebody else changes at this moment keeps his change.
    Raises ValidationError, keyed by field, for an unknown verdict, a rejection without a reason and a note that is too
    long; nothing is written then. `reason` and `note` are kept only with a rejection.
    """
    said = _cleaned(review=review, reason=reason, note=note)
    ids = list(label_ids)
    now = timezone.now()  # one moment for all, so that the labels can follow together
    count = 0
    for start in range(0, len(ids), BATCH):
        changes = []
        for label in Label.objects.filter(id__in=ids[start : start + BATCH]):
            try:
                if not _says(label.verdict(), said):
                    changes.append(_written(label, said=said, reviewer=reviewer, now=now))
            except ReviewConflictError:
                continue
        _carry_out(changes)
        count += len(changes)
    return count


def label_undo(*, change_id: str, reviewer: AbstractBaseUser) -> LabelChange | None:
    """Take back a change of `reviewer`'s own: the label says again what it said before, and its history both.

    Raises LabelChange.DoesNotExist for a change that is not there or somebody else's, Label.DoesNotExist for one of a
    label that is gone, and ReviewConflictError when the label has changed again since.
    """
    change = LabelChange.objects.get(id=change_id, changed_by_id=reviewer.pk)
    said = {name: change.before[name] for name in _SAID}
    return _change_one(
        label_id=change.label_id, seen_changes=change.number, said=said, reviewer=reviewer, undoes=change.id
    )


def reviews_resume() -> int:
    """Carry out what a crash left written but not done; returns how many changes that were."""
    cutoff = timezone.now() - RESUME_AFTER
    left = list(LabelChange.objects.filter(state=WorkState.PENDING, changed_at__lt=cutoff).order_by("changed_at"))
    _carry_out(left)
    return len(left)


def _cleaned(*, review: str, reason: str, note: str) -> dict[str, str]:
    if review not in Review.values:
        raise ValidationError({"review": _("“%(review)s” is no verdict.") % {"review": review}})
    if review != Review.REJECTED:
        return {"review": review, "reject_reason": "", "review_note": ""}
    if reason not in RejectReason.values:
        raise ValidationError({"reason": _("Choose why the label is rejected.")})
    note = note.strip()
    if len(note) > MAX_NOTE:
        message = _("The note is too long: at most %(max)d characters.") % {"max": MAX_NOTE}
        raise ValidationError({"note": message})
    return {"review": review, "reject_reason": reason, "review_note": note}


def _change_one(
    *, label_id: str, seen_changes: int, said: dict[str, str], reviewer: AbstractBaseUser, undoes: str = ""
) -> LabelChange | None:
    label = Label.objects.get(id=label_id)
    if label.changes != seen_changes:
        change_id = LabelChange.make_id(label_id=label_id, number=seen_changes + 1)
        earlier = LabelChange.objects.filter(id=change_id).first()
        if earlier and _same(earlier, said=said, reviewer=reviewer):
            return earlier  # a double click, or a retry
        raise ReviewConflictError(label)
    if _says(label.verdict(), said):
        return None
    change = _written(label, said=said, reviewer=reviewer, now=timezone.now(), undoes=undoes)
    _carry_out([change])
    return change


def _says(verdict: dict[str, str], said: dict[str, str]) -> bool:
    return all(verdict[name] == said[name] for name in _SAID)


def _same(change: LabelChange, *, said: dict[str, str], reviewer: AbstractBaseUser) -> bool:
    return change.changed_by_id == reviewer.pk and _says(change.after, said)


def _written(
    label: Label, *, said: dict[str, str], reviewer: AbstractBaseUser, now: datetime, undoes: str = ""
) -> LabelChange:
    """The change that follows those which `label` has, in its history now: its key lets only one such be written."""
    number = label.changes + 1
    name = reviewer.get_username()
    change = LabelChange(
        id=LabelChange.make_id(label_id=label.id, number=number),
        label_id=label.id,
        label_title=label.title,
        number=number,
        before=label.verdict(),
        after={**said, "reviewer_name": name, "reviewed_at": now.isoformat()},
        undoes=undoes,
        changed_by_id=reviewer.pk,
        changed_by_name=name,
        changed_at=now,
    )
    try:
        change.save(force_insert=True)
    except IntegrityError:  # somebody was first, and perhaps died before the label followed
        earlier = LabelChange.objects.get(id=change.id)
        _carry_out([earlier])
        if not _same(earlier, said=said, reviewer=reviewer):
            raise ReviewConflictError(Label.objects.get(id=label.id)) from None
        return earlier
    return change


def _carry_out(changes: Sequence[LabelChange]) -> None:
    """Let the labels follow their history. Done again it changes nothing: a label that has followed is further on."""
    alike: dict[tuple, list[LabelChange]] = defaultdict(list)
    for change in changes:
        said = tuple(change.after[name] for name in _SAID)
        alike[(change.number, *said, change.changed_by_name, change.changed_at)].append(change)
    for (number, review, reason, note, name, moment), group in alike.items():
        Label.objects.filter(id__in=[change.label_id for change in group], changes=number - 1).update(
            review=review,
            reject_reason=reason,
            review_note=note,
            reviewer_name=name,
            reviewed_at=moment,
            changes=number,
        )
    follow_reviews(changes)
    LabelChange.objects.filter(id__in=[change.id for change in changes]).update(state=WorkState.DONE)
