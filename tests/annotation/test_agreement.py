"""How far annotators agree: the coefficients, what they are computed from, and the page."""

import json
import random

import pytest
from celery import current_app
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from annotation import agreement
from annotation.agreement import agreement_compute, agreement_figures, cohen_kappa, krippendorff_alpha
from annotation.agreement_page import in_words
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission

PAGE = "/admin/annotation/submission/agreement/"
mongo = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def items_of(*coders: str) -> dict[str, dict[int, bool]]:
    """Each string is one annotator's words over the items in order: 1, 0, or - for none."""
    return {
        str(place): {coder: word == "1" for coder, word in enumerate(words) if word != "-"}
        for place, words in enumerate(zip(*coders, strict=True))
    }


def test_alpha_of_krippendorffs_own_example():
    # K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section A: Meg and Owen on ten articles.
    # n0 = 14, n1 = 6, four disagreements: 1 - 19 * 4 / (14 * 6)
    alpha = krippendorff_alpha(items_of("0100000010", "1110010000"))
    assert alpha == pytest.approx(1 - 19 * 4 / (14 * 6))
    assert round(alpha, 3) == 0.095


def test_alpha_leaves_out_what_one_annotator_alone_said():
    both = krippendorff_alpha(items_of("0101", "0111"))
    assert krippendorff_alpha(items_of("010111", "0111--")) == pytest.approx(both)


def test_kappa_of_a_table_computed_by_hand():
    # Cohen (1960), equation 1: both yes 20, only the first 5, only the second 10, both no 15; p_o = .7, p_e = .5
    words = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert cohen_kappa(words) == pytest.approx((0.7 - 0.5) / (1 - 0.5))


said = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30)


@given(said, st.randoms(use_true_random=False))
def test_neither_depends_on_the_order_of_the_items(words, order: random.Random):
    shuffled = list(words)
    order.shuffle(shuffled)
    assert cohen_kappa(shuffled) == pytest.approx(cohen_kappa(words))
    assert krippendorff_alpha(_items(shuffled)) == pytest.approx(krippendorff_alpha(_items(words)))


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_perfect_agreement_is_one(words):
    assert cohen_kappa([(word, word) for word in words]) == 1
    assert krippendorff_alpha(_items([(word, word) for word in words])) == 1


@given(said)
def test_neither_exceeds_one_nor_depends_on_who_is_first(words):
    turned = [(b, a) for a, b in words]
    assert cohen_kappa(words) == pytest.approx(cohen_kappa(turned))
    assert cohen_kappa(words) <= 1
    assert krippendorff_alpha(_items(words)) <= 1


def _items(words):
    return {str(place): dict(enumerate(pair)) for place, pair in enumerate(words)}


def test_in_words():
    assert [in_words(value) for value in (-0.4, 0.1, 0.4, 0.5, 0.7, 0.9)] == [
        "no better than chance", "hardly better than chance", "weak", "moderate", "good", "very good",
    ]  # fmt: skip


# --- from submissions


@pytest.fixture(autouse=True)
def queued(monkeypatch, request):
    asked: list[str] = []
    if request.node.get_closest_marker("django_db"):
        cache.clear()
        monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **options: asked.append(name))
    return asked


@mongo
def test_figures_by_product_and_pair(person):
    ann, bob = person("annotator"), person("administrator")
    product, other = make_product(), make_product("Beta Tea")
    listings = [make_listing(str(number)) for number in range(6)]
    make_submission(product, listings, by=ann, matched=listings[:2], unsure=[listings[4]], ago=9)
    make_submission(product, listings, by=bob, matched=listings[:1], refused=[listings[1]])
    make_submission(product, listings, by=person("reviewer"), skip_reason="unclear")  # says nothing of them
    make_submission(other, listings, by=ann, matched=listings)  # nobody else
    assert agreement_compute()
    figures = agreement_figures()
    assert figures is not None
    words = [(True, True), (True, False), (False, False), (False, False), (False, False)]
    [row] = figures["products"]
    assert (row["name"], row["listings"], row["annotators"]) == (product.name, 5, 2)
    assert row["alpha"] == pytest.approx(krippendorff_alpha(_items(words)))
    [pair] = figures["pairs"]
    assert {pair["first"], pair["second"]} == {"annotator", "administrator"}
    assert (pair["listings"], pair["raw"]) == (5, 0.8)
    assert pair["kappa"] == pytest.approx(cohen_kappa(words))
    assert (figures["count"], figures["unsure"]) == (5, 1)
    json.dumps(figures)


@mongo
def test_what_was_taken_back_does_not_count(person):
    from django.utils import timezone

    product, listing = make_product(), make_listing()
    make_submission(product, [listing], by=person("annotator"), matched=[listing])
    make_submission(product, [listing], by=person("reviewer"), matched=[listing], cancelled_at=timezone.now())
    agreement_compute()
    figures = agreement_figures()
    assert figures is not None
    assert figures["count"] == 0


# --- the page


@mongo
def test_the_page_before_while_and_after(sign_in, person, queued):
    client = sign_in("reviewer")
    assert "Nothing is computed yet." in client.get(PAGE).content.decode()
    for _twice in range(2):
        assert client.post(PAGE).url == PAGE
    assert queued == ["annotation.tasks.compute_agreement"]
    page = client.get(PAGE).content.decode()
    assert "Waiting for a worker." in page
    assert "hx-get" in page
    assert client.get(f"{PAGE}progress/").status_code == 200
    product, listing = make_product('<img src=x onerror="alert(1)">'), make_listing()
    for who in ("annotator", "administrator"):
        make_submission(product, [listing], by=person(who), matched=[listing])
    assert agreement_compute()
    assert client.get(f"{PAGE}progress/")["HX-Refresh"] == "true"  # the page loads itself anew, with the figures
    page = client.get(PAGE).content.decode()
    assert "from 1 listing that several annotators judged" in page
    assert "very good" in page
    assert "100 %" in page
    assert "<img src=x" not in page
    assert "Compute again" in page


@mongo
def test_one_worker_computes_at_a_time_and_a_silent_one_is_passed_over(monkeypatch, queued):
    second: list[bool] = []
    monkeypatch.setattr(agreement, "items_of_several", lambda: second.append(agreement_compute()) or [])
    assert agreement_compute()
    assert second == [False]
    agreement.agreement_start()
    monkeypatch.setattr(agreement, "SILENT_AFTER", agreement.SILENT_AFTER * 0)
    agreement.agreement_start()
    assert len(queued) == 2


@mongo
@pytest.mark.parametrize("query", ["?products=999&pairs=x", "?products=-1"])
def test_a_page_that_is_not_there_shows_the_nearest(sign_in, query):
    agreement_compute()
    assert sign_in("reviewer").get(PAGE + query).status_code == 200


@mongo
def test_an_operator_sees_none(sign_in):
    client = sign_in("operator")
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code == 403
    assert client.get(f"{PAGE}progress/").status_code == 403
