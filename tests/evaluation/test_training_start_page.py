"""/evaluation/training/ and what its form sends."""

from uuid import uuid4

import pytest
from django.urls import reverse

from crawler.models import WorkState
from evaluation.models import TrainingRun
from tests.evaluation.factories import make_listing, make_model
from tests.evaluation.trainings import make_labels, make_training

TRAINING, START = "/evaluation/training/", "/evaluation/training/start/"
ORDER = {"config": "vilt_demo"}


def test_it_shows_the_labels_of_each_product(sign_in):
    make_labels(13)
    page = sign_in("operator").get(TRAINING).content.decode()
    assert "<b>13</b> approved labels of <b>2</b> products" in page
    assert '<td>Tea 0</td><td class="number">7</td>' in page


def test_it_offers_configurations_datasets_and_models(sign_in):
    done, model = make_training(number=7, records=50), make_model("pre <b>", active=False)
    make_training(number=8, dataset_of=done.id, records=50)
    page = sign_in("operator").get(TRAINING, {"config": "vilt_finetune", "start_from": model.id}).content.decode()
    for name in ("vilt_demo", "vilt_pretrain"):
        assert f'name="config" value="{name}">' in page
    assert 'name="config" value="vilt_finetune" checked>' in page
    assert "A small ViLT that two CPU cores train" in page
    assert "that of training 7 · 50 examples" in page
    assert "that of training 8" not in page
    assert f'<option value="{model.id}" selected>pre &lt;b&gt;' in page


def test_it_starts_with_what_was_chosen_and_leads_to_the_training(sign_in):
    make_labels(12)
    earlier, model = make_training(records=12, state=WorkState.DONE), make_model()
    typed = "epochs=2\r\n\r\n# a remark\r\n optimiser.learning_rate=5e-4 "
    order = ORDER | {"dataset_of": earlier.id, "start_from": model.id, "changes": typed}
    response = sign_in("operator").post(START, order)
    run = TrainingRun.objects.get(number=2)
    assert response["Location"] == reverse("evaluation:training_run", args=[run.id])
    assert run.changes == "epochs=2\noptimiser.learning_rate=5e-4"
    assert (run.config, run.dataset_of, run.start_from) == ("vilt_demo", earlier.id, model.id)
    assert run.started_by == "operator"


def test_a_second_click_starts_no_second_training(sign_in):
    make_labels(12)
    client, order = sign_in("operator"), ORDER | {"run_id": str(uuid4())}
    assert client.post(START, order)["Location"] == client.post(START, order)["Location"]
    assert TrainingRun.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"changes": "epochs=many"}, "changes", "epochs=&#x27;many&#x27;"),
        ({"changes": "<script>"}, "changes", "&lt;script&gt;"),
        ({"changes": "nothing.like=1"}, "changes", "nothing is not a key"),
        ({"config": "nonsense"}, "config", "nonsense"),
        ({"config": ""}, "config", "required"),
        ({"dataset_of": "gone"}, "dataset_of", "gone"),
        ({"start_from": "gone"}, "start_from", "gone"),
    ],
)
def test_what_cannot_be_trained_is_told_beside_its_field_and_nothing_is_lost(sign_in, change, field, text):
    make_labels(12)
    order = ORDER | {"changes": "seed=12345", "run_id": str(uuid4())} | change
    response = sign_in("operator").post(START, order)
    page = response.content.decode()
    assert response.status_code == 422
    problem = page.partition(f'id="error-{field}">')[2].partition("</p>")[0]
    assert text in problem
    assert order["run_id"] in page
    if "changes" not in change:
        assert "seed=12345</textarea>" in page
    assert not TrainingRun.objects.exists()


def test_with_too_little_it_says_what_is_needed(sign_in):
    make_labels(2)
    client = sign_in("operator")
    assert "At least 10 approved labels of 2 products are needed" in client.get(TRAINING).content.decode()
    response = client.post(START, ORDER)
    assert response.status_code == 422
    assert "2 approved labels of 2 products" in response.content.decode()


def test_a_pre_training_needs_no_labels(sign_in):
    for number in range(10):
        make_listing(number)
    assert sign_in("operator").post(START, {"config": "vilt_pretrain"}).status_code == 302


def test_the_queue_is_numbered_and_each_can_be_ended_or_resumed(sign_in):
    running = make_training(state=WorkState.RUNNING)
    waiting = [make_training(), make_training()]
    failed = make_training(state=WorkState.FAILED)
    page = sign_in("operator").get(TRAINING).content.decode()
    rows = {
        run.id: page.partition(f'value="{run.id}" form="compare"')[2].partition("</tr>")[0]
        for run in [*waiting, failed]
    }
    assert "place 1 in the queue" in rows[waiting[0].id]
    assert "place 2 in the queue" in rows[waiting[1].id]
    assert reverse("evaluation:training_resume", args=[failed.id]) in rows[failed.id]
    for run in (running, *waiting):
        assert reverse("evaluation:training_cancel", args=[run.id]) in page


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_others_may_neither_see_nor_start(sign_in, role):
    client = sign_in(role)
    assert client.get(TRAINING).status_code == 403
    assert client.post(START, ORDER).status_code == 403
    assert not TrainingRun.objects.exists()
