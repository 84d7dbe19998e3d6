"""What annotators read of the rejections of their own labels."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.reviews import labels_review
from tests.annotation.labelled import make_labels

HOSTILE = "<script>alert(1)</script>"


def page(client, **query) -> str:
    answer = client.get(reverse("annotation:feedback"), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def reject(person):
    """`reject(titles, annotator="annotator", …)`: labels that a reviewer has rejected."""

    def make(titles, *, annotator="annotator", note=""):
        labels = make_labels(titles, annotator=person(annotator))
        ids = [label.id for label in labels]
        labels_review(label_ids=ids, review="rejected", reason="variant", note=note, reviewer=person("superuser"))
        return labels

    return make


@pytest.mark.parametrize("role", ["nobody", "evaluator", "operator"])
def test_only_annotators_may_read_it(sign_in, role):
    assert sign_in(role).get(reverse("annotation:feedback")).status_code == 403


def test_strangers_are_sent_to_the_login(client, db):
    assert client.get(reverse("annotation:feedback"))["Location"].startswith(reverse("login"))


def test_nothing_can_be_posted(sign_in):
    assert sign_in("annotator").post(reverse("annotation:feedback")).status_code == 405


def test_it_lists_reason_and_note(sign_in, reject):
    reject(["orange juice"], note="the 2 L bottle")
    text = page(sign_in("annotator"))
    for part in ("orange juice", "Alpha Orange Juice", "wrong variant or size", "the 2 L bottle"):
        assert part in text


def test_annotators_see_only_their_own(sign_in, reject):
    reject(["of the reviewer"], annotator="reviewer")
    assert "of the reviewer" not in page(sign_in("annotator"))


def test_hostile_titles_and_notes_are_inert(sign_in, reject):
    reject([HOSTILE], note=HOSTILE)
    text = page(sign_in("annotator"))
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)" in text


def test_what_is_new_is_counted_in_the_navigation_until_it_is_read(sign_in, reject):
    client = sign_in("annotator")
    reject(["a", "b"])
    badge = '<span class="badge bad">2</span>'
    assert badge in client.get(reverse("annotation:search")).content.decode()
    page(client)
    assert badge not in client.get(reverse("annotation:search")).content.decode()


@pytest.mark.parametrize("number", ["x", "0", "99"])
def test_a_page_that_is_not_there_shows_another(sign_in, reject, number):
    reject(["a"])
    assert page(sign_in("annotator"), page=number).count('class="card"') == 1


def test_it_is_paged_with_a_constant_number_of_queries(sign_in, reject):
    client = sign_in("annotator")
    reject(["a"])
    page(client)

    def queries() -> int:
        with CaptureQueriesContext(connections["mongo"]) as captured:
            page(client)
        return len(captured)

    few = queries()
    reject([f"title {n}" for n in range(30)])
    assert queries() == few
    assert "1 / 2" in page(client)
    assert page(client, page="2").count('class="card"') == 7
