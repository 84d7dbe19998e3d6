"""Who is at a product and keyword: one claim for each annotator wanted, however many reach for it at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.claims import HELD_FOR, ClaimedError, claim_release, claim_take, follow_submission
from annotation.models import Claim, Label, Submission, Task
from annotation.undo import submission_undo
from tests.annotation.factories import make_listing, make_product
from tests.annotation.submitted import PRODUCT, ids, submit

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
HTMX = {"HTTP_HX_REQUEST": "true"}
MANY = 20
WORK = {"source": "demo-shop", "keyword": "juice"}


@pytest.fixture
def product():
    return make_product()


@pytest.fixture
def li(person):
    return person("annotator")


@pytest.fixture
def wang(person):
    return person("reviewer")


def expire(**which) -> None:
    Claim.objects.filter(**which).update(expires_at=timezone.now() - timedelta(seconds=1))


def task(product, *, overlap: int) -> Task:
    made = Task(
        id=Task.make_id(product_id=product.id, **WORK),
        product_id=product.id,
        product_name=product.name,
        overlap=overlap,
        created_at=timezone.now(),
        **WORK,
    )
    made.save()
    return made


class TestTake:
    def test_the_first_gets_it_and_the_second_learns_who(self, product, li, wang):
        claim = claim_take(product=product, **WORK, annotator=li)
        assert (claim.slot, claim.annotator_name, claim.product_name) == (0, "annotator", PRODUCT)
        with pytest.raises(ClaimedError, match="annotator has been at this since") as caught:
            claim_take(product=product, **WORK, annotator=wang)
        assert [one.id for one in caught.value.claims] == [claim.id]

    def test_other_work_is_free(self, product, li, wang):
        claim_take(product=product, **WORK, annotator=li)
        claim_take(product=product, source="demo-shop", keyword="milk", annotator=wang)
        claim_take(product=product, source="other", keyword="juice", annotator=wang)
        claim_take(product=make_product("Beta Milk", brand="Beta"), **WORK, annotator=wang)

    def test_the_same_search_spelt_otherwise_is_the_same_work(self, product, li, wang):
        claim_take(product=product, source="demo-shop", keyword="Orange  Juice", annotator=li)
        with pytest.raises(ClaimedError):
            claim_take(product=product, source="demo-shop", keyword="orange juice", annotator=wang)

    def test_ones_own_is_renewed(self, product, li):
        first = claim_take(product=product, **WORK, annotator=li)
        Claim.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
        again = claim_take(product=product, **WORK, annotator=li)
        kept = Claim.objects.get()
        assert again.id == first.id == kept.id
        assert kept.expires_at > timezone.now() + HELD_FOR - timedelta(minutes=1)
        assert abs(kept.claimed_at - first.claimed_at) < timedelta(milliseconds=1)

    def test_one_that_nobody_took_over_is_ones_own_after_its_time(self, product, li):
        claim_take(product=product, **WORK, annotator=li)
        expire()
        assert claim_take(product=product, **WORK, annotator=li).expires_at > timezone.now()

    def test_an_expired_one_is_taken_over(self, product, li, wang):
        claim_take(product=product, **WORK, annotator=li)
        expire()
        assert claim_take(product=product, **WORK, annotator=wang).slot == 0
        with pytest.raises(ClaimedError, match="reviewer has been at this"):
            claim_take(product=product, **WORK, annotator=li)

    def test_a_submitted_one_is_never_taken_over(self, product, li, wang):
        listing = make_listing()
        submit(li, [listing], matched=[listing])
        expire()
        with pytest.raises(ClaimedError, match=r"annotator submitted this on .* \(1 ticked\)"):
            claim_take(product=product, **WORK, annotator=wang)

    def test_a_second_opinion_always_has_a_slot(self, product, li, wang, person):
        claim_take(product=product, **WORK, annotator=li)
        assert claim_take(product=product, **WORK, annotator=wang, second_opinion=True).slot == 1
        assert claim_take(product=product, **WORK, annotator=person("superuser"), second_opinion=True).slot == 2

    def test_what_is_released_is_free_at_once(self, product, li, wang):
        claim = claim_take(product=product, **WORK, annotator=li)
        claim_release(claim_id=claim.id, annotator=wang)  # not his
        with pytest.raises(ClaimedError):
            claim_take(product=product, **WORK, annotator=wang)
        claim_release(claim_id=claim.id, annotator=li)
        assert claim_take(product=product, **WORK, annotator=wang).annotator_name == "reviewer"


class TestManyAtOnce:
    @pytest.fixture
    def people(self) -> list[User]:
        return [User.objects.create_user(f"annotator-{number}") for number in range(MANY)]

    def reach(self, people, product, **options) -> tuple[list[Claim], int]:
        """What they get who all reach for it at the same moment, and how many get nothing."""
        barrier = threading.Barrier(len(people))

        def take(user):
            try:
                connections["mongo"].ensure_connection()
                barrier.wait()
                return claim_take(product=product, **WORK, annotator=user, **options)
            except ClaimedError:
                return None
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(people)) as pool:
            got = list(pool.map(take, people))
        return [claim for claim in got if claim], got.count(None)

    @pytest.mark.parametrize("overlap", [1, 3])
    def test_exactly_as_many_get_it_as_are_wanted(self, people, product, overlap):
        got, without = self.reach(people, product, overlap=overlap)
        assert sorted(claim.slot for claim in got) == list(range(overlap))
        assert without == MANY - overlap
        kept = {claim.slot: claim.annotator_id for claim in Claim.objects.all()}
        assert kept == {claim.slot: claim.annotator_id for claim in got}

    @pytest.mark.parametrize("overlap", [1, 3])
    def test_exactly_as_many_take_over_what_has_expired(self, people, product, li, overlap):
        for number in range(overlap):
            claim_take(product=product, **WORK, annotator=User.objects.create_user(f"gone-{number}"), overlap=overlap)
        expire()
        got, without = self.reach(people, product, overlap=overlap)
        assert (len(got), without) == (overlap, MANY - overlap)
        kept = {claim.slot: claim.annotator_id for claim in Claim.objects.all()}
        assert kept == {claim.slot: claim.annotator_id for claim in got}

    def test_one_person_in_many_tabs_has_one(self, product, li):
        got, without = self.reach([li] * MANY, product, overlap=5)
        assert (len(got), without) == (MANY, 0)
        assert Claim.objects.count() == 1

    def test_all_second_opinions_have_slots_of_their_own(self, people, product):
        got, without = self.reach(people, product, second_opinion=True)
        assert without == 0
        assert sorted(claim.slot for claim in got) == list(range(MANY))


class TestSubmit:
    @pytest.fixture
    def listing(self):
        return make_listing()

    def test_a_submission_is_the_claims_record(self, li, listing):
        made = submit(li, [listing], matched=[listing])
        claim = Claim.objects.get()
        assert (claim.submission_id, claim.annotator_name) == (made.id, "annotator")

    def test_so_is_a_skip(self, product, li, wang):
        made = submit(li, skip_reason="keyword")
        assert Claim.objects.get().submission_id == made.id
        with pytest.raises(ClaimedError, match=r"annotator skipped this on .*: the keyword does not fit"):
            claim_take(product=product, **WORK, annotator=wang)

    def test_what_another_holds_is_refused_and_nothing_written(self, product, li, wang, listing):
        claim_take(product=product, **WORK, annotator=li)
        with pytest.raises(ClaimedError):
            submit(wang, [listing], matched=[listing])
        assert not Submission.objects.exists()

    def test_as_a_second_opinion_it_is_saved(self, li, wang, listing):
        submit(li, [listing], matched=[listing])
        made = submit(wang, [listing], matched=[listing], second_opinion=True)
        assert Claim.objects.get(slot=1).submission_id == made.id
        assert Label.objects.count() == 2
        submit(wang, [listing], matched=[listing])  # who has a slot needs not ask again

    def test_a_task_makes_room_for_as_many_as_it_wants(self, product, li, wang, person, listing):
        made = task(product, overlap=2)
        for one in (li, wang):
            assert submit(one, [listing], matched=[listing]).task_id == made.id
        with pytest.raises(ClaimedError):
            submit(person("superuser"), [listing], matched=[listing])

    def test_one_may_submit_more_of_the_same(self, li, listing):
        submit(li, [listing], matched=[listing])
        last = submit(li, [listing], refused=[listing])
        assert Claim.objects.get().submission_id == last.id

    def test_an_expired_claim_that_nobody_took_over_is_no_hindrance(self, product, li, listing):
        claim_take(product=product, **WORK, annotator=li)
        expire()
        submit(li, [listing], matched=[listing])

    def test_taking_it_back_frees_it(self, product, li, wang, listing):
        made = submit(li, [listing], matched=[listing])
        submission_undo(submission_id=made.id, annotator=li)
        assert claim_take(product=product, **WORK, annotator=wang).submission_id == ""

    def test_taking_the_last_of_two_back_leaves_the_first_on_record(self, product, li, wang, listing):
        first = submit(li, [listing], matched=[listing])
        second = submit(li, [listing], refused=[listing], keyword=" JUICE")
        submission_undo(submission_id=second.id, annotator=li)
        assert Claim.objects.get().submission_id == first.id
        submission_undo(submission_id=first.id, annotator=li)
        claim_take(product=product, **WORK, annotator=wang)

    def test_one_that_was_resumed_after_its_claim_was_replaced_is_recorded_beside_it(self, product, li, wang, listing):
        made = submit(li, [listing], matched=[listing])
        Claim.objects.all().delete()
        claim_take(product=product, **WORK, annotator=wang)
        for _ in range(2):
            follow_submission(made)
        assert {claim.slot: claim.submission_id for claim in Claim.objects.all()} == {0: "", 1: made.id}


class TestPage:
    """`/annotation/claim/`, and what a submit says."""

    url = "/annotation/claim/"

    def ask(self, client: Client, **changes):
        return client.post(self.url, {"product": PRODUCT, **WORK} | changes, **HTMX)

    def submission(self, listing, **changes) -> dict:
        values = {"submission": "s-1", "product": PRODUCT, **WORK, "pages": "1"}
        return values | {"shown": listing.id, "listing": listing.id} | changes

    def test_it_takes_the_claim_and_says_until_when(self, sign_in, product):
        page = self.ask(sign_in("annotator")).content.decode()
        claim = Claim.objects.get()
        assert f'data-claim="{claim.id}"' in page
        assert f"Yours until {timezone.localtime(claim.expires_at):%H:%M}." in page

    def test_it_says_who_is_at_it(self, sign_in, product, li):
        claim = claim_take(product=product, **WORK, annotator=li)
        page = self.ask(sign_in("reviewer")).content.decode()
        assert f"annotator has been at this since {timezone.localtime(claim.claimed_at):%H:%M}." in page
        assert Claim.objects.count() == 1

    def test_nothing_is_claimed_until_both_are_known(self, sign_in, product):
        client = sign_in("annotator")
        for changes in ({"product": ""}, {"product": "Alpha"}, {"keyword": ""}, {"source": ""}):
            answer = self.ask(client, **changes)
            assert (answer.status_code, answer.content.decode().strip()) == (200, "")
        assert not Claim.objects.exists()

    def test_the_one_held_before_is_released(self, sign_in, product, wang):
        client = sign_in("annotator")
        self.ask(client)
        held = Claim.objects.get().id
        self.ask(client, held=held)  # the same work: it stays
        with pytest.raises(ClaimedError):
            claim_take(product=product, **WORK, annotator=wang)
        self.ask(client, keyword="milk", held=held)
        assert claim_take(product=product, **WORK, annotator=wang).id == held
        self.ask(client, held=held)  # somebody else's by now
        assert Claim.objects.get(id=held).annotator_id == wang.pk

    @pytest.mark.parametrize("field", ["product", "keyword", "source", "held"])
    def test_bad_input_is_a_422(self, sign_in, product, field):
        assert self.ask(sign_in("annotator"), **{field: "x" * 201}).status_code == 422
        assert not Claim.objects.exists()

    @pytest.mark.parametrize("role", ["nobody", "evaluator"])
    def test_only_annotators_may(self, sign_in, role):
        assert self.ask(sign_in(role)).status_code == 403

    def test_a_submit_is_refused_with_a_way_on(self, sign_in, product, li):
        claim_take(product=product, **WORK, annotator=li)
        client, listing = sign_in("reviewer"), make_listing()
        answer = client.post(reverse("annotation:submit"), self.submission(listing), **HTMX)
        page = answer.content.decode()
        assert (answer.status_code, answer["HX-Retarget"]) == (422, "#messages")
        assert "annotator has been at this since" in page
        assert 'form="submission" name="second_opinion" value="1"' in page
        assert not Submission.objects.exists()
        answer = client.post(reverse("annotation:submit"), self.submission(listing, second_opinion="1"), **HTMX)
        assert answer.status_code == 200
        assert Label.objects.count() == 1

    def test_without_a_script_the_refusal_carries_all_that_was_sent(self, sign_in, product, li):
        claim_take(product=product, **WORK, annotator=li)
        client, listing = sign_in("reviewer"), make_listing()
        data = self.submission(listing, keyword="juice", suggested_by='"><script>')
        page = client.post(reverse("annotation:submit"), data).content.decode()
        for name, value in self.submission(listing).items():
            assert f'<input type="hidden" name="{name}" value="{value}">' in page
        assert '"><script>' not in page

    def test_the_api_says_conflict_and_takes_a_second_opinion(self, sign_in, product, li, source):
        claim_take(product=product, **WORK, annotator=li)
        client, listing = sign_in("reviewer"), make_listing()
        body = {"submission": "s-1", "product": product.id, **WORK, "listings": ids([listing])}
        answer = client.post("/api/labels", body, "application/json")
        assert answer.status_code == 409
        assert "annotator has been at this since" in answer.json()["detail"]
        body["second_opinion"] = True
        assert client.post("/api/labels", body, "application/json").status_code == 201

    def test_a_reviewer_frees_it_in_the_admin(self, sign_in, product, li, wang):
        claim = claim_take(product=product, **WORK, annotator=li)
        client = sign_in("reviewer")
        assert PRODUCT in client.get(reverse("admin:annotation_claim_changelist")).content.decode()
        client.post(reverse("admin:annotation_claim_delete", args=[claim.id]), {"post": "yes"})
        assert claim_take(product=product, **WORK, annotator=wang).annotator_name == "reviewer"
