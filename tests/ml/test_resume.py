"""A training that is killed, cancelled or split over processes ends as if nothing had happened."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from ml.training import ConfigError, TrainingCancelled, TrainingProgress, train
from tests.ml.factories import tiny_config, tiny_pretraining, write_config

EVERY_STEP = {"checkpoint_minutes": 1e-9}
DRIVER = """
import os, sys
from pathlib import Path
from ml.training import train
config, data, output, work, last = sys.argv[1:]
def die(progress):
    if progress.stage == "training" and progress.step == int(last):
        os.kill(os.getpid(), 9)
train(Path(config), dataset=Path(data), output=Path(output), work=Path(work), on_progress=die)
"""


def curve(work: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (work / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def run(config: Path, data: Path, folder: Path, *, kill_at: int) -> int:
    """A training in a process of its own, on one thread as here; its exit code."""
    command = [sys.executable, "-c", DRIVER, config, data, folder / "model", folder / "work", str(kill_at)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([str(part) for part in command], capture_output=True, env=environment, check=False).returncode


@pytest.mark.parametrize("make", [tiny_config, tiny_pretraining])
def test_a_training_killed_twice_draws_the_same_curve_and_ends_in_the_same_weights(
    make: Any, dataset: Path, tmp_path: Path
) -> None:
    changes = {"max_steps": 12, "evaluations": 3, "model.dropout": 0.1, "optimiser.average_decay": 0.9} | EVERY_STEP
    config = write_config(tmp_path / "config.yaml", make(**changes))
    train(config, dataset=dataset, output=tmp_path / "whole" / "model", work=tmp_path / "whole" / "work")
    folder = tmp_path / "killed"
    folder.mkdir()
    assert run(config, dataset, folder, kill_at=5) == -9
    assert not (folder / "model").exists()
    assert run(config, dataset, folder, kill_at=9) == -9
    assert run(config, dataset, folder, kill_at=999) == 0
    assert curve(folder / "work") == curve(tmp_path / "whole" / "work")
    one, other = (load_file(place / "model" / "model.safetensors") for place in (folder, tmp_path / "whole"))
    assert all(one[name].equal(other[name]) for name in other)


def test_a_half_written_checkpoint_is_passed_over(dataset: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.yaml", tiny_config(max_steps=6, **EVERY_STEP))
    assert run(config, dataset, tmp_path, kill_at=4) == -9
    checkpoints = sorted((tmp_path / "work" / "checkpoints").iterdir())
    assert [path.name for path in checkpoints] == ["checkpoint-2", "checkpoint-3"]
    (checkpoints[-1] / "whole").unlink()
    (checkpoints[-1] / "optimizer.pt").write_bytes(b"half")
    assert run(config, dataset, tmp_path, kill_at=999) == 0
    assert [line["step"] for line in curve(tmp_path / "work") if "losses" in line] == [1, 2, 3, 4, 5, 6]


def test_a_cancelled_training_goes_on_where_it_stopped(dataset: Path, tmp_path: Path) -> None:
    config, work = tiny_config(max_steps=8), tmp_path / "work"
    told: list[TrainingProgress] = []

    def stop() -> bool:
        return bool(told) and told[-1].step >= 3

    with pytest.raises(TrainingCancelled):
        train(config, dataset=dataset, output=tmp_path / "m", work=work, on_progress=told.append, should_stop=stop)
    assert [line["step"] for line in curve(work)] == [1, 2, 3]
    train(config, dataset=dataset, output=tmp_path / "m", work=work)
    train(config, dataset=dataset, output=tmp_path / "whole", work=tmp_path / "whole-work")
    assert curve(work) == curve(tmp_path / "whole-work")


def test_the_work_folder_of_another_training_is_refused(dataset: Path, tmp_path: Path) -> None:
    train(tiny_config(max_steps=1), dataset=dataset, output=tmp_path / "one", work=tmp_path / "work")
    with pytest.raises(ConfigError, match="seed=0, not 1"):
        train(tiny_config(max_steps=1, seed=1), dataset=dataset, output=tmp_path / "two", work=tmp_path / "work")


@pytest.mark.parametrize("make", [tiny_config, tiny_pretraining])
def test_two_processes_have_the_losses_of_one(make: Any, dataset: Path, tmp_path: Path) -> None:
    """Brand, product, masked words, matching: the step's whole batch is the same, and so is its mean."""
    config = write_config(tmp_path / "config.yaml", make(max_steps=4, **{"optimiser.learning_rate": 1e-3}))
    train(config, dataset=dataset, output=tmp_path / "one", work=tmp_path / "one-work")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "ml"]
    command += ["train", config, "--data", dataset, "--output", tmp_path / "two", "--work", tmp_path / "two-work"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = curve(tmp_path / "one-work"), curve(tmp_path / "two-work")
    assert len(one) == len(two)
    for expected, line in zip(one, two, strict=True):
        assert line["step"] == expected["step"]
        for name, loss in expected.get("losses", {}).items():
            assert line["losses"][name] == pytest.approx(loss, rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("make", [tiny_config, tiny_pretraining])
def test_accumulation_changes_nothing(make: Any, dataset: Path, tmp_path: Path) -> None:
    for pieces in (1, 4):
        config = make(max_steps=4, accumulation=pieces)
        train(config, dataset=dataset, output=tmp_path / f"m{pieces}", work=tmp_path / f"w{pieces}")
    for expected, line in zip(curve(tmp_path / "w1"), curve(tmp_path / "w4"), strict=True):
        for name, loss in expected.get("losses", {}).items():
            assert line["losses"][name] == pytest.approx(loss, rel=1e-4, abs=1e-5), name


def test_a_batch_that_cannot_be_shared_is_refused(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="batch_size=16 is not a multiple of 3 processes × accumulation=1"):
        train(tiny_config(), dataset=dataset, output=tmp_path / "model")
