"""Claims against a few lines of obvious Python: whatever annotators do one after the other, both say the same."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.claims import ClaimedError, claim_release, claim_take
from annotation.models import Claim, Label, Product, Submission, Task
from annotation.undo import submission_undo
from tests.annotation.factories import make_listing, make_product
from tests.annotation.submitted import submit

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

WORK = {"source": "demo-shop", "keyword": "juice"}
LIVE, EXPIRED, SUBMITTED = "live", "expired", "submitted"
actions = st.lists(
    st.tuples(st.sampled_from(["take", "take", "submit", "undo", "release", "expire"]), st.integers(0, 2)), max_size=10
)


class Slots:
    """The oracle: who sits in which slot, and how."""

    def __init__(self, overlap: int) -> None:
        self.slots: list[tuple[int, str] | None] = [None] * overlap

    def own(self, who: int) -> int | None:
        return next((place for place, slot in enumerate(self.slots) if slot and slot[0] == who), None)

    def take(self, who: int) -> bool:
        place = self.own(who)
        if place is None:
            place = next((n for n, slot in enumerate(self.slots) if slot is None or slot[1] == EXPIRED), None)
        if place is None:
            return False
        if self.slots[place] != (who, SUBMITTED):
            self.slots[place] = (who, LIVE)
        return True

    def turn(self, who: int, state: str, *, only: str = "") -> None:
        place = self.own(who)
        if place is not None and only in ("", self.slots[place][1]):
            self.slots[place] = (who, state)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions, st.integers(1, 2))
def test_claims_do_what_the_oracle_does(steps, overlap):
    for model in (Claim, Label, Product, Submission, Task):
        model.objects.all().delete()
    people = [User.objects.get_or_create(username=f"annotator-{number}")[0] for number in range(3)]
    product, listing = make_product(), make_listing()
    task_id = Task.make_id(product_id=product.id, **WORK)
    Task(id=task_id, product_id=product.id, overlap=overlap, created_at=timezone.now(), **WORK).save()
    oracle, standing = Slots(overlap), {who: [] for who in range(3)}
    for action, who in steps:
        if action in ("take", "submit"):
            try:
                if action == "take":
                    claim_take(product=product, **WORK, annotator=people[who], overlap=overlap)
                else:
                    standing[who].append(submit(people[who], [listing], matched=[listing]).id)
            except ClaimedError:
                assert not oracle.take(who)
            else:
                assert oracle.take(who)
                if action == "submit":
                    oracle.turn(who, SUBMITTED)
        elif action == "undo" and standing[who]:
            submission_undo(submission_id=standing[who].pop(), annotator=people[who])
            oracle.turn(who, SUBMITTED if standing[who] else EXPIRED)
        elif action == "release":
            for claim in Claim.objects.filter(annotator_id=people[who].pk):
                claim_release(claim_id=claim.id, annotator=people[who])
            oracle.turn(who, EXPIRED, only=LIVE)
        elif action == "expire":
            Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
            for one in range(3):
                oracle.turn(one, EXPIRED, only=LIVE)
        _agree(oracle, people, standing)


def _agree(oracle: Slots, people: list[User], standing: dict[int, list[str]]) -> None:
    who = {user.pk: number for number, user in enumerate(people)}
    now = timezone.now()
    slots: list[tuple[int, str] | None] = [None] * len(oracle.slots)
    for claim in Claim.objects.all():
        state = SUBMITTED if claim.submission_id else EXPIRED if claim.expires_at <= now else LIVE
        slots[claim.slot] = (who[claim.annotator_id], state)
        if claim.submission_id:
            assert claim.submission_id == standing[who[claim.annotator_id]][-1]
    assert slots == oracle.slots
    assert Label.objects.count() == sum(map(len, standing.values()))
