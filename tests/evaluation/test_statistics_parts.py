"""Calibration and threshold, agreement of evaluators, versions compared, speed: against slow and obvious counts."""

import random
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotation.agreement import cohen_kappa, krippendorff_alpha
from annotation.models import Product
from crawler.models import WorkState
from evaluation import services
from evaluation.models import Judgment, ModelVersion, Prediction, TrainingKind, Verdict
from evaluation.selectors.statistics import statistics
from evaluation.selectors.statistics_curves import curves
from evaluation.selectors.statistics_filters import Filters
from evaluation.selectors.statistics_pairs import VersionComparison, agreement, compare_versions
from evaluation.selectors.statistics_speed import speed
from evaluation.services import tallies
from ml.metrics.calibration import equal_width_bins, expected_calibration_error
from tests.evaluation.factories import make_catalogue, make_judgment, make_model, make_run

DATABASES = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL = "/evaluation/statistics/"


@pytest.fixture
def tea(transactional_db):
    return make_catalogue()[0]


@DATABASES
def test_curves_are_those_of_the_answers(tea):
    chance = random.Random(3)
    for number in range(60):
        sure = chance.randrange(0, 101) / 100
        verdict = chance.choice([Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG, Verdict.UNSURE])
        rejected, known = number % 6 == 0, number % 10 == 1
        make_judgment(
            number, predicted=tea, verdict=verdict, product_confidence=sure, rejected=rejected, trained_on=known
        )
    services.days_refresh()
    rows = Judgment.objects.exclude(verdict="unsure").filter(rejected=False, trained_on=False)
    answers = [(row.product_confidence, row.verdict == "right") for row in rows]
    found = curves(filters=Filters())
    assert found.total == len(answers)
    for point in found.points:
        kept = [right for sure, right in answers if sure >= point.threshold / 100]
        assert (point.precision.of, point.precision.right) == (len(kept), sum(kept))
        assert point.coverage == pytest.approx(100 * len(kept) / len(answers))
    assert {one.accuracy.of for one in found.bins} - {0}
    for one in found.bins:
        low, high = (float(part) / 100 for part in one.band.split("-"))
        inside = [right for sure, right in answers if low <= sure < high or sure == high == 1]
        assert (one.accuracy.of, one.accuracy.right) == (len(inside), sum(inside))
    # The bins of ml.metrics are closed on the other side: compared where no confidence lies on an edge.
    inner = [(sure, right) for sure, right in answers if round(100 * sure) % 5]
    Judgment.objects.exclude(product_confidence__in=[sure for sure, _right in inner]).delete()
    services.days_refresh()
    sure, right = (np.array(part) for part in zip(*inner, strict=True))
    error = expected_calibration_error(equal_width_bins(sure, right, bins=20))
    assert curves(filters=Filters()).calibration_error == pytest.approx(100 * error, abs=0.01)


@DATABASES
def test_agreement_is_that_of_the_textbook(tea):
    chance = random.Random(5)
    said = {}
    for number in range(40):
        for evaluator in chance.sample([1, 2, 3], chance.choice([1, 2, 3])):
            verdict = chance.choice([Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG, Verdict.UNSURE])
            make_judgment(
                number, predicted=tea, verdict=verdict, evaluator_id=evaluator, evaluator_name=f"person {evaluator}"
            )
            if verdict != Verdict.UNSURE:
                said.setdefault(number, {})[evaluator] = verdict == Verdict.RIGHT
    services.days_refresh()
    several = {str(number): words for number, words in said.items() if len(words) > 1}
    found = agreement(filters=Filters())
    assert found.predictions == len(several)
    assert found.alpha == pytest.approx(krippendorff_alpha(several))
    assert len(found.pairs) == 3
    for pair in found.pairs:
        first, second = int(pair.first[-1]), int(pair.second[-1])
        words = [(one[first], one[second]) for one in several.values() if {first, second} <= one.keys()]
        assert (pair.both, pair.same) == (len(words), sum(a == b for a, b in words))
        assert pair.kappa == pytest.approx(cohen_kappa(words))


@DATABASES
def test_versions_are_compared_on_the_listings_that_both_answered(tea):
    answers = {"old": "rrwwru", "new": "rwrrrr"}  # by listing; u: unsure
    kinds = {"r": Verdict.RIGHT, "w": Verdict.WRONG, "u": Verdict.UNSURE}
    number = 0
    for model, words in answers.items():
        for listing, word in enumerate(words):
            number += 1
            make_judgment(number, predicted=tea, model_id=model, verdict=kinds[word], listing_id=f"listing-{listing}")
    make_judgment(50, predicted=tea, model_id="old", verdict=Verdict.WRONG, listing_id="listing-0")  # contradicts
    make_judgment(51, predicted=tea, model_id="new", verdict=Verdict.WRONG, listing_id="listing-9")  # new alone
    services.days_refresh()
    found = compare_versions(first="old", second="new", filters=Filters())
    assert (found.both_right, found.only_first, found.only_second, found.both_wrong) == (1, 1, 2, 0)
    assert found.left_out == 1
    assert found.p_value == 1.0  # binomial: P(X ≤ 1 of 3) · 2


def test_how_many_more_listings_are_needed():
    # Connor 1987: discordant 0.3, difference 0.1: n = (1.96·√0.3 + 0.8416·√0.29)² / 0.01 = 233.1
    found = VersionComparison(both_right=60, only_first=20, only_second=10, both_wrong=10, p_value=0.1, left_out=0)
    assert found.more_needed == 234 - 100
    same = VersionComparison(both_right=5, only_first=2, only_second=2, both_wrong=1, p_value=1, left_out=0)
    assert same.more_needed is None


@DATABASES
def test_many_listings_are_compared_by_the_approximation(tea, monkeypatch):
    monkeypatch.setattr("evaluation.selectors.statistics_pairs.EXACT_UP_TO", 3)
    for listing in range(12):
        for model in ("old", "new"):
            right = (model == "new") == (listing < 9)
            make_judgment(
                2 * listing + (model == "new"),
                predicted=tea,
                model_id=model,
                verdict=Verdict.RIGHT if right else Verdict.WRONG,
                listing_id=f"listing-{listing}",
            )
    services.days_refresh()
    # (|3 - 9| - 1)² / 12 = 2.0833: p = 0.1489
    assert compare_versions(first="old", second="new", filters=Filters()).p_value == pytest.approx(0.1489, abs=1e-4)


@DATABASES
def test_a_refusal_is_right_or_wrong_of_its_own(tea):
    make_judgment(1, predicted=tea, rejected=True)
    make_judgment(2, predicted=tea, rejected=True, verdict=Verdict.WRONG, right=tea)
    make_judgment(3, predicted=tea)
    services.days_refresh()
    row = statistics(by=()).fresh
    assert (row.product.right, row.product.of) == (1, 1)
    assert (row.refused.right, row.refused.of) == (1, 2)
    assert (row.answers.right, row.answers.of, row.judged) == (2, 3, 3)
    assert (row.brand.right, row.brand.of) == (1, 1)


def test_speed_is_that_of_the_predictions(person):
    run = make_run(person("evaluator"), [Product(id="tea-0", name="Tea", brand_id="brand-0")] * 5 + [None])
    for number, row in enumerate(Prediction.objects.filter(state=WorkState.DONE)):
        Prediction.objects.filter(id=row.id).update(predicted_at=run.created_at + timedelta(seconds=number))
    (row,) = speed()
    assert (row.answered, row.failed, row.p50) == (5, 1, 2.0)
    assert speed(model_id="another") == []


def test_parts_come_alone_and_as_pages(sign_in, tea):
    for evaluator in (1, 2):
        make_judgment(1, predicted=tea, evaluator_id=evaluator, evaluator_name=f"person {evaluator}")
    services.days_refresh()
    client = sign_in("evaluator")
    for name, says in (("curves", "Expected calibration error"), ("pairs", "person 2"), ("speed", "Nothing has been")):
        part = client.get(f"{URL}{name}/", headers={"HX-Request": "true"}).content.decode()
        assert says in part
        assert "<html" not in part
        assert "<html" in client.get(f"{URL}{name}/").content.decode()
        assert client.get(f"{URL}{name}/", {"since": "soon"}).status_code == 400


def test_the_threshold_is_chosen_by_who_may(sign_in, tea):
    model = make_model()
    make_judgment(1, predicted=tea, model_id=model.id)
    services.days_refresh()
    url, where = f"{URL}threshold/", f"{URL}curves/?model={model.id}"
    assert "Set the threshold" not in sign_in("evaluator").get(where).content.decode()
    assert sign_in("evaluator").post(url, {"model": model.id, "threshold": "80"}).status_code == 403
    client = sign_in("superuser")
    assert "Set the threshold" in client.get(where).content.decode()
    said = client.post(url, {"model": model.id, "threshold": "62,5"}, follow=True).content.decode()
    assert "below 62.5 %" in said
    assert ModelVersion.objects.get().threshold == 0.625
    assert "It is 62.50 % now" in client.get(where).content.decode()
    for wrong in ("101", "-1", "nan", "much"):
        answer = client.post(url, {"model": model.id, "threshold": wrong})
        assert answer.status_code == 400
        assert f"“{wrong}”" in answer.content.decode()
        assert ModelVersion.objects.get().threshold == 0.625
    assert client.post(url, {"model": "gone", "threshold": "5"}).status_code == 400
    client.post(url, {"model": model.id, "threshold": ""})
    assert ModelVersion.objects.get().threshold is None
    ModelVersion.objects.update(kind=TrainingKind.PRETRAIN)
    assert client.post(url, {"model": model.id, "threshold": "5"}).status_code == 400


def test_it_says_which_days_a_worker_still_counts(sign_in, tea, monkeypatch):
    monkeypatch.setattr(tallies, "AT_ONCE", 0)
    make_judgment(1, predicted=tea)
    page = sign_in("evaluator").get(URL).content.decode()
    assert f"still counting the judgments of {timezone.localdate().isoformat()}" in page
