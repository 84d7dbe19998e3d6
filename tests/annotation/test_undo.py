"""Taking submissions back: what goes, what stays, crashes in the middle, and who may."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation import services, undo
from annotation.models import Claim, Label, LabelChange, Review, Submission
from annotation.reviews import labels_review
from annotation.selectors import example_keyword, labelled_products, recent_products
from annotation.undo import UNDO_DEPTH, submission_undo, undoable_submissions
from crawler.models import WorkState
from evaluation.services.said import Said
from mmproject.ids import new_id
from tests.annotation.factories import make_listing, make_product
from tests.annotation.submitted import PRODUCT, ids, submit

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def annotator(person):
    return person("annotator")


@pytest.fixture
def listings():
    return [make_listing(f"tea {number}") for number in range(3)]


def url(submission: Submission, name: str = "undo") -> str:
    return reverse(f"annotation:{name}", args=[submission.id])


def crash(*_args, **_fields):
    raise ConnectionError("mongod went away")


class TestUndo:
    def test_its_labels_go(self, annotator, listings):
        made = submit(annotator, listings, matched=listings)
        other = submit(annotator, listings, matched=listings[:1])
        undone = submission_undo(submission_id=made.id, annotator=annotator)
        assert (undone.kept, undone.submission.state) == (0, WorkState.CANCELLED)
        assert [label.submission_id for label in Label.objects.all()] == [other.id]
        assert Submission.objects.get(id=made.id).cancelled_at is not None

    def test_what_a_reviewer_has_spoken_of_stays(self, annotator, person, listings):
        made = submit(annotator, listings, matched=listings)
        approved, reopened, untouched = Label.objects.order_by("title")
        reviewer = person("reviewer")
        for label, review in ((approved, Review.APPROVED), (reopened, Review.APPROVED), (reopened, Review.PENDING)):
            labels_review(label_ids=[label.id], review=review, reviewer=reviewer)
        assert submission_undo(submission_id=made.id, annotator=annotator).kept == 2
        assert set(Label.objects.values_list("id", flat=True)) == {approved.id, reopened.id}
        assert untouched.id

    def test_a_word_that_is_written_but_has_not_reached_its_label_counts(
        self, annotator, person, listings, monkeypatch
    ):
        made = submit(annotator, listings, matched=listings[:1])
        label = Label.objects.get()
        with monkeypatch.context() as broken:
            broken.setattr("annotation.reviews._carry_out", crash)
            with pytest.raises(ConnectionError):
                labels_review(label_ids=[label.id], review=Review.APPROVED, reviewer=person("reviewer"))
        assert LabelChange.objects.get().state == WorkState.PENDING
        assert submission_undo(submission_id=made.id, annotator=annotator).kept == 1

    def test_a_second_time_changes_nothing(self, annotator, listings):
        made = submit(annotator, listings, matched=listings)
        submission_undo(submission_id=made.id, annotator=annotator)
        before = Submission.objects.get(id=made.id)
        assert submission_undo(submission_id=made.id, annotator=annotator).kept == 0
        assert Submission.objects.get(id=made.id).cancelled_at == before.cancelled_at

    def test_a_replay_does_not_bring_it_back(self, annotator, listings):
        made = submit(annotator, listings, matched=listings)
        submission_undo(submission_id=made.id, annotator=annotator)
        with pytest.raises(ValidationError, match="taken this submission back"):
            submit(annotator, listings, matched=listings, submission_id=made.id)
        assert not Label.objects.exists()
        assert Submission.objects.get().state == WorkState.CANCELLED

    def test_somebody_elses_is_not_found(self, annotator, person, listings):
        made = submit(annotator, listings, matched=listings)
        with pytest.raises(Submission.DoesNotExist):
            submission_undo(submission_id=made.id, annotator=person("reviewer"))

    def test_only_the_last_ones_that_stand_can_be_taken_back(self, annotator, listings):
        now = timezone.now()
        made = [submit(annotator, listings, unsure=listings[:1]) for _ in range(UNDO_DEPTH + 2)]
        for age, submission in enumerate(reversed(made)):
            Submission.objects.filter(id=submission.id).update(created_at=now - timedelta(minutes=age))
        last = [submission.id for submission in reversed(made)]
        assert [one.id for one in undoable_submissions(annotator)] == last[:UNDO_DEPTH]
        with pytest.raises(ValidationError, match="Only your last 10"):
            submission_undo(submission_id=last[UNDO_DEPTH], annotator=annotator)
        submission_undo(submission_id=last[0], annotator=annotator)
        submission_undo(submission_id=last[UNDO_DEPTH], annotator=annotator)
        assert Submission.objects.filter(state=WorkState.CANCELLED).count() == 2

    def test_more_labels_are_no_more_queries(self, annotator):
        def queries(count):
            shown = [make_listing() for _ in range(count)]
            made = submit(annotator, shown, matched=shown, keyword=f"tea {count}")
            with CaptureQueriesContext(connections["mongo"]) as seen:
                submission_undo(submission_id=made.id, annotator=annotator)
            return len(seen)

        assert queries(2) == queries(40)


class TestCrashes:
    @pytest.mark.parametrize("after", ["intent", "labels"])
    def test_what_was_half_taken_back_is_finished(self, annotator, listings, monkeypatch, after):
        made = submit(annotator, listings, matched=listings)
        with monkeypatch.context() as broken:
            broken.setattr(undo, "undo_finish" if after == "intent" else "follow", crash)
            with pytest.raises(ConnectionError):
                submission_undo(submission_id=made.id, annotator=annotator)
        assert Submission.objects.get().state == WorkState.PENDING
        monkeypatch.setattr(services, "RESUME_AFTER", -services.RESUME_AFTER)
        assert services.submissions_resume() == 1
        assert Submission.objects.get().state == WorkState.CANCELLED
        assert not Label.objects.exists()
        assert services.submissions_resume() == 0

    def test_the_annotator_can_finish_it_too(self, annotator, listings, monkeypatch):
        made = submit(annotator, listings, matched=listings)
        with monkeypatch.context() as broken:
            broken.setattr(undo, "undo_finish", crash)
            with pytest.raises(ConnectionError):
                submission_undo(submission_id=made.id, annotator=annotator)
        submission_undo(submission_id=made.id, annotator=annotator)
        assert not Label.objects.exists()

    def test_a_half_written_one_can_be_taken_back(self, annotator, listings, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(services, "follow", crash)
            with pytest.raises(ConnectionError):
                submit(annotator, listings, matched=listings)
        assert Label.objects.count() == 3
        submission_undo(submission_id=Submission.objects.get().id, annotator=annotator)
        assert not Label.objects.exists()

    def test_taken_back_while_its_labels_are_written(self, annotator, listings, monkeypatch):
        """The undo comes between the labels and `done`, and again before the labels."""
        for moment in ("bulk_create", "follow"):
            made = new_id()
            target = Label.objects if moment == "bulk_create" else services
            original = getattr(target, moment)

            def meanwhile(*args, original=original, made=made, **fields):
                submission_undo(submission_id=made, annotator=annotator)
                return original(*args, **fields)

            with monkeypatch.context() as raced:
                raced.setattr(target, moment, meanwhile)
                submit(annotator, listings, matched=listings, submission_id=made)
            assert Submission.objects.get(id=made).state == WorkState.CANCELLED
            assert not Label.objects.exists()
            assert not Claim.objects.exclude(submission_id="").exists()

    def test_finishing_and_taking_back_at_once(self, annotator, listings):
        """Whichever comes first, in the end it is cancelled and has no label."""
        for _ in range(5):
            made = submit(annotator, listings, matched=listings)
            Label.objects.all().delete()
            Submission.objects.filter(id=made.id).update(state=WorkState.PENDING)
            failed = []

            def do(work, failed=failed):
                try:
                    work()
                except Exception as error:
                    failed.append(error)
                finally:
                    connections.close_all()

            works = [
                lambda made=made: services.submission_finish(submission=Submission.objects.get(id=made.id)),
                lambda made=made: submission_undo(submission_id=made.id, annotator=annotator),
                lambda made=made: submission_undo(submission_id=made.id, annotator=annotator),
            ]
            threads = [threading.Thread(target=do, args=(work,)) for work in works]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not failed
            assert Submission.objects.get(id=made.id).state == WorkState.CANCELLED
            assert not Label.objects.exists()


def test_nothing_lists_what_was_taken_back(annotator, listings, sign_in):
    make_product(PRODUCT, keywords="orange juice")
    make_product("Beta Milk", brand="Beta", keywords="milk")
    made = submit(annotator, listings, matched=listings)
    assert recent_products(annotator) == [PRODUCT]
    submission_undo(submission_id=made.id, annotator=annotator)
    assert recent_products(annotator) == []
    assert undoable_submissions(annotator) == []
    assert example_keyword() == "orange juice"
    assert labelled_products(ids(listings)) == {}
    with Said() as said:
        said.gather(unlabelled=False)
        assert list(said) == []
    client = sign_in("annotator")
    assert client.get("/api/labels").json()["labels"] == []
    assert "None of your labels was rejected" in client.get(reverse("annotation:feedback")).content.decode()


def test_half_taken_back_it_is_not_offered_any_more(annotator, listings):
    made = submit(annotator, listings, matched=listings)
    Submission.objects.filter(id=made.id).update(cancelled_at=timezone.now(), state=WorkState.PENDING)
    assert recent_products(annotator) == []
    assert undoable_submissions(annotator) == []


class TestPage:
    def submitted(self, sign_in, listings):
        make_product()
        data = {
            "submission": "s-1",
            "product": PRODUCT,
            "keyword": "juice",
            "source": "demo-shop",
            "pages": "2",
            "shown": ids(listings),
            "listing": listings[0].id,
            "refused": listings[1].id,
            "unsure": listings[2].id,
        }
        client = sign_in("annotator")
        return client, client.post(reverse("annotation:submit"), data, **HTMX).content.decode()

    def test_a_submit_offers_it_beside_its_message_and_in_the_list(self, sign_in, listings):
        client, page = self.submitted(sign_in, listings)
        address = url(Submission.objects.get())
        assert page.count(f'action="{address}"') == 2
        assert "1 ticked, 1 no match, 1 unsure, of 3" in page
        assert address in client.get(reverse("annotation:search")).content.decode()

    def test_it_goes_back_to_the_search_with_all_that_was_said(self, sign_in, listings):
        client, _page = self.submitted(sign_in, listings)
        answer = client.post(url(Submission.objects.get()))
        assert answer.status_code == 302
        page = client.get(answer["Location"]).content.decode()
        assert "Taken back: “juice” for Alpha Orange Juice." in page
        for kind, listing in zip(("listing", "refused", "unsure"), listings, strict=True):
            [box] = [part for part in page.split("<input") if f'name="{kind}" value="{listing.id}"' in part]
            assert "checked" in box.split(">")[0]
        assert page.split('<form id="submission"')[1].split("<form")[0].count(" checked") == 3
        assert 'name="pages" value="2"' in page
        assert "s-1" not in page.split('<form id="submission"')[1].split("<ul")[0]  # it is another submission now
        assert not Label.objects.exists()

    def test_htmx_is_sent_there(self, sign_in, listings):
        client, _page = self.submitted(sign_in, listings)
        submission = Submission.objects.get()
        answer = client.post(url(submission), **HTMX)
        assert answer["HX-Redirect"] == url(submission, "taken_back")

    def test_one_too_old_is_a_422_with_its_reason(self, sign_in, listings, annotator):
        client, _page = self.submitted(sign_in, listings)
        first = Submission.objects.get()
        for _ in range(UNDO_DEPTH):
            submit(annotator, listings, unsure=listings[:1])
        answer = client.post(url(first), **HTMX)
        assert answer.status_code == 422
        assert "Only your last 10 submits" in answer.content.decode()
        assert Label.objects.count() == 1

    def test_somebody_elses_is_not_found(self, sign_in, listings):
        self.submitted(sign_in, listings)
        other, submission = sign_in("reviewer"), Submission.objects.get()
        assert other.post(url(submission)).status_code == 404
        assert other.get(url(submission, "taken_back")).status_code == 404
        assert Label.objects.count() == 1

    def test_one_that_stands_is_not_shown_as_taken_back(self, sign_in, listings):
        client, _page = self.submitted(sign_in, listings)
        assert client.get(url(Submission.objects.get(), "taken_back")).status_code == 404

    def test_a_skip_is_taken_back_to_its_empty_page(self, sign_in, annotator):
        made = submit(annotator, skip_reason="none")
        page = sign_in("annotator").post(url(made), follow=True).content.decode()
        assert "The shop shows nothing for “juice”" in page

    def test_sending_it_again_is_refused_with_a_reason(self, sign_in, listings):
        client, _page = self.submitted(sign_in, listings)
        client.post(url(Submission.objects.get()))
        data = {"submission": "s-1", "product": PRODUCT, "keyword": "juice", "source": "demo-shop", "pages": "2"}
        answer = client.post(reverse("annotation:submit"), data | {"shown": ids(listings), "listing": listings[0].id})
        assert answer.status_code == 422
        assert "taken this submission back" in answer.content.decode()

    def test_the_api_says_conflict(self, sign_in, listings, source):
        client, _page = self.submitted(sign_in, listings)
        client.post(url(Submission.objects.get()))
        body = {
            "submission": "s-1",
            "product": "alpha-orange-juice",
            "keyword": "juice",
            "source": "demo-shop",
            "listings": ids(listings[:1]),
            "refused": ids(listings[1:2]),
            "unsure": ids(listings[2:]),
        }
        answer = client.post("/api/labels", body, "application/json")
        assert answer.status_code == 409
        assert "taken back" in answer.json()["detail"]
