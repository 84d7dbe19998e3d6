"""/evaluation/training/<run>/: live, then what came of it."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crawler.models import WorkState
from evaluation.models import TrainingJournal, TrainingRun
from tests.evaluation.factories import make_model
from tests.evaluation.trainings import METRICS, make_training

CURVES = {
    "losses": {"total": [[1, 2.5], [30, 0.5]], "product": [[1, 1.5], [30, 0.25]]},
    "val": {"product": [[30, 0.75]], "mlm_loss": [[30, 1.25]]},
}
CONFUSION = {"names": ["Alpha <b>", "Beta"], "counts": [[8, 2], [0, 5]]}
MANIFEST = {
    "config": {"seed": 7, "model": {"layers": 4}},
    "dataset": {"hash": "0123456789abcdef"},
    "versions": {"torch": "2.13.0"},
    "machine": {"device": "a card", "processes": 2},
}


def page_of(client, run, name="training_run"):
    return client.get(reverse(f"evaluation:{name}", args=[run.id])).content.decode()


def chart_data(page):
    return json.loads(page.partition('id="training-data" type="application/json">')[2].partition("</script>")[0])


def running(**values):
    later = timezone.now() + timedelta(minutes=1)
    return make_training(state=WorkState.RUNNING, leased_until=later, **values)


def test_progress_is_drawn_until_it_ends(sign_in):
    losses = {"total": 0.5, "product": 0.25}
    run = running(
        progress={
            "stage": "training",
            "step": 30,
            "total_steps": 120,
            "losses": losses,
            "val": {},
            "seconds_left": 75.0,
        }
    )
    TrainingJournal.objects.create(id=run.id, curves=CURVES, log=["a line", "x WARNING record <i>9 is left out"])
    client = sign_in("operator")
    url = reverse("evaluation:training_progress", args=[run.id])
    response = client.get(url)
    page = response.content.decode()
    assert response.status_code == 200
    assert '<progress aria-label="Progress" max="120" value="30">' in page
    assert "1:15" in page
    lines = {name: [line["label"] for line in chart["lines"]] for name, chart in chart_data(page).items()}
    assert lines == {
        "losses": ["sum of the parts", "product"],
        "accuracy": ["product"],
        "val_losses": ["masked words (MLM)"],
    }
    assert chart_data(page)["losses"]["lines"][1]["points"] == [[1, 1.5], [30, 0.25]]
    assert "<mark>x WARNING record &lt;i&gt;9 is left out</mark>" in page
    TrainingRun.objects.update(state=WorkState.FAILED, error="<b>no space</b>")
    response = client.get(url)
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")
    assert "&lt;b&gt;no space" in response.content.decode()


def test_a_table_says_what_the_chart_shows(sign_in):
    run = running()
    TrainingJournal.objects.create(id=run.id, curves=CURVES)
    table = page_of(sign_in("operator"), run).partition('id="table-losses">')[2].partition("</table>")[0]
    assert ">sum of the parts</th>" in table
    assert '<th scope="row" class="number">30</th><td class="number nowrap">0.5000</td>' in table
    accuracy = page_of(sign_in("operator"), run).partition('id="table-accuracy">')[2].partition("</table>")[0]
    assert "75.0 %" in accuracy


def test_what_is_not_measured_yet_is_not_shown(sign_in):
    run = running(progress={"stage": "features", "step": 40, "total_steps": 80, "losses": {}, "val": {}})
    page = page_of(sign_in("operator"), run)
    assert "Pictures" in page
    assert page.count('data-chart="losses" hidden') == 1
    for figure in ("Time left", "Time taken", "Validation accuracy", "What came of it"):
        assert figure not in page


def test_what_came_of_it(sign_in):
    metrics = METRICS | {"confusion": CONFUSION, "minutes": 61.5, "steps": 300, "val": {"mlm_loss": 1.5}}
    run = make_training(state=WorkState.DONE, metrics=metrics)
    page = page_of(sign_in("operator"), run)
    row = page.partition('<th scope="row">product</th>')[2].partition("</tr>")[0]
    assert "75.0 %" in row
    assert "30.0–95.0 %" in row
    assert "3 / 4" in row
    confused = page.partition('<th scope="row">Alpha &lt;b&gt;</th>')[2].partition("</tr>")[0]
    assert '<td class="number right-4">8</td><td class="number wrong-1">2</td>' in confused
    assert "1:01:30" in page
    assert '<th scope="row">val.mlm_loss</th><td class="number">1.5</td>' in page


def test_what_was_trained_on_what(sign_in):
    earlier = make_training(number=3)
    run = make_training(dataset_of=earlier.id, start_from=make_model("base").id, changes="model.layers=4", number=4)
    TrainingJournal.objects.create(id=run.id, manifest=MANIFEST)
    page = page_of(sign_in("operator"), run)
    for text in ("that of training 3", ">base</a>", "model.layers=4", "0123456789ab<", "torch 2.13.0", "2 processes"):
        assert text in page
    assert '<code>model.layers</code></th><td class="number"><code>4</code>' in page


def test_a_finished_training_says_how_long_it_took(sign_in):
    start = timezone.now() - timedelta(hours=1)
    progress = {"stage": "saving", "step": 300, "total_steps": 300, "losses": {"total": 1.2}, "seconds_left": 0}
    run = make_training(
        state=WorkState.DONE, progress=progress, started_at=start, finished_at=start + timedelta(seconds=159)
    )
    page = page_of(sign_in("operator"), run)
    assert "2:39" in page
    assert "Time left" not in page


def test_it_says_for_what_it_waits(sign_in):
    first = make_training(created_at=timezone.now() - timedelta(minutes=1))
    client = sign_in("operator")
    assert "Waiting for a training worker" in page_of(client, first)
    second = make_training()
    assert "1 training comes before it" in page_of(client, second)
    TrainingRun.objects.filter(id=first.id).update(
        state=WorkState.RUNNING, leased_until=timezone.now() - timedelta(seconds=9)
    )
    assert "Its worker has stopped" in page_of(client, first)


def test_cancel_is_asked_once_and_again(sign_in):
    run = make_training(state=WorkState.RUNNING)
    client = sign_in("operator")
    url = reverse("evaluation:training_cancel", args=[run.id])
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    assert TrainingRun.objects.get().cancel_requested


def test_resume_is_asked_once_and_again(sign_in, nudges):
    run = make_training(state=WorkState.FAILED, error="no space left")
    client = sign_in("operator")
    url = reverse("evaluation:training_resume", args=[run.id])
    assert url in page_of(client, run)
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.error, len(nudges)) == (WorkState.PENDING, "", 1)
    assert url not in page_of(client, run)


def test_a_pre_trained_model_is_offered_to_start_from(sign_in):
    run = make_training(state=WorkState.DONE, kind="pretrain", config="vilt_pretrain")
    page = page_of(sign_in("operator"), run)
    assert f"?config=vilt_finetune&amp;start_from={run.id}" in page
    assert "Use this model" not in page


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_not(sign_in, role):
    run = make_training()
    client = sign_in(role)
    for name in ("run", "progress"):
        assert client.get(reverse(f"evaluation:training_{name}", args=[run.id])).status_code == 403
    for name in ("cancel", "resume"):
        assert client.post(reverse(f"evaluation:training_{name}", args=[run.id])).status_code == 403
    assert not TrainingRun.objects.get().cancel_requested


def test_an_unknown_training_is_not_found(sign_in):
    client = sign_in("superuser")
    for name in ("run", "progress"):
        assert client.get(reverse(f"evaluation:training_{name}", args=["x"])).status_code == 404
    for name in ("cancel", "resume"):
        assert client.post(reverse(f"evaluation:training_{name}", args=["x"])).status_code == 404
        assert client.get(reverse(f"evaluation:training_{name}", args=["x"])).status_code == 405
