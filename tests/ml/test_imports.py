"""What the web process may import must stay light, and nothing of the library may know Django."""

import subprocess
import sys

import pytest


def loaded_after(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import ml",
        "import ml.data.records",
        "from ml.training import DatasetError, TrainConfig, TrainingCancelled, TrainingProgress, TrainResult, train",
        "from ml.serving import MatchPrediction, ModelFolderError, Pair, Probabilities",
        "import ml.metrics, ml.evaluating.command",
    ],
)
def test_it_loads_no_torch(code: str) -> None:
    assert not {"torch", "transformers", "numpy", "PIL"} & loaded_after(code)


def test_the_computing_parts_know_nothing_of_the_rest_of_the_project() -> None:
    loaded = loaded_after(
        "import ml.__main__, ml.training.vilt_finetune, ml.training.vilt_pretrain, ml.serving.predictor"
    )
    assert "torch" in loaded
    assert not {"django", "mmproject", "crawler", "annotation", "evaluation", "celery"} & loaded


def test_threads_sleep_while_they_wait_unless_somebody_chose_otherwise() -> None:
    code = "import os; {}import ml; assert os.environ['OMP_WAIT_POLICY'] == '{}'"
    loaded_after(code.format("os.environ.pop('OMP_WAIT_POLICY', None); ", "PASSIVE"))
    loaded_after(code.format("os.environ['OMP_WAIT_POLICY'] = 'ACTIVE'; ", "ACTIVE"))
