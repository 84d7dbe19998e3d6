"""Pre-training: it learns to tell masked words and strangers' pictures, on listings with and without labels."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from ml.data.bad_records import BadRecords
from ml.data.records import read_dataset
from ml.serving import ModelFolderError, Predictor
from ml.training import DatasetError, train
from ml.training.vilt_pretrain import ViltPretrain
from tests.ml.factories import read_records, tiny_pretraining, write_dataset, write_records


@pytest.fixture
def task(dataset: Path, tmp_path: Path) -> ViltPretrain:
    torch.manual_seed(0)
    data = read_dataset(dataset)
    return ViltPretrain(tiny_pretraining(), data, work=tmp_path, bad=BadRecords(), tell=lambda done, total: None)


def test_exactly_half_of_each_batch_stands_beside_a_strangers_picture(task: ViltPretrain) -> None:
    for draws in task.plan(20):
        strangers = [draw for draw in draws if draw.partner is not None]
        assert len(strangers) == len(draws) // 2
        for draw in strangers:
            assert task.train[draw.index].product != task.train[draw.partner].product


def test_masked_words_always_see_their_own_picture(task: ViltPretrain) -> None:
    """The first pictures of a batch are the titles' own, in order, whatever the matching replaces."""
    draws = next(iter(task.plan(1)))
    batch = task.collate([task.example(draw) for draw in draws])
    own = [task.train.drawn(draw)[1][0] for draw in draws]
    for row, picture in enumerate(own):
        assert batch["pixels"][row].equal(picture)
    assert batch["owner"].tolist() == list(range(len(draws)))
    for row, draw in enumerate(draws):
        beside = int(batch["matched_pictures"][row])
        assert (beside < len(draws)) == (draw.partner is None) == bool(batch["matched"][row])
    assert Counter(batch["matched"].tolist()) == {True: 8, False: 8}


def test_counts_are_those_of_the_losses(task: ViltPretrain) -> None:
    batch = task.collate([task.example(draw) for draw in next(iter(task.plan(1)))])
    counts = task.counts(batch)
    for name, part in task.losses(batch).items():
        assert counts[name] == float(part.count), name


def test_it_learns_one_batch_by_heart(task: ViltPretrain) -> None:
    batch = task.collate([task.example(draw) for draw in next(iter(task.plan(1)))])
    optimiser = torch.optim.AdamW(task.model.parameters(), lr=3e-3)
    for _ in range(150):
        parts = task.losses(batch)
        loss = parts["mlm"].mean + parts["itm"].mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.2


def test_validation_is_the_same_twice(task: ViltPretrain) -> None:
    one, other = (task.validate(lambda done, total: None) for _ in range(2))
    assert one == other
    assert set(one) == {"loss", "mlm_loss", "itm_loss", "alignment_loss", "mlm_accuracy", "itm_accuracy"}


def test_listings_without_a_label_are_learned_from_too(own_dataset: Path, tmp_path: Path) -> None:
    records = [one | {"product": "", "brand": ""} for one in read_records(own_dataset)]
    write_records(own_dataset, records)
    result = train(tiny_pretraining(max_steps=2), dataset=own_dataset, output=tmp_path / "model")
    assert result.metrics["train_records"] == 18


def test_a_part_without_weight_is_not_in_the_curve(dataset: Path, tmp_path: Path) -> None:
    config = tiny_pretraining(max_steps=1, alignment_weight=0.0)
    train(config, dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    line = json.loads((tmp_path / "work" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert set(line["losses"]) == {"total", "mlm", "itm"}


def test_a_pre_trained_model_answers_nothing_yet(dataset: Path, tmp_path: Path) -> None:
    folder = train(tiny_pretraining(max_steps=1), dataset=dataset, output=tmp_path / "model").folder
    with pytest.raises(ModelFolderError, match="only pre-trained: fine-tune it"):
        Predictor.load(folder)


def test_one_listing_is_too_few(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "dataset", products=1, train=1, val=0)
    with pytest.raises(DatasetError, match=r"no two listings.*1 in all"):
        train(tiny_pretraining(), dataset=data, output=tmp_path / "model")


def test_nothing_but_one_product_is_refused(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "dataset", products=1)
    with pytest.raises(DatasetError, match="no two listings"):
        train(tiny_pretraining(max_steps=1), dataset=data, output=tmp_path / "model")


def test_a_val_split_of_one_product_measures_nothing(own_dataset: Path, tmp_path: Path) -> None:
    kept = [one for one in read_records(own_dataset) if one["split"] == "train" or one["product"] == "product-0"]
    write_records(own_dataset, kept)
    result = train(tiny_pretraining(max_steps=1), dataset=own_dataset, output=tmp_path / "model")
    assert result.metrics["val"] == {}
