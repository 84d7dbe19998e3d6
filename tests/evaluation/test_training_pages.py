"""/evaluation/training/ and /evaluation/models/."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crawler.models import WorkState
from evaluation.models import ModelVersion, TrainingRun
from evaluation.selectors.models import active_model
from tests.evaluation.factories import make_catalogue, make_label, make_listing, make_model

TRAINING, MODELS, START = "/evaluation/training/", "/evaluation/models/", "/evaluation/training/start/"


def make_training(**values):
    now = timezone.now()
    fields = {"number": 1, "config": "vilt_demo", "created_at": now, "leased_until": now} | values
    return TrainingRun.objects.create(**fields)


def make_labels(count):
    products = make_catalogue(2)
    for number in range(count):
        make_label(make_listing(number), products[number % 2])


def test_it_shows_the_labels_of_each_product(sign_in):
    make_labels(13)
    page = sign_in("operator").get(TRAINING).content.decode()
    assert "<b>13</b> approved labels of <b>2</b> products" in page
    assert '<td>Tea 0</td><td class="number">7</td>' in page


def test_it_starts_and_leads_to_the_training(sign_in):
    make_labels(12)
    response = sign_in("operator").post(START)
    assert response["Location"] == reverse("evaluation:training_run", args=[TrainingRun.objects.get().id])


def test_the_second_start_is_refused(sign_in):
    make_labels(12)
    client = sign_in("operator")
    client.post(START)
    response = client.post(START)
    assert response.status_code == 422
    assert "queued or running" in response.content.decode()
    assert TrainingRun.objects.count() == 1


def test_with_too_little_it_says_what_is_needed(sign_in):
    make_labels(2)
    client = sign_in("operator")
    assert "At least 10 approved labels of 2 products are needed" in client.get(TRAINING).content.decode()
    response = client.post(START)
    assert response.status_code == 422
    assert "2 approved labels of 2 products" in response.content.decode()


def test_progress_is_drawn_until_it_ends(sign_in):
    progress = {"stage": "training", "step": 30, "total_steps": 120, "loss": 0.5, "seconds_left": 75.0}
    later = timezone.now() + timedelta(minutes=1)
    run = make_training(state=WorkState.RUNNING, progress=progress, curve=[[1, 2.5], [30, 0.5]], leased_until=later)
    client = sign_in("operator")
    url = reverse("evaluation:training_progress", args=[run.id])
    response = client.get(url)
    page = response.content.decode()
    assert response.status_code == 200
    assert '<progress max="120" value="30">' in page
    assert "1:15" in page
    assert '{"curve": [[1, 2.5], [30, 0.5]]}' in page
    TrainingRun.objects.update(state=WorkState.FAILED, error="<b>no space</b>")
    response = client.get(url)
    assert response.status_code == 286
    assert "&lt;b&gt;no space" in response.content.decode()


def test_what_is_not_measured_yet_is_not_shown(sign_in):
    progress = {"stage": "features", "step": 40, "total_steps": 80, "loss": None, "val_product_accuracy": None}
    run = make_training(state=WorkState.RUNNING, progress=progress, leased_until=timezone.now() + timedelta(minutes=1))
    page = sign_in("operator").get(reverse("evaluation:training_run", args=[run.id])).content.decode()
    assert "Pictures" in page
    for figure in ("Time left", "Time taken", "Validation accuracy", ">brand"):
        assert figure not in page


def test_a_finished_training_says_how_long_it_took(sign_in):
    start = timezone.now() - timedelta(hours=1)
    progress = {"stage": "saving", "step": 300, "total_steps": 300, "loss": 1.2, "seconds_left": 0}
    run = make_training(
        state=WorkState.DONE, progress=progress, started_at=start, finished_at=start + timedelta(seconds=159)
    )
    page = sign_in("operator").get(reverse("evaluation:training_run", args=[run.id])).content.decode()
    assert "Time taken" in page
    assert "2:39" in page
    assert "Time left" not in page


def test_it_says_that_it_waits_for_a_worker(sign_in):
    run = make_training(created_at=timezone.now() - timedelta(minutes=1))
    page = sign_in("operator").get(reverse("evaluation:training_run", args=[run.id])).content.decode()
    assert "Waiting for a training worker" in page
    TrainingRun.objects.update(state=WorkState.RUNNING, leased_until=timezone.now() - timedelta(seconds=9))
    page = sign_in("operator").get(reverse("evaluation:training_run", args=[run.id])).content.decode()
    assert "Its worker has stopped" in page


def test_cancel_is_asked_once_and_again(sign_in):
    run = make_training(state=WorkState.RUNNING)
    client = sign_in("operator")
    url = reverse("evaluation:training_cancel", args=[run.id])
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    assert TrainingRun.objects.get().cancel_requested


def test_models_are_listed_and_put_into_use(sign_in):
    old, new = make_model("old", active=True), make_model("new <b>", active=False)
    metrics = {"product": {"right": 3, "total": 4, "accuracy": 0.75, "low": 0.3, "high": 0.954}}
    ModelVersion.objects.filter(id=new.id).update(metrics=metrics)
    client = sign_in("operator")
    page = client.get(MODELS).content.decode()
    assert "new &lt;b&gt;" in page
    assert "75.0 %" in page
    assert "n = 4" in page
    assert active_model().id == old.id
    url = reverse("evaluation:model_activate", args=[new.id])
    assert client.post(url)["Location"] == MODELS
    assert client.post(url).status_code == 302
    assert active_model().id == new.id
    assert active_model().activated_by == "operator"
    assert client.post(reverse("evaluation:model_activate", args=["x"])).status_code == 404


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_not(sign_in, role):
    model, run = make_model(active=False), make_training()
    client = sign_in(role)
    for url in (
        TRAINING,
        MODELS,
        *(reverse(f"evaluation:training_{name}", args=[run.id]) for name in ("run", "progress")),
    ):
        assert client.get(url).status_code == 403, url
    posts = [
        START,
        reverse("evaluation:training_cancel", args=[run.id]),
        reverse("evaluation:model_activate", args=[model.id]),
    ]
    for url in posts:
        assert client.post(url).status_code == 403, url
    assert TrainingRun.objects.count() == 1
    assert active_model() is None


def test_what_changes_something_only_allows_post(sign_in):
    run = make_training()
    client = sign_in("superuser")
    for name in ("training_cancel", "model_activate"):
        assert client.get(reverse(f"evaluation:{name}", args=[run.id])).status_code == 405
    assert client.get(START).status_code == 405


def test_an_unknown_training_is_not_found(sign_in):
    client = sign_in("superuser")
    for name in ("training_run", "training_progress"):
        assert client.get(reverse(f"evaluation:{name}", args=["x"])).status_code == 404
