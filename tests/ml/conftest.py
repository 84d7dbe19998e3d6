"""One tiny trained model for all tests that only read it, and a copy for those that break it."""

import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from ml.training import train
from tests.ml.factories import tiny_config, write_dataset

# For models this small a second thread only waits for the first, and for whatever else runs on the machine.
torch.set_num_threads(1)
# An example that waited for a busy machine is no failure; pytest's own timeout still ends what hangs.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three products of three colours; read only."""
    return write_dataset(tmp_path_factory.mktemp("data") / "dataset")


@pytest.fixture(scope="session")
def model_folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model; read only."""
    return train(tiny_config(), dataset=dataset, output=tmp_path_factory.mktemp("model") / "tiny").folder


@pytest.fixture
def own_dataset(dataset: Path, tmp_path: Path) -> Path:
    """A dataset that the test may change."""
    return Path(shutil.copytree(dataset, tmp_path / "dataset"))


@pytest.fixture
def own_model_folder(model_folder: Path, tmp_path: Path) -> Path:
    """A model folder that the test may damage."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))
