"""The pages of disputes in the admin."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotation.models import Dispute, Label
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

URL = "/admin/annotation/dispute/decide/"
LIST = "/admin/annotation/dispute/"
HOSTILE = '<img src=x onerror="alert(1)">'


def make_disputes(person, titles) -> list[Dispute]:
    product, listings = make_product(), [make_listing(title) for title in titles]
    for number, listing in enumerate(listings):
        make_submission(product, [listing], by=person("annotator"), matched=[listing], ago=100 - number)
        make_submission(product, [listing], by=person("administrator"), refused=[listing], ago=50 - number)
    return list(Dispute.objects.order_by("opened_at", "id"))


@pytest.fixture
def disputes(person):
    return make_disputes(person, ["first", "second", "third"])


def decide(client, dispute: Dispute, what: str, *, query: str = "", **fields):
    return client.post(f"{URL}{query}", {"do": what, "dispute": dispute.id} | fields, follow=True)


def test_the_oldest_comes_first_with_who_said_what(sign_in, disputes):
    answer = sign_in("reviewer").get(URL)
    page = answer.content.decode()
    assert answer.context["dispute"] == disputes[0]
    assert "3 left" in page
    assert "<b>annotator</b>: match" in page
    assert "<b>administrator</b>: no match" in page
    assert disputes[1].image_sha256 in page  # fetched ahead


def test_a_decision_leads_to_the_next(sign_in, disputes):
    client = sign_in("reviewer")
    answer = decide(client, disputes[0], "yes")
    assert answer.context["dispute"] == disputes[1]
    answer = decide(client, disputes[1], "no", note="another size")
    assert answer.context["dispute"] == disputes[2]
    assert "does not show the product · second" in answer.content.decode()
    reviews = {label.title: (label.review, label.review_note) for label in Label.objects.all()}
    assert reviews["first"] == ("approved", "")
    assert reviews["second"] == ("rejected", "another size")
    assert reviews["third"] == ("pending", "")


def test_undo_shows_it_again(sign_in, disputes):
    client = sign_in("reviewer")
    decide(client, disputes[0], "yes")
    answer = decide(client, disputes[0], "undo")
    assert answer.context["dispute"] == disputes[0]
    assert "3 left" in answer.content.decode()


def test_skipped_ones_come_no_more_until_asked_for(sign_in, disputes):
    client = sign_in("reviewer")
    for dispute in disputes:
        answer = decide(client, dispute, "skip")
    assert answer.context["dispute"] is None
    assert "Only disputes that you skipped are left." in answer.content.decode()
    assert client.post(URL, {"do": "unskip"}, follow=True).context["dispute"] == disputes[0]


def test_whoever_comes_second_is_told(sign_in, disputes):
    decide(sign_in("reviewer"), disputes[0], "yes")
    answer = decide(sign_in("superuser"), disputes[0], "no")
    assert "Somebody was faster: reviewer has decided “shows the product”" in answer.content.decode()
    assert Label.objects.get(title="first").review == "approved"


def test_a_dispute_that_is_over_is_told(sign_in, disputes):
    Dispute.objects.filter(id=disputes[0].id).delete()
    client = sign_in("reviewer")
    assert "That dispute is over" in decide(client, disputes[0], "yes").content.decode()
    assert "That dispute is over" in client.get(f"{URL}?dispute={disputes[0].id}").content.decode()


@pytest.mark.parametrize(
    "data", [{}, {"do": "yes"}, {"do": "drop", "dispute": "x"}, {"do": "yes", "dispute": "x" * 99}]
)
def test_what_makes_no_sense_saves_nothing(sign_in, disputes, data):
    answer = sign_in("reviewer").post(URL, data, follow=True)
    assert "nothing was saved" in answer.content.decode()
    assert Dispute.objects.filter(state="pending").count() == 3


def test_a_note_that_is_too_long_is_told_and_kept(sign_in, disputes):
    note = "x" * 501
    answer = sign_in("reviewer").post(URL, {"do": "no", "dispute": disputes[0].id, "note": note})
    assert answer.status_code == 422
    assert note in answer.content.decode()
    assert Dispute.objects.filter(state="pending").count() == 3


def test_an_operator_decides_nothing(sign_in, disputes):
    client = sign_in("operator")
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"do": "yes", "dispute": disputes[0].id}).status_code == 403


def test_titles_are_inert_and_the_pages_cost_the_same_for_more(sign_in, person):
    [dispute] = make_disputes(person, [HOSTILE])
    client = sign_in("reviewer")
    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connections["mongo"]) as queries:
            pages = [client.get(one).content.decode() for one in (URL, LIST, f"{LIST}{dispute.id}/change/")]
        counts.append(len(queries))
        assert all(HOSTILE not in page and "onerror" in page for page in pages)
        later = dispute.opened_at + timedelta(minutes=1)  # so that the page goes on showing the first
        fields = {"product_id": "p", "product_name": "P", "source": "s", "title": "t", "url": "", "said": dispute.said}
        Dispute.objects.bulk_create(
            [Dispute(id=f"d{turn}-{n}", listing_id=f"l{n}", opened_at=later, **fields) for n in range(30)]
        )
    assert counts[1] <= counts[0]


def test_the_list_filters_by_state(sign_in, disputes):
    client = sign_in("reviewer")
    decide(client, disputes[0], "yes")
    page = client.get(f"{LIST}?state__exact=done").content.decode()
    assert "Decide one by one" in page
    assert "first" in page
    assert "second" not in page
