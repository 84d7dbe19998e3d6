"""What is most useful to judge next: which listings, in which order, and the way into judging them."""

import pytest
from django.urls import reverse

from evaluation.models import Prediction, PredictionRun
from evaluation.selectors.worth_judging import FEW, Reason, worth_judging
from tests.evaluation.factories import make_catalogue, make_judgment, make_model, make_run

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def products(person):
    """Three, of which the first two have been judged often, on other listings."""
    made = make_catalogue(3)
    for number in range(2 * FEW):
        make_judgment(100 + number, predicted=made[number % 2])
    return made


def positions():
    return [(one.prediction.position, one.reason) for one in worth_judging()]


def unsure(run, position, *, margin):
    top5 = [["tea-0", "Tea 0", 0.5 + margin / 2], ["tea-1", "Tea 1", 0.5 - margin / 2]]
    Prediction.objects.filter(run_id=run.id, position=position).update(top5=top5)


def test_sure_answers_on_well_known_products_are_not_worth_it(person, products):
    make_run(person("evaluator"), [products[0], products[1]])
    assert worth_judging() == []


def test_disagreement_first_then_new_products_then_the_least_sure(person, products):
    run = make_run(person("evaluator"), [products[0], products[0], products[2], products[0]])
    unsure(run, 0, margin=0.2)
    unsure(run, 1, margin=0.1)
    other = make_model("other")
    for row in Prediction.objects.filter(run_id=run.id, position=3):
        row.id, row.model_id, row.product_id, row.product_name = "other", other.id, "tea-1", "Tea 1"
        row.save(force_insert=True)
    found = worth_judging()
    assert [(one.prediction.position, one.reason) for one in found] == [
        (3, Reason.DISAGREE),
        (2, Reason.NEW),
        (1, Reason.UNCERTAIN),
        (0, Reason.UNCERTAIN),
    ]
    assert found[0].prediction.model_id == other.id  # the version in use
    assert found[0].others == ("Tea 0",)
    assert worth_judging(limit=2) == found[:2]


def test_what_was_judged_trained_on_or_said_by_a_retired_version_is_left_out(person, products):
    run = make_run(person("evaluator"), [products[2]] * 3)
    Prediction.objects.filter(position=0).update(trained_on=True)
    judged = Prediction.objects.get(position=1)
    make_judgment(1, predicted=products[2], listing_id=judged.listing_id)
    assert positions() == [(2, Reason.NEW)]
    Prediction.objects.filter(position=2).update(model_id=make_model("pre-trained").id)
    assert positions() == [(2, Reason.NEW)]
    Prediction.objects.filter(position=2).update(model_id="gone")
    assert positions() == []
    assert run.total == 3


def test_it_leads_to_judging_the_answers_of_the_model_in_use(sign_in, person, products, nudges):
    run = make_run(person("evaluator"), [products[2], products[2]])
    client = sign_in("evaluator")
    page = client.get(reverse("evaluation:worth")).content.decode()
    assert page.count("hardly judged yet") == 2
    chosen = Prediction.objects.get(position=1).listing_id
    answer = client.post(reverse("evaluation:worth"), {"listing": [chosen]})
    made = PredictionRun.objects.exclude(id=run.id).get()
    assert answer["Location"] == reverse("evaluation:run", args=[made.id])
    assert (made.kind, made.listing_ids) == ("listings", [chosen])


def test_nothing_ticked_or_a_listing_that_is_gone_starts_nothing(sign_in, products):
    client = sign_in("evaluator")
    for data, text in (({}, "Tick at least one listing."), ({"listing": ["x"]}, "x")):
        assert text in client.post(reverse("evaluation:worth"), data, follow=True).content.decode()
    assert not PredictionRun.objects.exists()
