"""Where annotators differ: what opens a dispute and what closes it, and what a reviewer decides."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.disputes import (
    DisputeDecidedError,
    dispute_decide,
    dispute_reopen,
    disputes_resume,
    follow_submission,
)
from annotation.followers import follow
from annotation.models import Dispute, Label, LabelChange, Submission
from annotation.reviews import labels_review
from crawler.models import WorkState
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def product():
    return make_product()


@pytest.fixture
def ann(person):
    return person("annotator")


@pytest.fixture
def bob(person):
    return person("administrator")


@pytest.fixture
def listings():
    return [make_listing(f"juice {number}") for number in range(3)]


def disputed() -> list[str]:
    return sorted(Dispute.objects.values_list("title", flat=True))


def test_a_match_and_a_refusal_of_two_annotators_are_a_dispute(product, listings, ann, bob):
    first = make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    assert not Dispute.objects.exists()
    second = make_submission(product, listings, by=bob, refused=[listings[0]], ago=5)
    dispute = Dispute.objects.get()
    assert (dispute.listing_id, dispute.product_id, dispute.state) == (listings[0].id, product.id, WorkState.PENDING)
    assert (dispute.title, dispute.image_sha256) == ("juice 0", listings[0].image_sha256)
    assert dispute.said == [
        {"annotator": "annotator", "said": "match", "submission": first.id},
        {"annotator": "administrator", "said": "no match", "submission": second.id},
    ]


def test_shown_and_not_ticked_says_no_where_something_else_was_ticked(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=listings[:2], ago=9)
    make_submission(product, listings, by=bob, matched=[listings[1]])
    assert disputed() == ["juice 0"]
    assert [one["said"] for one in Dispute.objects.get().said] == ["match", "shown"]


@pytest.mark.parametrize(("reason", "count"), [("none", 1), ("keyword", 0), ("unclear", 0), ("pictures", 0)])
def test_a_skip_says_no_only_where_it_says_so(product, listings, ann, bob, reason, count):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=bob, skip_reason=reason)
    assert Dispute.objects.count() == count


def test_one_annotator_cannot_differ_from_himself(product, listings, ann):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=ann, refused=[listings[0]])
    assert not Dispute.objects.exists()


def test_unsure_is_no_contradiction(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=bob, unsure=[listings[0]])
    assert not Dispute.objects.exists()


def test_the_last_word_counts_and_the_dispute_goes(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=bob, refused=[listings[0]], ago=5)
    assert disputed() == ["juice 0"]
    make_submission(product, listings, by=bob, matched=[listings[0]])
    assert not Dispute.objects.exists()


def test_a_listing_that_is_shown_again_after_it_was_ticked_is_no_second_thought(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=bob, matched=[listings[0]], ago=8)
    make_submission(product, listings, by=bob, matched=[listings[1]], ago=5)
    make_submission(product, listings, by=ann, matched=[listings[1]])
    assert not Dispute.objects.exists()


def test_what_is_taken_back_was_never_said(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    second = make_submission(product, listings, by=bob, refused=[listings[0]])
    Submission.objects.filter(id=second.id).update(cancelled_at=timezone.now())
    follow(Submission.objects.get(id=second.id))
    assert not Dispute.objects.exists()


def test_another_product_is_another_question(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(make_product("Beta Tea"), listings, by=bob, refused=[listings[0]])
    assert not Dispute.objects.exists()


def test_following_again_changes_nothing_and_takes_few_queries(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=listings, ago=9)
    last = make_submission(product, listings, by=bob, refused=listings)
    before = list(Dispute.objects.order_by("id").values())
    with CaptureQueriesContext(connections["mongo"]) as queries:
        follow_submission(last)
    assert list(Dispute.objects.order_by("id").values()) == before
    assert len(before) == 3
    assert len(queries) <= 2


def test_a_submission_from_before_there_were_marks_counts(product, listings, ann, bob):
    from mmproject.mongo.collections import collection

    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    names = ("refused_listing_ids", "unsure_listing_ids", "skip_reason", "cancelled_at")
    collection(Submission).update_many({}, {"$unset": dict.fromkeys(names, "")})
    make_submission(product, listings, by=bob, refused=[listings[0]])
    assert disputed() == ["juice 0"]


# --- decisions


@pytest.fixture
def dispute(product, listings, ann, bob):
    make_submission(product, listings, by=ann, matched=[listings[0]], ago=9)
    make_submission(product, listings, by=bob, refused=[listings[0]])
    return Dispute.objects.get()


def test_yes_approves_the_labels(dispute, person):
    dispute_decide(dispute_id=dispute.id, is_match=True, reviewer=person("reviewer"))
    label = Label.objects.get()
    assert (label.review, label.reviewer_name) == ("approved", "reviewer")
    now = Dispute.objects.get()
    assert (now.state, now.is_match, now.decided_by) == (WorkState.DONE, True, "reviewer")


def test_no_rejects_them_with_the_note(dispute, person):
    dispute_decide(dispute_id=dispute.id, is_match=False, reviewer=person("reviewer"), note=" other size ")
    label = Label.objects.get()
    assert (label.review, label.reject_reason, label.review_note) == ("rejected", "product", "other size")


def test_of_two_reviewers_one_decides_and_the_other_is_told(dispute, person):
    dispute_decide(dispute_id=dispute.id, is_match=True, reviewer=person("reviewer"))
    with pytest.raises(DisputeDecidedError) as told:
        dispute_decide(dispute_id=dispute.id, is_match=False, reviewer=person("superuser"))
    assert told.value.dispute.decided_by == "reviewer"
    assert Label.objects.get().review == "approved"


def test_a_double_click_decides_once(dispute, person):
    for _again in range(2):
        dispute_decide(dispute_id=dispute.id, is_match=True, reviewer=person("reviewer"))
    assert LabelChange.objects.count() == 1


def test_a_decision_stays_whatever_is_said_later(dispute, person, product, listings, ann, bob):
    dispute_decide(dispute_id=dispute.id, is_match=True, reviewer=person("reviewer"))
    make_submission(product, listings, by=bob, matched=[listings[0]])
    assert Dispute.objects.get().is_match is True


def test_a_crash_between_decision_and_labels_is_made_good(dispute, person):
    person("reviewer")
    moment = timezone.now() - timedelta(minutes=5)
    Dispute.objects.update(state=WorkState.RUNNING, is_match=False, decided_by="reviewer", decided_at=moment)
    assert disputes_resume() == 1
    assert (Label.objects.get().review, Dispute.objects.get().state) == ("rejected", WorkState.DONE)
    assert disputes_resume() == 0


def test_what_was_reviewed_after_the_decision_is_not_overwritten(dispute, person):
    person("reviewer")
    moment = timezone.now() - timedelta(minutes=5)
    Dispute.objects.update(state=WorkState.RUNNING, is_match=False, decided_by="reviewer", decided_at=moment)
    labels_review(label_ids=[Label.objects.get().id], review="approved", reviewer=person("superuser"))
    disputes_resume()
    assert Label.objects.get().review == "approved"


def test_undo_opens_it_again_and_the_labels_say_what_they_said(dispute, person):
    dispute_decide(dispute_id=dispute.id, is_match=False, reviewer=person("reviewer"))
    again = dispute_reopen(dispute_id=dispute.id, reviewer=person("reviewer"))
    assert again is not None
    assert (again.state, again.is_match, again.decided_by) == (WorkState.PENDING, None, "")
    assert Label.objects.get().review == "pending"


def test_undo_of_somebody_elses_decision_is_refused(dispute, person):
    dispute_decide(dispute_id=dispute.id, is_match=False, reviewer=person("reviewer"))
    with pytest.raises(Dispute.DoesNotExist):
        dispute_reopen(dispute_id=dispute.id, reviewer=person("superuser"))
    assert Label.objects.get().review == "rejected"


def test_undo_after_the_annotators_have_agreed_closes_it(dispute, person, product, listings, bob):
    dispute_decide(dispute_id=dispute.id, is_match=False, reviewer=person("reviewer"))
    make_submission(product, listings, by=bob, matched=[listings[0]])
    assert dispute_reopen(dispute_id=dispute.id, reviewer=person("reviewer")) is None
    assert not Dispute.objects.exists()
