"""No match, unsure, and searches that are skipped."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from annotation.models import Label, SkipReason, Submission, Task
from tests.annotation.factories import make_listing, make_product
from tests.annotation.submitted import PRODUCT, ids, submit

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
HTMX = {"HTTP_HX_REQUEST": "true"}
URL = "/api/labels"


@pytest.fixture
def annotator(person):
    return person("annotator")


@pytest.fixture
def listings():
    return [make_listing(f"tea {number}") for number in range(4)]


def posted(listings, **changes) -> dict:
    values = {"submission": "s-1", "product": PRODUCT, "keyword": "juice", "source": "demo-shop", "pages": "1"}
    return values | {"shown": ids(listings)} | changes


class TestMarks:
    def test_they_are_kept_and_only_matches_become_labels(self, annotator, listings):
        one, other, third, fourth = listings
        made = submit(annotator, listings, matched=[one], refused=[other, third], unsure=[fourth])
        kept = Submission.objects.get(id=made.id)
        assert kept.matched_listing_ids == ids([one])
        assert kept.refused_listing_ids == ids([other, third])
        assert kept.unsure_listing_ids == ids([fourth])
        assert [label.listing_id for label in Label.objects.all()] == [one.id]

    def test_marks_alone_are_a_submission(self, annotator, listings):
        assert submit(annotator, listings, unsure=listings[:1]).state == "done"
        assert not Label.objects.exists()

    @pytest.mark.parametrize(
        ("marks", "message"),
        [
            ({"matched": [0], "refused": [0]}, "marked in two ways"),
            ({"matched": [0], "unsure": [0]}, "marked in two ways"),
            ({"refused": [1, 2], "unsure": [2]}, "marked in two ways"),
            ({"refused": [3]}, "was not on this page"),
            ({"matched": [0], "unsure": [3]}, "was not on this page"),
            ({}, "Tick at least one"),
        ],
    )
    def test_a_contradiction_is_refused_and_nothing_written(self, annotator, listings, marks, message):
        chosen = {name: [listings[place] for place in places] for name, places in marks.items()}
        with pytest.raises(ValidationError, match=message):
            submit(annotator, listings[:3], **chosen)
        assert not Submission.objects.exists()
        assert not Label.objects.exists()

    @pytest.mark.parametrize("field", ["refused_listing_ids", "unsure_listing_ids"])
    def test_a_mark_on_what_nobody_knows_is_refused(self, annotator, field):
        with pytest.raises(ValidationError, match="gone was not on this page"):
            submit(annotator, shown_listing_ids=["gone"], **{field: ["gone"]})

    def test_a_listing_without_a_picture_may_be_refused(self, annotator):
        listing = make_listing(image_sha256="")
        assert submit(annotator, [listing], refused=[listing]).refused_listing_ids == [listing.id]

    def test_the_form_sends_them(self, sign_in, listings):
        make_product()
        data = posted(listings, listing=listings[0].id, refused=listings[1].id, unsure=ids(listings[2:]))
        page = sign_in("annotator").post(reverse("annotation:submit"), data, **HTMX).content.decode()
        assert "Saved: 1 label for Alpha Orange Juice. Marked: 1 no match, 2 unsure." in page
        assert Submission.objects.get().unsure_listing_ids == ids(listings[2:])

    def test_marked_two_ways_is_a_422(self, sign_in, listings):
        make_product()
        data = posted(listings, listing=listings[0].id, refused=listings[0].id)
        answer = sign_in("annotator").post(reverse("annotation:submit"), data, **HTMX)
        assert (answer.status_code, answer["HX-Retarget"]) == (422, "#messages")
        assert listings[0].id in answer.content.decode()
        assert not Submission.objects.exists()


class TestSuggestions:
    def test_labels_say_who_had_suggested_them(self, annotator, listings):
        one, other, third, _fourth = listings
        made = submit(
            annotator,
            listings,
            matched=[one, other],
            suggested_listing_ids=ids([one, third]),
            suggested_by="model 2",
            ordered_by_model=True,
        )
        assert {label.listing_id: label.suggested_by for label in Label.objects.all()} == {
            one.id: "model 2",
            other.id: "",
        }
        assert (made.suggested_listing_ids, made.ordered_by_model) == (ids([one, third]), True)

    def test_only_what_was_shown_can_have_been_suggested(self, annotator, listings):
        with pytest.raises(ValidationError, match="was not on this page"):
            submit(annotator, listings[:1], matched=listings[:1], suggested_listing_ids=ids(listings[1:2]))

    def test_the_form_sends_them(self, sign_in, listings):
        make_product()
        one = listings[0].id
        data = posted(listings, listing=one, suggested=one, suggested_by="model 2", ordered_by_model="true")
        sign_in("annotator").post(reverse("annotation:submit"), data, **HTMX)
        assert Label.objects.get().suggested_by == "model 2"
        assert Submission.objects.get().ordered_by_model


class TestTask:
    def test_a_submission_of_a_tasks_work_names_it(self, annotator, listings):
        product = make_product()
        work = {"product_id": product.id, "source": "demo-shop", "keyword": "Orange  Juice"}
        task = Task.make_id(**work)
        Task(id=task, product_name=product.name, created_at=timezone.now(), **work).save()
        assert submit(annotator, listings, matched=listings[:1], keyword="orange juice").task_id == task
        assert submit(annotator, listings, matched=listings[:1], keyword="juice").task_id == ""


class TestSkip:
    @pytest.mark.parametrize("reason", [value for value in SkipReason.values if value != "other"])
    def test_each_reason_works_with_and_without_listings(self, annotator, listings, reason):
        for shown in (listings, []):
            made = submit(annotator, shown, skip_reason=reason)
            assert Submission.objects.get(id=made.id).skip_reason == reason
        assert not Label.objects.exists()

    def test_marks_may_go_with_it(self, annotator, listings):
        made = submit(annotator, listings, refused=listings, skip_reason="none")
        assert made.refused_listing_ids == ids(listings)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"skip_reason": "lazy"}, "skip_reason"),
            ({"skip_reason": "other"}, "skip_note"),
            ({"skip_reason": "other", "skip_note": "   "}, "skip_note"),
            ({"skip_reason": "none", "skip_note": "x" * 501}, "skip_note"),
            ({"skip_note": "because"}, "skip_reason"),
            ({"skip_reason": "none", "product_name": ""}, "product"),
        ],
    )
    def test_bad_input_is_named_and_changes_nothing(self, annotator, changes, field):
        with pytest.raises(ValidationError) as caught:
            submit(annotator, **changes)
        assert set(caught.value.message_dict) == {field}
        assert not Submission.objects.exists()

    def test_ticks_cannot_be_skipped(self, annotator, listings):
        with pytest.raises(ValidationError, match="Take the ticks back first"):
            submit(annotator, listings, matched=listings[:1], skip_reason="none")
        assert not Submission.objects.exists()

    def test_the_page_says_what_was_skipped_and_why(self, sign_in):
        make_product()
        data = posted([], skip_reason="other", skip_note="<b>closed</b>")
        page = sign_in("annotator").post(reverse("annotation:submit"), data, **HTMX).content.decode()
        assert "Skipped: “juice” for Alpha Orange Juice (other)." in page
        assert "<b>closed" not in page
        assert Submission.objects.get().skip_note == "<b>closed</b>"

    def test_a_problem_is_shown_in_the_dialog_that_asked(self, sign_in):
        make_product()
        trigger = {"HTTP_HX_TRIGGER": "skip-form"}
        data = posted([], skip_reason="other")
        answer = sign_in("annotator").post(reverse("annotation:submit"), data, **HTMX, **trigger)
        assert (answer.status_code, answer["HX-Retarget"]) == (422, "#skip-problems")


class TestApi:
    @pytest.fixture
    def client(self, sign_in, source):
        make_product()
        return sign_in("annotator")

    def body(self, **changes) -> dict:
        values = {"submission": "s-1", "product": "alpha-orange-juice", "keyword": "juice", "source": "demo-shop"}
        return values | changes

    def test_it_takes_marks(self, client, listings):
        body = self.body(listings=ids(listings[:1]), refused=ids(listings[1:2]), unsure=ids(listings[2:]))
        answer = client.post(URL, body, "application/json")
        assert (answer.status_code, len(answer.json()["labels"])) == (201, 1)
        made = Submission.objects.get()
        assert (made.refused_listing_ids, made.unsure_listing_ids) == (ids(listings[1:2]), ids(listings[2:]))
        assert made.shown_listing_ids == ids(listings)
        assert client.post(URL, body, "application/json").status_code == 200
        other = client.post(URL, body | {"unsure": []}, "application/json")
        assert other.status_code == 409

    def test_it_takes_a_skip_without_listings(self, client):
        body = self.body(skip_reason="other", skip_note="shop closed")
        assert client.post(URL, body, "application/json").status_code == 201
        assert Submission.objects.get().skip_note == "shop closed"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"skip_reason": "lazy"}, "skip_reason"),
            ({"skip_reason": "other"}, "skip_note"),
            ({"refused": "abc"}, "refused"),
            ({"unsure": ["gone"]}, "unsure"),
            ({}, "listings"),
        ],
    )
    def test_bad_input_is_refused_with_its_field(self, client, changes, field):
        answer = client.post(URL, self.body(**changes), "application/json")
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {field}
        assert not Submission.objects.exists()
