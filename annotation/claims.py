"""Who is at a product and keyword, so that two annotators do not do the same work without knowing.

A task has one slot for each annotator wanted, and a slot is one document whose key comes from both: of two who take it
at the same moment one is refused by the key, or by a compare-and-set on what he has read. Nothing is locked. A claim
that nobody renewed for a while can be taken over; one that was submitted stands as the record of that submission.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import Claim, Product, Submission, Task
from crawler.keywords import normalized

HELD_FOR = timedelta(minutes=15)
LOOKED_BACK = 100  # submissions of one annotator for one product


class ClaimedError(ValidationError):
    """All slots are held or submitted by others; `claims` are those, the first slot first."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        super().__init__({"claim": claim_lines(claims)})
        self.claims = list(claims)


def task_overlap(task_id: str) -> int | None:
    """How many annotators the task of this id wants; None when there is no such task."""
    return Task.objects.filter(id=task_id).values_list("overlap", flat=True).first()


def claim_take(
    *,
    product: Product,
    source: str,
    keyword: str,
    annotator: AbstractBaseUser,
    overlap: int = 1,
    second_opinion: bool = False,
) -> Claim:
    """The claim of `annotator` on this product and keyword: his own renewed, or the lowest free one of `overlap` slots.

    His own is renewed even after its time, as long as nobody has replaced him, and one that he has submitted is left
    as it is. With `second_opinion` there is always a slot for him, beyond `overlap` where the others are taken.
    Raises ClaimedError when others stand in the way.
    """
    now = timezone.now()
    wanted = Claim(
        task_id=Task.make_id(product_id=product.id, source=source, keyword=keyword),
        product_id=product.id,
        product_name=product.name,
        keyword=keyword,
        source=source,
        annotator_id=annotator.pk,
        annotator_name=annotator.get_username(),
        claimed_at=now,
        expires_at=now + HELD_FOR,
    )
    return _take(wanted, slots=None if second_opinion else max(overlap, 1))


def _take(wanted: Claim, *, slots: int | None) -> Claim:
    """Write `wanted` to its annotator's own slot or to the lowest free one; `slots` of None: there is always one."""
    while True:  # a try that fails has lost to one that succeeded, so this comes to an end
        claims = {claim.slot: claim for claim in Claim.objects.filter(task_id=wanted.task_id)}
        mine = [claim for claim in claims.values() if claim.annotator_id == wanted.annotator_id]
        if mine:
            if mine[0].submission_id or _taken_over(mine[0], wanted):
                return mine[0]
            continue
        numbers = range(len(claims) + 1 if slots is None else slots)
        free = [slot for slot in numbers if slot not in claims or is_free(claims[slot], now=wanted.claimed_at)]
        if not free:
            raise ClaimedError([claims[slot] for slot in sorted(claims)])
        claim = claims.get(free[0])
        if claim is not None:
            if _taken_over(claim, wanted):
                return claim
            continue
        wanted.slot = free[0]
        wanted.id = Claim.make_id(task_id=wanted.task_id, slot=wanted.slot)
        try:
            wanted.save(force_insert=True)
        except IntegrityError:
            continue
        return wanted


def is_free(claim: Claim, *, now: datetime) -> bool:
    """Whether it can be taken over."""
    return not claim.submission_id and claim.expires_at <= now


def _taken_over(claim: Claim, wanted: Claim) -> bool:
    """Renew or take over `claim` as it was read; False when it has changed since."""
    goes_on = claim.annotator_id == wanted.annotator_id and claim.expires_at > wanted.claimed_at
    changes = {
        "annotator_id": wanted.annotator_id,
        "annotator_name": wanted.annotator_name,
        "claimed_at": claim.claimed_at if goes_on else wanted.claimed_at,
        "expires_at": wanted.expires_at,
    }
    as_read = Claim.objects.filter(
        id=claim.id, annotator_id=claim.annotator_id, expires_at=claim.expires_at, submission_id=""
    )
    if not as_read.update(**changes):
        return False
    for name, value in changes.items():
        setattr(claim, name, value)
    return True


def claim_release(*, claim_id: str, annotator: AbstractBaseUser) -> None:
    """Let others have it at once; nothing happens to a claim that is submitted or not `annotator`'s."""
    mine = Claim.objects.filter(id=claim_id, annotator_id=annotator.pk, submission_id="")
    mine.update(expires_at=timezone.now())


def follow_submission(submission: Submission) -> None:
    """A follower: make the annotator's claim the record of `submission`, or free it when that was taken back."""
    task_id = Task.make_id(product_id=submission.product_id, source=submission.source, keyword=submission.keyword)
    mine = Claim.objects.filter(task_id=task_id, annotator_id=submission.annotator_id)
    if submission.cancelled_at is None:
        if not mine.update(submission_id=submission.id):
            _record(submission, task_id=task_id)
        return
    recorded = mine.filter(submission_id=submission.id)
    if earlier := _other_submission(submission):
        recorded.update(submission_id=earlier)
    else:
        recorded.update(submission_id="", expires_at=submission.cancelled_at)


def _record(submission: Submission, *, task_id: str) -> None:
    """Nobody held a claim for it any more, as after a long outage: it is recorded beside those who replaced him."""
    wanted = Claim(
        task_id=task_id,
        product_id=submission.product_id,
        product_name=submission.product_name,
        keyword=submission.keyword,
        source=submission.source,
        annotator_id=submission.annotator_id,
        annotator_name=submission.annotator_name,
        claimed_at=submission.created_at,
        expires_at=timezone.now() + HELD_FOR,
        submission_id=submission.id,
    )
    claim = _take(wanted, slots=None)
    Claim.objects.filter(id=claim.id, annotator_id=submission.annotator_id).update(submission_id=submission.id)


def _other_submission(submission: Submission) -> str | None:
    """The annotator's last submission of the same work that stands."""
    others = Submission.objects.filter(
        annotator_id=submission.annotator_id,
        product_id=submission.product_id,
        source=submission.source,
        cancelled_at=None,
    ).exclude(id=submission.id)
    key = normalized(submission.keyword)
    last = others.order_by("-created_at").values_list("id", "keyword")[:LOOKED_BACK]
    return next((one for one, keyword in last if normalized(keyword) == key), None)


def claim_lines(claims: Sequence[Claim]) -> list[str]:
    """For each claim who holds it since when, or what came of it; one query for all."""
    ids = [claim.submission_id for claim in claims if claim.submission_id]
    said = {submission.id: submission for submission in Submission.objects.filter(id__in=ids)} if ids else {}
    return [_line(claim, said.get(claim.submission_id)) for claim in claims]


def _line(claim: Claim, submission: Submission | None) -> str:
    values = {"name": claim.annotator_name}
    if submission is None:
        return _("%(name)s has been at this since %(time)s.") % (values | {"time": clock(claim.claimed_at)})
    values["time"] = clock(submission.created_at)
    if submission.skip_reason:
        values["reason"] = str(submission.get_skip_reason_display())
        return _("%(name)s skipped this on %(time)s: %(reason)s.") % values
    ticked = len(submission.matched_listing_ids)
    text = ngettext(
        "%(name)s submitted this on %(time)s (%(count)d ticked).",
        "%(name)s submitted this on %(time)s (%(count)d ticked).",
        ticked,
    )
    return text % (values | {"count": ticked})


def clock(moment: datetime) -> str:
    """The time of a moment of today, else with its day."""
    local = timezone.localtime(moment)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else "Y-m-d H:i")
