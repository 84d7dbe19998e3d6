"""Lists of the admin over many documents: the values to filter by, the count, the search."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Label
from mmproject import admin_lists
from tests.annotation.labelled import make_labels

pytestmark = pytest.mark.django_db(databases=["default", "mongo"])
LIST = "/admin/annotation/label/"


@pytest.fixture
def reviewer(sign_in):
    return sign_in("reviewer")


@pytest.fixture
def labels(person) -> list[Label]:
    made = make_labels(["orange one", "orange two", "milk"], annotator=person("annotator"))
    make_labels(["far away"], annotator=person("reviewer"), product="Beta Tea", source="other-shop")
    moment = timezone.now()
    for place, label in enumerate(sorted(made, key=lambda label: label.title, reverse=True)):
        Label.objects.filter(id=label.id).update(created_at=moment - timedelta(minutes=place))
    return made


def titles(response) -> list[str]:
    return [label.title for label in response.context["cl"].result_list]


def test_a_filter_offers_the_values_that_there_are(reviewer, labels):
    specs = {spec.title: spec for spec in reviewer.get(LIST).context["cl"].filter_specs}
    assert specs["annotator"].lookup_choices == ["annotator", "reviewer"]
    assert specs["source"].lookup_choices == ["demo-shop", "other-shop"]


def test_a_filter_narrows_the_list_and_its_count(reviewer, labels):
    changes = reviewer.get(LIST, {"source": "other-shop"}).context["cl"]
    assert [label.title for label in changes.result_list] == ["far away"]
    assert changes.result_count == 1


def test_a_filter_of_an_empty_list_offers_nothing(reviewer):
    response = reviewer.get(LIST)
    assert response.status_code == 200
    assert response.context["cl"].result_count == 0


def test_a_list_that_nothing_narrows_is_counted(reviewer, labels):
    assert reviewer.get(LIST).context["cl"].result_count == 4


def test_a_search_keeps_the_order_of_the_list(reviewer, labels):
    assert titles(reviewer.get(LIST, {"q": "orange one"})) == ["orange one"]
    assert [title for title in titles(reviewer.get(LIST, {"q": "o"})) if "orange" in title] == [
        "orange two",
        "orange one",
    ]


def test_a_search_within_a_filter_finds_only_what_it_lets_through(reviewer, labels):
    assert titles(reviewer.get(LIST, {"q": "a", "source": "other-shop"})) == ["far away"]


def test_a_search_looks_through_the_newest_only_and_says_so(reviewer, labels, monkeypatch):
    monkeypatch.setattr(admin_lists, "MAX_LOOKED_AT", 2)
    response = reviewer.get(LIST, {"q": "one"})
    assert titles(response) == ["orange one"]
    assert "Words are looked for in the newest 2 only" in response.content.decode()
    assert titles(reviewer.get(LIST, {"q": "milk"})) == []  # the oldest of four
    within = reviewer.get(LIST, {"q": "milk", "annotator_name": "annotator", "review__exact": "pending"})
    assert "Words are looked for" in within.content.decode()


def test_a_search_that_can_look_through_everything_says_nothing(reviewer, labels):
    assert "Words are looked for" not in reviewer.get(LIST, {"q": "milk"}).content.decode()


def test_a_search_finds_products_among_all_labels_and_in_pinyin(reviewer, labels, person, monkeypatch):
    make_labels(["nothing to see"], annotator=person("annotator"), product="可口可乐")
    Label.objects.filter(title="nothing to see").update(created_at=timezone.now() - timedelta(days=9))
    monkeypatch.setattr(admin_lists, "MAX_LOOKED_AT", 2)
    assert titles(reviewer.get(LIST, {"q": "kekou"})) == ["nothing to see"]
    assert titles(reviewer.get(LIST, {"q": "kekou", "source": "other-shop"})) == []


def test_a_search_that_finds_too_much_says_so(reviewer, labels, monkeypatch):
    monkeypatch.setattr(admin_lists, "MAX_FOUND", 2)
    response = reviewer.get(LIST, {"q": "a"})
    assert response.context["cl"].result_count == 2
    assert "These are the first 2 that match" in response.content.decode()
    assert "These are the first" not in reviewer.get(LIST, {"q": "milk"}).content.decode()
