"""Features computed once must be those that a predictor computes from the same pictures."""

from pathlib import Path

import pytest
import torch

from ml.data.images import load_image, to_tensor
from ml.data.records import Record, read_dataset
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.training.features import Features, extract_features


@pytest.fixture(scope="module")
def model() -> ViltMatcher:
    shape = ViltConfig(vocabulary_size=10, brands=2, products=2, hidden_size=16, layers=1, heads=1, image_size=64)
    return ViltMatcher(shape)


@pytest.fixture
def records(dataset: Path) -> list[Record]:
    return read_dataset(dataset).records[:5]


def features(model: ViltMatcher, records: list[Record], store: Path, *, views: int, exact: bool) -> Features:
    return extract_features(records, model=model, views=views, seed=3, exact=exact, store=store, tell=lambda done: None)


@torch.inference_mode()
def test_exact_features_are_those_of_the_predictor(model: ViltMatcher, records: list[Record], tmp_path: Path) -> None:
    kept = features(model, records, tmp_path / "store", views=1, exact=True)
    for row, record in enumerate(records):
        pixels = to_tensor(load_image(record.image), size=64)[None]
        torch.testing.assert_close(kept.first_view(row), model.extract(pixels)[0], rtol=1e-5, atol=1e-5)


def test_views_depend_on_seed_and_record_alone(model: ViltMatcher, records: list[Record], tmp_path: Path) -> None:
    forwards = features(model, records, tmp_path / "forwards", views=2, exact=True)
    backwards = features(model, records[::-1], tmp_path / "backwards", views=2, exact=True)
    for row in range(len(records)):
        torch.testing.assert_close(forwards.views[row], backwards.views[-1 - row], rtol=1e-4, atol=1e-4)
        assert not torch.allclose(forwards.views[row, 0], forwards.views[row, 1], atol=1e-2)
