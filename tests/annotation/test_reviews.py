"""What reviews do to labels and their history; two reviewers at once; a crash in the middle."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from annotation import reviews
from annotation.models import Label, LabelChange, Review
from annotation.reviews import ReviewConflictError, label_review, label_undo, labels_review, reviews_resume
from crawler.models import WorkState
from tests.annotation.labelled import make_labels


@pytest.fixture
def label(person) -> Label:
    return make_labels(["orange juice"], annotator=person("annotator"))[0]


@pytest.fixture
def reviewer(person):
    return person("reviewer")


@pytest.fixture
def other(person):
    return person("superuser")


def said(label: Label) -> tuple[str, str, str, str]:
    label.refresh_from_db()
    return label.review, label.reject_reason, label.review_note, label.reviewer_name


def history(label: Label) -> list[tuple[str, str, str]]:
    changes = LabelChange.objects.filter(label_id=label.id).order_by("number")
    return [(change.before["review"], change.after["review"], change.changed_by_name) for change in changes]


def reject(label: Label, reviewer, *, seen: int = 0, reason: str = "product", note: str = "") -> LabelChange | None:
    return label_review(
        label_id=label.id, seen_changes=seen, review="rejected", reviewer=reviewer, reason=reason, note=note
    )


def test_a_rejection_keeps_reason_and_note(label, reviewer):
    change = reject(label, reviewer, note=" the 2 L bottle ")
    assert said(label) == ("rejected", "product", "the 2 L bottle", "reviewer")
    assert change is not None
    assert LabelChange.objects.get(id=change.id).state == WorkState.DONE
    assert change.before["review"] == "pending"
    assert change.after == label.verdict() | {"reviewed_at": change.after["reviewed_at"]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"review": "rejected"}, "reason"),
        ({"review": "rejected", "reason": "because"}, "reason"),
        ({"review": "rejected", "reason": "other", "note": "n" * 501}, "note"),
        ({"review": "perhaps"}, "review"),
    ],
)
def test_a_verdict_that_makes_no_sense_changes_nothing(label, reviewer, fields, field):
    for call in (
        lambda: labels_review(label_ids=[label.id], reviewer=reviewer, **fields),
        lambda: label_review(label_id=label.id, seen_changes=0, reviewer=reviewer, **fields),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert list(caught.value.error_dict) == [field]
    assert said(label) == ("pending", "", "", "")
    assert history(label) == []


def test_an_approval_takes_reason_and_note_away(label, reviewer):
    reject(label, reviewer, note="blurred")
    label_review(label_id=label.id, seen_changes=1, review="approved", reviewer=reviewer)
    assert said(label) == ("approved", "", "", "reviewer")


def test_the_history_holds_every_change_in_order(label, reviewer, other):
    labels_review(label_ids=[label.id], review="approved", reviewer=reviewer)
    labels_review(label_ids=[label.id], review="rejected", reason="other", reviewer=other)
    labels_review(label_ids=[label.id], review="pending", reviewer=reviewer)
    assert history(label) == [
        ("pending", "approved", "reviewer"),
        ("approved", "rejected", "superuser"),
        ("rejected", "pending", "reviewer"),
    ]
    label.refresh_from_db()
    assert label.changes == 3


def test_saying_the_same_again_is_no_change(label, reviewer, other):
    assert labels_review(label_ids=[label.id], review="approved", reviewer=reviewer) == 1
    assert labels_review(label_ids=[label.id], review="approved", reviewer=other) == 0
    assert label_review(label_id=label.id, seen_changes=1, review="approved", reviewer=other) is None
    assert said(label)[3] == "reviewer"
    assert len(history(label)) == 1


def test_another_reason_is_a_change(label, reviewer):
    reject(label, reviewer)
    assert labels_review(label_ids=[label.id], review="rejected", reason="advert", reviewer=reviewer) == 1
    assert said(label)[1] == "advert"


def test_a_double_click_is_one_change(label, reviewer):
    first = reject(label, reviewer)
    second = reject(label, reviewer)
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert len(history(label)) == 1


def test_a_label_that_somebody_else_reviewed_meanwhile_is_not_overwritten(label, reviewer, other):
    label_review(label_id=label.id, seen_changes=0, review="approved", reviewer=other)
    with pytest.raises(ReviewConflictError) as caught:
        reject(label, reviewer)
    assert caught.value.label.reviewer_name == "superuser"
    assert said(label)[0] == Review.APPROVED
    assert len(history(label)) == 1


def test_a_label_that_is_gone_is_told(label, reviewer):
    Label.objects.all().delete()
    with pytest.raises(Label.DoesNotExist):
        reject(label, reviewer)


def test_of_many_reviewers_at_once_exactly_one_wins(label, person):
    """Each saw the label untouched; all press at the same moment."""
    people = [person(role) for role in ("reviewer", "superuser", "administrator", "operator")]
    start, won, lost = threading.Barrier(len(people)), [], []

    def press(somebody, verdict: str) -> None:
        start.wait()
        try:
            label_review(
                label_id=label.id, seen_changes=0, review=verdict, reviewer=somebody, reason="other", note="mine"
            )
            won.append(somebody.username)
        except ReviewConflictError as conflict:
            lost.append(conflict.label.reviewer_name)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=press, args=(somebody, ("approved", "rejected")[number % 2]))
        for number, somebody in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert lost == won * 3  # each loser is told who was first, even before the winner's label had followed
    assert said(label)[3] == won[0]
    assert len(history(label)) == 1


# --- crashes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def crash(monkeypatch):
    """`with crash():` the process dies between the history and the label."""

    class Died(BaseException):
        pass

    def after(action) -> None:
        with monkeypatch.context() as patch:

            def die(changes):
                raise Died

            patch.setattr(reviews, "_carry_out", die)
            with pytest.raises(Died):
                action()

    return after


def test_a_crash_before_the_label_is_carried_out_later(label, reviewer, crash):
    crash(lambda: reject(label, reviewer, note="blurred"))
    assert said(label)[0] == "pending"
    assert history(label) == [("pending", "rejected", "reviewer")]
    assert reviews_resume() == 0  # not yet: its process may still be at it
    LabelChange.objects.update(changed_at=timezone.now() - timedelta(minutes=1))
    assert reviews_resume() == 1
    assert said(label) == ("rejected", "product", "blurred", "reviewer")
    assert reviews_resume() == 0
    label.refresh_from_db()
    assert label.changes == 1


def test_the_same_request_again_after_a_crash_carries_it_out(label, reviewer, crash):
    crash(lambda: reject(label, reviewer))
    assert reject(label, reviewer) is not None
    assert said(label)[0] == "rejected"
    assert len(history(label)) == 1


def test_who_comes_next_after_a_crash_carries_it_out_and_is_told(label, reviewer, other, crash):
    crash(lambda: reject(label, reviewer))
    with pytest.raises(ReviewConflictError) as caught:
        label_review(label_id=label.id, seen_changes=0, review="approved", reviewer=other)
    assert caught.value.label.review == "rejected"
    assert said(label)[3] == "reviewer"


def test_a_bulk_review_that_crashed_is_whole_when_it_is_run_again(person, reviewer, crash):
    labels = make_labels(["a", "b", "c"], annotator=person("annotator"))
    ids = [label.id for label in labels]
    crash(lambda: labels_review(label_ids=ids, review="approved", reviewer=reviewer))
    assert labels_review(label_ids=ids, review="approved", reviewer=reviewer) == 3
    assert LabelChange.objects.count() == 3
    assert Label.objects.filter(review="approved", changes=1).count() == 3


def test_a_crash_after_the_label_changes_it_no_second_time(label, reviewer, other):
    change = reject(label, reviewer)
    assert change is not None
    labels_review(label_ids=[label.id], review="approved", reviewer=other)
    long_ago = timezone.now() - timedelta(hours=1)
    LabelChange.objects.filter(id=change.id).update(state=WorkState.PENDING, changed_at=long_ago)
    assert reviews_resume() == 1
    assert said(label)[0] == "approved"
    assert LabelChange.objects.filter(state=WorkState.DONE).count() == 2


# --- undo -----------------------------------------------------------------------------------------------------------


def test_undo_says_again_what_was_said_before(label, reviewer):
    reject(label, reviewer, note="blurred")
    change = label_review(label_id=label.id, seen_changes=1, review="approved", reviewer=reviewer)
    assert change is not None
    undone = label_undo(change_id=change.id, reviewer=reviewer)
    assert undone is not None
    assert undone.undoes == change.id
    assert said(label)[:3] == ("rejected", "product", "blurred")
    assert len(history(label)) == 3
    again = label_undo(change_id=change.id, reviewer=reviewer)
    assert again is not None
    assert again.id == undone.id
    assert len(history(label)) == 3


def test_only_ones_own_changes_are_undone(label, reviewer, other):
    change = reject(label, other)
    assert change is not None
    with pytest.raises(LabelChange.DoesNotExist):
        label_undo(change_id=change.id, reviewer=reviewer)


def test_what_somebody_changed_since_is_not_undone(label, reviewer, other):
    change = reject(label, reviewer)
    assert change is not None
    labels_review(label_ids=[label.id], review="approved", reviewer=other)
    with pytest.raises(ReviewConflictError):
        label_undo(change_id=change.id, reviewer=reviewer)
    assert said(label)[0] == "approved"
