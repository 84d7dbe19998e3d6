"""`/annotation/mine/`: one's own work, day by day."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.figures import chart, work_of
from annotation.models import Label, RejectReason, Review, Submission
from crawler.models import WorkState
from mmproject.ids import new_id
from tests.annotation.factories import make_listing

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

ME, OTHER = 7, 8
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


def submission(*, seconds: float = 0, days: int = 0, annotator: int = ME, **fields) -> Submission:
    made = Submission(
        id=new_id(),
        product_id="cola",
        product_name="Cola",
        keyword="cola",
        source="demo-shop",
        pages=1,
        annotator_id=annotator,
        annotator_name=f"annotator {annotator}",
        created_at=NOON - timedelta(days=days) + timedelta(seconds=seconds),
        **fields,
    )
    made.save()
    return made


def label(review: str, *, reason: str = "", days: int = 0, annotator: int = ME) -> None:
    listing = make_listing()
    Label.objects.create(
        id=new_id(),
        submission_id="s",
        listing_id=listing.id,
        **listing.offer(),
        product_id="cola",
        product_name="Cola",
        keyword="cola",
        annotator_id=annotator,
        annotator_name="me",
        created_at=NOON - timedelta(days=days),
        review=review,
        reject_reason=reason,
    )


def test_ticks_and_marks_are_counted_by_day():
    submission(matched_listing_ids=["a", "b"], refused_listing_ids=["c"], unsure_listing_ids=["d", "e"])
    submission(matched_listing_ids=["f"], seconds=5)
    submission(days=3, matched_listing_ids=["g"])
    today, before = work_of(annotator_id=ME).days
    assert (today.day, before.day) == (NOON.date(), NOON.date() - timedelta(days=3))
    assert (today.submissions, today.ticks, today.no_match, today.unsure) == (2, 3, 1, 2)
    assert (before.submissions, before.ticks) == (1, 1)


def test_the_pace_is_the_median_and_breaks_do_not_count():
    for seconds in (0, 20, 60, 700, 730):  # 20, 40, a break, 30
        submission(seconds=seconds)
    work = work_of(annotator_id=ME)
    assert work.days[0].pace == work.total.pace == 30


def test_a_single_submission_has_no_pace():
    submission()
    assert work_of(annotator_id=ME).total.pace is None


def test_acceptance_is_of_what_was_reviewed():
    for review in (Review.APPROVED, Review.APPROVED, Review.APPROVED, Review.REJECTED, Review.PENDING):
        label(review)
    total = work_of(annotator_id=ME).total
    assert (total.approved, total.rejected, total.acceptance) == (3, 1, 75)


def test_nothing_reviewed_is_no_acceptance():
    label(Review.PENDING)
    assert work_of(annotator_id=ME).total.acceptance is None


def test_the_most_frequent_reasons_come_first():
    for reason in (RejectReason.VARIANT, RejectReason.PRODUCT, RejectReason.VARIANT):
        label(Review.REJECTED, reason=reason)
    assert work_of(annotator_id=ME).reasons == [("wrong variant or size", 2), ("wrong product", 1)]


def test_others_old_work_and_what_was_taken_back_do_not_count():
    submission(annotator=OTHER)
    submission(days=31)
    submission(state=WorkState.CANCELLED)
    label(Review.APPROVED, annotator=OTHER)
    label(Review.APPROVED, days=31)
    assert work_of(annotator_id=ME).days == []


def test_the_chart_has_every_day():
    submission(days=2, matched_listing_ids=["a"])
    drawn = chart(work_of(annotator_id=ME))
    assert len(drawn["days"]) == len(drawn["ticks"]) == len(drawn["acceptance"]) == 30
    assert drawn["ticks"][-3] == 1
    assert sum(drawn["ticks"]) == 1


def test_the_page_shows_ones_own(sign_in, person):
    submission(annotator=person("annotator").pk, matched_listing_ids=["a", "b"])
    label(Review.REJECTED, reason=RejectReason.ADVERT, annotator=person("annotator").pk)
    mine = sign_in("annotator").get("/annotation/mine/").content.decode()
    assert "not on sale / advert" in mine
    assert f'<th scope="row">{NOON:%Y-%m-%d}</th>' in mine
    assert "You have not submitted anything" in sign_in("reviewer").get("/annotation/mine/").content.decode()


def test_two_aggregations_and_the_badge_are_all_it_asks(sign_in, person):
    for days in range(5):
        submission(days=days, annotator=person("annotator").pk)
    client = sign_in("annotator")
    with CaptureQueriesContext(connections["mongo"]) as queries:
        client.get("/annotation/mine/")
    assert len(queries) <= 3
