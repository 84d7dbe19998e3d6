"""The curves of a real training reach the page as they stand in its metrics.jsonl, also over an interruption."""

from datetime import timedelta
from pathlib import Path

import pytest
import torch

from crawler.models import WorkState
from evaluation.models import TrainingJournal, TrainingRun
from evaluation.services.progress import ProgressWriter
from ml.training import TrainingCancelled, train
from ml.training.metrics_log import read_metrics
from tests.evaluation.trainings import make_training
from tests.ml.factories import tiny_config, tiny_pretraining, write_dataset

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def in_metrics(work: Path, group: str) -> dict[str, list]:
    """The curves by a plain loop."""
    curves: dict[str, list] = {}
    for line in read_metrics(work):
        for name, value in line.get(group, {}).items():
            curves.setdefault(name, []).append([line["step"], round(value, 5)])
    return curves


@pytest.mark.parametrize("make", [tiny_config, tiny_pretraining])
def test_all_curves_are_told_whole_over_an_interruption(make, tmp_path):
    run = make_training(state=WorkState.RUNNING, lease_token="ours")
    data = write_dataset(tmp_path / "data")
    config = make(max_steps=12, evaluations=3)

    def attempt(stop_at: int) -> ProgressWriter:
        writer = ProgressWriter(run=run, lease=timedelta(minutes=1), work=tmp_path / "work")
        train(
            config,
            dataset=data,
            output=tmp_path / "model",
            work=tmp_path / "work",
            on_progress=writer.write,
            should_stop=lambda: writer.last_step == stop_at,
        )
        return writer

    with pytest.raises(TrainingCancelled):
        attempt(stop_at=6)
    attempt(stop_at=-1).finish()
    journal = TrainingJournal.objects.get()
    assert journal.curves["losses"] == in_metrics(tmp_path / "work", "losses")
    assert journal.curves["val"] == in_metrics(tmp_path / "work", "val")
    assert [step for step, _value in next(iter(journal.curves["val"].values()))] == [4, 8, 12]
    assert any("goes on from the checkpoint of step 6" in line for line in journal.log)
    assert journal.manifest["config"]["max_steps"] == 12
    assert TrainingRun.objects.get().progress["stage"] == "saving"
