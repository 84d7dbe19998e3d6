"""The review page: its queue, its verdicts, who may, and two reviewers at once."""

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Label, LabelChange
from annotation.reviews import labels_review
from tests.annotation.labelled import make_labels

URL = "/admin/annotation/label/review/"
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(autouse=True)
def _fresh_choices():
    cache.clear()


@pytest.fixture
def labels(person):
    return make_labels(["first", "second", "third"], annotator=person("annotator"))


def shown(answer) -> Label | None:
    return answer.context["label"]


def decide(client, label: Label, what: str, *, query: str = "", **fields):
    data = {"do": what, "label": label.id, "seen": label.changes} | fields
    return client.post(f"{URL}{query}", data, follow=True)


def test_the_address_is_inside_the_admin():
    assert reverse("admin:annotation_label_review") == URL


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_who_is_no_reviewer_is_kept_out(sign_in, labels, role):
    client = sign_in(role)
    assert "login" in client.get(URL)["Location"]
    client.post(URL, {"do": "approve", "label": labels[0].id, "seen": 0})
    assert not LabelChange.objects.exists()


def test_an_operator_reviews_nothing(sign_in, labels):
    client = sign_in("operator")
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"do": "approve", "label": labels[0].id, "seen": 0}).status_code == 403
    assert not LabelChange.objects.exists()


def test_the_oldest_label_comes_first_with_how_many_are_left(sign_in, labels):
    answer = sign_in("reviewer").get(URL)
    assert shown(answer) == labels[0]
    page = answer.content.decode()
    assert "3 left" in page
    assert labels[1].image_sha256 in page  # the next picture is fetched ahead


def test_a_verdict_leads_to_the_next_label(sign_in, labels):
    client = sign_in("reviewer")
    answer = decide(client, labels[0], "approve")
    assert shown(answer) == labels[1]
    answer = decide(client, labels[1], "reject", reason="variant", note="2 L")
    assert shown(answer) == labels[2]
    assert "1 left" in answer.content.decode()
    assert [label.review for label in Label.objects.order_by("created_at", "id")] == ["approved", "rejected", "pending"]
    assert "Nothing is left" in decide(client, labels[2], "approve").content.decode()


def test_a_rejection_without_a_reason_keeps_what_was_typed(sign_in, labels):
    answer = sign_in("reviewer").post(URL, {"do": "reject", "label": labels[0].id, "seen": 0, "note": "a note"})
    assert answer.status_code == 422
    assert "Choose why it is rejected." in answer.content.decode()
    assert 'value="a note"' in answer.content.decode()
    assert not LabelChange.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"do": "approve"},
        {"do": "approve", "label": "x", "seen": "-1"},
        {"do": "explode", "label": "x", "seen": "0"},
    ],
)
def test_what_makes_no_sense_saves_nothing(sign_in, labels, data):
    answer = sign_in("reviewer").post(URL, data, follow=True)
    assert "nothing was saved" in answer.content.decode()
    assert not LabelChange.objects.exists()


@pytest.mark.parametrize("query", ["annotator=abc", "product=", "after=gone", f"source={'x' * 99}", "label=gone"])
def test_an_address_that_makes_no_sense_shows_the_queue(sign_in, labels, query):
    assert shown(sign_in("reviewer").get(f"{URL}?{query}")) == labels[0]


def test_filters_narrow_the_queue_and_stay_in_the_address(sign_in, labels, person):
    other = make_labels(["tea 1", "tea 2"], annotator=person("superuser"), product="Tea")
    client = sign_in("reviewer")
    query = f"?product=tea&annotator={person('superuser').pk}&source=demo-shop"
    assert shown(client.get(f"{URL}{query}")) == other[0]
    answer = decide(client, other[0], "approve", query=query)
    assert shown(answer) == other[1]
    assert "product=tea" in answer.redirect_chain[0][0]
    assert "Nothing is left" in decide(client, other[1], "approve", query=query).content.decode()


def test_next_gives_no_verdict_and_comes_round_again(sign_in, labels):
    client = sign_in("reviewer")
    assert shown(client.get(f"{URL}?after={labels[0].id}")) == labels[1]
    assert shown(client.get(f"{URL}?after={labels[2].id}")) == labels[0]
    assert not LabelChange.objects.exists()


def test_a_skipped_label_is_left_to_others(sign_in, labels):
    client = sign_in("reviewer")
    for label in labels:
        answer = decide(client, label, "skip")
    assert "Only labels that you skipped are left." in answer.content.decode()
    assert shown(sign_in("superuser").get(URL)) == labels[0]
    assert shown(client.post(URL, {"do": "unskip"}, follow=True)) == labels[0]


def test_undo_brings_the_last_labels_back_one_by_one(sign_in, labels):
    client = sign_in("reviewer")
    decide(client, labels[0], "approve")
    answer = decide(client, labels[1], "approve")
    for label in (labels[1], labels[0]):
        answer = client.post(URL, {"do": "undo", "change": answer.context["last"].id}, follow=True)
        assert shown(answer) == label
    assert answer.context["last"] is None
    assert Label.objects.filter(review="pending").count() == 3
    assert "nothing to undo" in client.post(URL, {"do": "undo", "change": "x"}, follow=True).content.decode()


def test_a_label_reviewed_by_somebody_else_meanwhile_is_told(sign_in, labels, person):
    client = sign_in("reviewer")
    client.get(URL)
    labels_review(label_ids=[labels[0].id], review="approved", reviewer=person("superuser"))
    answer = decide(client, labels[0], "reject", reason="other")
    page = answer.content.decode()
    assert "Somebody was faster: superuser" in page
    assert shown(answer) == labels[0]  # with its verdict, which can now be changed knowingly
    assert Label.objects.get(id=labels[0].id).review == "approved"


def test_a_second_click_changes_nothing_more(sign_in, labels):
    client = sign_in("reviewer")
    decide(client, labels[0], "approve")
    assert shown(decide(client, labels[0], "approve")) == labels[1]
    assert LabelChange.objects.count() == 1


def test_a_label_that_is_gone_is_told(sign_in, labels):
    Label.objects.filter(id=labels[0].id).delete()
    answer = decide(sign_in("reviewer"), labels[0], "approve")
    assert "not there any more" in answer.content.decode()


def test_hostile_text_is_inert(sign_in, person):
    url = "javascript:alert(1)"
    make_labels([HOSTILE], annotator=person("annotator"), url=url, shop_url=url, shop_name=HOSTILE)
    label = Label.objects.get()
    labels_review(label_ids=[label.id], review="rejected", reason="other", note=HOSTILE, reviewer=person("reviewer"))
    page = sign_in("reviewer").get(f"{URL}?label={label.id}").content.decode()
    assert HOSTILE not in page
    assert "&lt;img src=x" in page
    assert "javascript:" not in page


def test_other_labels_of_the_listing_are_shown(sign_in, labels, person):
    Label.objects.create(
        id="other", listing_id=labels[0].listing_id, product_name="Tea", annotator_id=9, annotator_name="zoe",
        created_at=labels[0].created_at, review="approved",
    )  # fmt: skip
    assert "Tea: zoe, approved" in sign_in("reviewer").get(URL).content.decode()


def test_the_number_of_queries_does_not_grow(sign_in, labels, person):
    client = sign_in("reviewer")

    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connections["mongo"]) as mongo, CaptureQueriesContext(connections["default"]) as sql:
            client.get(URL)
        return len(mongo) + len(sql)

    client.get(URL)
    few = queries()
    make_labels([f"title {n}" for n in range(30)], annotator=person("annotator"))
    assert queries() == few
    assert few <= 15
