"""The admin shows everything and changes nothing."""

import pytest
from django.urls import reverse

from evaluation.models import Judgment, Prediction
from tests.evaluation.factories import make_catalogue, make_judgment, make_run

MODELS = ["predictionrun", "prediction", "judgment", "modelversion", "trainingrun"]


@pytest.mark.parametrize("model", MODELS)
def test_it_lists_searches_and_adds_nothing(sign_in, person, model):
    products = make_catalogue()
    make_run(person("evaluator"), [products[0], None])
    make_judgment(1, predicted=products[0])
    client = sign_in("superuser")
    url = reverse(f"admin:evaluation_{model}_changelist")
    assert client.get(url).status_code == 200
    assert client.get(url, {"q": "te'a.*"}).status_code == 200
    assert client.get(reverse(f"admin:evaluation_{model}_add")).status_code == 403


def test_a_document_can_be_looked_at_but_not_changed(sign_in, person):
    products = make_catalogue()
    make_run(person("evaluator"), [products[0]])
    judgment = make_judgment(1, predicted=products[0])
    client = sign_in("superuser")
    url = reverse("admin:evaluation_judgment_change", args=[judgment.id])
    assert client.get(url).status_code == 200
    assert client.post(url, {"verdict": "wrong"}).status_code == 403
    assert Judgment.objects.get().verdict == "right"
    prediction = Prediction.objects.get()
    assert client.get(reverse("admin:evaluation_prediction_change", args=[prediction.id])).status_code == 200


def test_evaluators_have_no_admin(sign_in):
    assert sign_in("evaluator").get(reverse("admin:evaluation_judgment_changelist")).status_code == 302
