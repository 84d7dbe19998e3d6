"""What reviewers see of the model's opinion, beside the annotator's label."""

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotation.models import Label, Product
from tests.evaluation.factories import make_catalogue, make_label, make_listing, make_model
from tests.evaluation.test_suggestions import say

LIST, REVIEW = "/admin/annotation/label/", "/admin/annotation/label/review/"


@pytest.fixture(autouse=True)
def _fresh_choices():
    cache.clear()


@pytest.fixture
def labels(person) -> list[Label]:
    product = make_catalogue()[0]
    return [make_label(make_listing(number), product, review="pending") for number in range(3)]


def text(answer) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


WORDS = ["agrees, 93 %", "disagrees: Tea 1, 80 %", "could not say"]


@pytest.fixture
def with_opinions(labels):
    model = make_model("model 7")
    for label, product, confidence in zip(labels, ["tea-0", "tea-1", ""], [0.93, 0.8, 0.0], strict=True):
        say(label.listing_id, product, confidence, model=model)
    return labels


def test_the_list_says_whether_the_model_agrees(sign_in, with_opinions):
    page = text(sign_in("reviewer").get(LIST))
    for words in WORDS:
        assert words in page


def test_the_review_page_and_the_labels_own_page_say_it(sign_in, with_opinions):
    client = sign_in("reviewer")
    for label, words in zip(with_opinions, WORDS, strict=True):
        assert f"model 7: {words}" in text(client.get(REVIEW, {"label": label.id}))
        assert words in text(client.get(f"{LIST}{label.id}/change/"))


def test_the_review_page_says_that_the_annotator_saw_a_suggestion(sign_in, with_opinions):
    Label.objects.filter(id=with_opinions[0].id).update(suggested_by="<b>model 6</b>")
    page = text(sign_in("reviewer").get(REVIEW, {"label": with_opinions[0].id}))
    assert "the annotator saw it ticked by &lt;b&gt;model 6" in page


def test_without_a_model_there_is_no_opinion(sign_in, labels):
    client = sign_in("reviewer")
    assert 'id="opinion"' not in text(client.get(REVIEW, {"label": labels[0].id}))
    assert "agrees" not in text(client.get(LIST))


def test_the_number_of_queries_does_not_grow_with_the_labels(sign_in, with_opinions):
    client = sign_in("reviewer")
    client.get(LIST)

    def queries() -> int:
        with CaptureQueriesContext(connections["mongo"]) as mongo:
            client.get(LIST)
        return len(mongo)

    few = queries()
    product = Product.objects.get(id="tea-0")
    model = make_model("model 7")
    for number in range(100, 120):
        listing = make_listing(number)
        make_label(listing, product, review="pending")
        say(listing.id, "tea-0", 0.9, model=model)
    assert queries() == few
