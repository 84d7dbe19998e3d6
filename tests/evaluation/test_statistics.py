"""/evaluation/statistics/: the figures are those of a naive recount; the table pages and filters."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.models import Product
from evaluation.accuracy import Accuracy
from evaluation.models import Judgment, Verdict
from evaluation.selectors.statistics import statistics
from evaluation.services import days_refresh
from tests.evaluation.factories import make_catalogue, make_judgment, make_listing, make_model

URL = "/evaluation/statistics/"
DATABASES = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

PRODUCTS = [
    Product(id=f"tea-{n}", name=f"Tea {n}", brand_id=[None, "brand-0", "brand-1"][n % 3], brand_name="B")
    for n in range(5)
]
judgments = st.lists(
    st.fixed_dictionaries(
        {
            "predicted": st.sampled_from(PRODUCTS),
            "verdict": st.sampled_from(Verdict.values),
            "right": st.sampled_from([None, *PRODUCTS]),
            "model_id": st.sampled_from(["m1", "m2"]),
            "trained_on": st.booleans(),
            "judged_at": st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 4)).map(  # noqa: DTZ001
                lambda moment: moment.replace(tzinfo=UTC)
            ),
        }
    ),
    max_size=30,
)


def recount(rows):
    """(right, wrong, unsure, brand right, brand wrong), the obvious way."""
    right = wrong = unsure = brand_right = brand_wrong = 0
    for row in rows:
        if row.verdict == "unsure":
            unsure += 1
        elif row.verdict == "right":
            right += 1
            brand_right += 1
        else:
            wrong += 1
            if row.right_brand_id:
                brand_right += row.right_brand_id == row.predicted_brand_id
                brand_wrong += row.right_brand_id != row.predicted_brand_id
    return right, wrong, unsure, brand_right, brand_wrong


def figures_of(row):
    return row.right, row.wrong, row.unsure, row.brand_right, row.brand_wrong


def groups(rows, key):
    kept = {}
    for row in rows:
        kept.setdefault(key(row), []).append(row)
    return {name: recount(members) for name, members in kept.items()}


@DATABASES
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(judgments, st.sampled_from(["", "m1"]))
def test_the_figures_are_those_of_a_recount(drawn, model_id):
    Judgment.objects.all().delete()
    for number, values in enumerate(drawn):
        right = values.pop("right") if values["verdict"] == Verdict.WRONG else values.pop("right") and None
        make_judgment(number, right=right, **values)
    days_refresh()
    rows = [row for row in Judgment.objects.all() if not model_id or row.model_id == model_id]
    fresh = [row for row in rows if not row.trained_on]
    found = statistics(model_id=model_id)
    assert figures_of(found.fresh) == recount(fresh)
    assert figures_of(found.trained_on) == recount([row for row in rows if row.trained_on])
    assert {row.key: figures_of(row) for row in found.by_model} == groups(fresh, lambda row: row.model_id)
    assert {row.key: figures_of(row) for row in found.by_product} == groups(fresh, lambda row: row.predicted_product_id)
    assert {row.key: figures_of(row) for row in found.by_day} == groups(fresh, lambda row: f"{row.judged_at:%Y-%m-%d}")
    assert [row.key for row in found.by_day] == sorted(row.key for row in found.by_day)
    wrong = Counter((row.predicted_product_name, row.right_product_name) for row in fresh if row.verdict == "wrong")
    assert {(row.predicted, row.right): row.count for row in found.mix_ups}.items() <= wrong.items()


def test_the_interval_is_wilsons():
    # Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662; 0 of 20 is 0 to 0.1611.
    accuracy = Accuracy(81, 263)
    assert (round(accuracy.low, 2), round(accuracy.high, 2)) == (25.53, 36.62)
    assert (Accuracy(0, 20).low, round(Accuracy(0, 20).high, 2)) == (0, 16.11)
    assert Accuracy(0, 0).percent == 0


def test_it_shows_accuracy_with_the_number_of_judgments(sign_in):
    products = make_catalogue()
    for number in range(3):
        make_judgment(number, predicted=products[0])
    make_judgment(3, predicted=products[1], verdict=Verdict.WRONG, right=products[0])
    make_judgment(4, predicted=products[1], verdict=Verdict.UNSURE)
    make_judgment(5, predicted=products[1], trained_on=True)
    page = sign_in("evaluator").get(URL).content.decode()
    assert "<b>75.0 %</b>" in page
    assert "3 of 4 judged; 95&nbsp;% interval 30–95&nbsp;%" in page
    assert "6 judgments" in page
    assert "pictures the model knew" in page


def test_without_judgments_it_leads_to_the_test(sign_in):
    page = sign_in("evaluator").get(URL).content.decode()
    assert "Nothing has been judged yet" in page


def test_the_table_pages_and_filters(sign_in):
    product = make_catalogue()[0]
    model = make_model()
    for number in range(60):
        judged_at = timezone.now() - timedelta(minutes=number)
        make_judgment(number, predicted=product, judged_at=judged_at, shop_name=f"shop {number:02}")
    make_judgment(60, predicted=product, verdict=Verdict.UNSURE, model_id=model.id, shop_name="odd shop")
    client = sign_in("evaluator")
    first, second = (client.get(URL, {"page": page}).content.decode() for page in (1, 2))
    assert first.count('class="thumb"') == 50
    assert second.count('class="thumb"') == 11
    assert "shop 00" in first
    assert "shop 59" in second
    only = client.get(URL, {"verdict": "unsure"}).content.decode()
    assert only.count('class="thumb"') == 1
    assert "odd shop" in client.get(URL, {"model": model.id}).content.decode()
    assert "shop 00" not in client.get(URL, {"model": model.id}).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "x"),
        ("verdict", "perhaps"),
        ("since", "yesterday"),
        ("confidence", "90-80"),
        ("pictures", "some"),
        ("by", "title"),
        ("order", "price"),
    ],
)
def test_a_wrong_filter_is_named(sign_in, field, value):
    make_judgment(1, predicted=make_catalogue()[0])
    response = sign_in("evaluator").get(URL, {field: value})
    assert response.status_code == 400
    page = response.content.decode()
    assert f"<b>{field}</b>: “{value}”" in page
    assert page.count('class="thumb"') == 1


def test_a_filter_of_something_unknown_finds_nothing(sign_in):
    make_judgment(1, predicted=make_catalogue()[0])
    page = sign_in("evaluator").get(URL, {"model": '{"$ne": ""}'}).content.decode()
    assert "No judgment matches this filter" in page


def test_hostile_titles_are_data(sign_in):
    product = make_catalogue()[0]
    hostile = "</script><script>alert(1)</script>"
    Product.objects.filter(id=product.id).update(name=hostile)
    product.refresh_from_db()
    listing = make_listing(1, title=hostile)
    make_judgment(1, predicted=product, listing=listing, url="javascript:alert(1)")
    page = sign_in("evaluator").get(URL).content.decode()
    assert "<script>alert" not in page
    assert "javascript:alert" not in page


def test_a_judgment_whose_picture_is_gone_is_in_the_table(sign_in):
    make_judgment(1, predicted=make_catalogue()[0], listing=make_listing(1, title="no picture any more"))
    Judgment.objects.update(image_sha256="")
    assert "no picture any more" in sign_in("evaluator").get(URL).content.decode()


def test_the_number_of_queries_does_not_grow(sign_in):
    product = make_catalogue()[0]
    client = sign_in("evaluator")
    make_judgment(0, predicted=product)
    client.get(URL)  # gives the names their numbers
    counts = set()
    for size in (2, 30):
        for number in range(Judgment.objects.count(), size):
            make_judgment(number, predicted=product)
        with CaptureQueriesContext(connections["mongo"]) as queries:
            client.get(URL)
        counts.add(len(queries))
    assert len(counts) == 1
    assert counts.pop() <= 16


def test_others_may_not(sign_in):
    assert sign_in("annotator").get(URL).status_code == 403
    assert sign_in("evaluator").post(URL).status_code == 405
