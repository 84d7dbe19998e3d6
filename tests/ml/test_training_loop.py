"""What a training does beside its steps: measuring, keeping the best, ending early, and what it writes down."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboardX import SummaryWriter

from ml.data.records import read_dataset
from ml.serving.model_folder import load_model_folder
from ml.training import ConfigError, TrainingDiverged, train
from ml.training.best import best_step, evaluations_since
from ml.training.vilt_finetune import ViltFinetune
from tests.ml.factories import frozen_config, read_records, tiny_config, tiny_pretraining, write_picture, write_records


def lines(work: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (work / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_curve_has_each_step_and_each_measuring(dataset: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    config = tiny_config(max_steps=6, evaluations=3, **{"optimiser.warmup_share": 0.5, "optimiser.decay": "cosine"})
    train(config, dataset=dataset, output=tmp_path / "model", work=work)
    steps = [line for line in lines(work) if "losses" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines(work) if "val" in line] == [2, 4, 6]
    rates = [line["learning_rate"] for line in steps]
    assert rates.index(max(rates)) == 2  # warm-up ends with the third step, then it falls
    assert rates[:3] == sorted(rates[:3])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    for line in steps:
        assert set(line["losses"]) == {"total", "brand", "product"}
        assert line["losses"]["total"] == pytest.approx(0.5 * line["losses"]["brand"] + line["losses"]["product"], 1e-4)


def test_the_manifest_says_what_was_trained_on_what(dataset: Path, tmp_path: Path) -> None:
    train(tiny_config(max_steps=1, seed=5), dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    run = json.loads((tmp_path / "work" / "run.json").read_text(encoding="utf-8"))
    assert run["config"]["seed"] == 5
    assert run["config"]["model"]["layers"] == 1
    assert run["dataset"]["counts"] == read_dataset(dataset).manifest["counts"]
    assert run["versions"]["torch"] == torch.__version__
    assert run["machine"]["processes"] == 1


def test_curves_are_drawn_in_tensorboard_where_it_is_installed(dataset: Path, tmp_path: Path) -> None:
    assert SummaryWriter is not None
    train(tiny_config(max_steps=1), dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    assert list((tmp_path / "work" / "tensorboard").glob("events.*"))


@pytest.mark.parametrize(
    ("better", "expected"),
    [("higher", 30), ("lower", 10)],
)
def test_the_best_step_is_the_latest_of_equals(better: Any, expected: int) -> None:
    vals = [(10, {"f": 0.1}), (20, {"f": 0.5}), (30, {"f": 0.5}), (40, {"f": 0.2}), (50, {"other": 9.0})]
    assert best_step(vals, ["f"], better) == expected
    assert best_step([], ["f"], better) is None
    assert evaluations_since(vals, 30) == 2


def test_the_best_step_is_that_of_the_mean() -> None:
    vals = [(1, {"f": 0.9, "g": 0.1}), (2, {"f": 0.8, "g": 0.6}), (3, {"f": 0.7, "g": 0.6})]
    assert best_step(vals, ["f", "g"], "higher") == 2
    assert best_step(vals, ["f", "absent"], "higher") == 1


def test_the_best_weights_are_kept_and_not_the_last(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accuracy falls after the second of four measurings: the folder holds the weights of that moment."""
    seen: list[torch.Tensor] = []

    def validate(task: ViltFinetune, tell: Any) -> dict[str, float]:
        seen.append(task.model.product_head.weight.detach().clone())
        return {"product": [0.1, 0.9, 0.5, 0.4][len(seen) - 1]}

    monkeypatch.setattr(ViltFinetune, "validate", validate)
    config = tiny_config(max_steps=8, evaluations=4)
    result = train(config, dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    assert result.metrics["best_step"] == 4
    saved = load_file(result.folder / "model.safetensors")["product_head.weight"]
    assert saved.equal(seen[1])
    assert not saved.equal(seen[3])


def test_it_ends_early_once_nothing_gets_better(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.5, 0.6, 0.2, 0.3, 0.9])
    monkeypatch.setattr(ViltFinetune, "validate", lambda task, tell: {"product": next(values)})
    config = tiny_config(max_steps=10, evaluations=5, patience=2)
    result = train(config, dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    assert (result.metrics["steps"], result.metrics["best_step"]) == (8, 4)


def test_averaged_weights_are_what_is_measured_and_saved(dataset: Path, tmp_path: Path) -> None:
    plain = train(tiny_config(max_steps=5, evaluations=1), dataset=dataset, output=tmp_path / "plain")
    config = tiny_config(max_steps=5, evaluations=1, **{"optimiser.average_decay": 0.99})
    averaged = train(config, dataset=dataset, output=tmp_path / "averaged", work=tmp_path / "work")
    one, other = (load_file(result.folder / "model.safetensors") for result in (plain, averaged))
    assert not one["product_head.weight"].equal(other["product_head.weight"])


@pytest.mark.filterwarnings("ignore")
def test_a_loss_that_is_no_number_ends_the_training_with_advice(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(max_steps=30, **{"optimiser.learning_rate": 1e18, "optimiser.max_gradient_norm": 1e30})
    with pytest.raises(TrainingDiverged, match=r"not a number at step \d+.*smaller optimiser\.learning_rate"):
        train(config, dataset=dataset, output=tmp_path / "models" / "model")
    assert list((tmp_path / "models").iterdir()) == []


def test_weights_of_the_parts_can_be_learned(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(max_steps=5, weighting="learned")
    train(config, dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    first, *_rest, last = (line["losses"] for line in lines(tmp_path / "work") if "losses" in line)
    assert first["total"] == pytest.approx(first["brand"] + first["product"], 1e-4)  # equal weights to begin with
    assert last["total"] != pytest.approx(last["brand"] + last["product"], 1e-4)


def test_rare_products_weigh_more(own_dataset: Path, tmp_path: Path) -> None:
    rare = [one for one in read_records(own_dataset) if one["id"] not in {f"listing-0-{n}" for n in range(1, 6)}]
    write_records(own_dataset, rare)
    config = tiny_config(class_balance="inverse_sqrt")
    task = ViltFinetune(config, read_dataset(own_dataset), work=tmp_path, bad=_bad(), tell=lambda done, total: None)
    weights = task.class_weights["product"].tolist()
    assert weights[0] == pytest.approx(6**0.5 * weights[1], 1e-5)
    batch = task.collate([task.example(draw) for draw in next(iter(task.plan(1)))])
    assert task.counts(batch)["product"] == pytest.approx(float(task.losses(batch)["product"].count), 1e-6)


def test_the_catalogues_own_pictures_are_a_second_view(own_dataset: Path, tmp_path: Path) -> None:
    catalog = json.loads((own_dataset / "catalog.json").read_text(encoding="utf-8"))
    write_picture(own_dataset / "images" / "shop.jpg", (1, 2, 3))
    catalog["products"][1] |= {"images": ["images/shop.jpg"], "description": "fresh from the cow"}
    (own_dataset / "catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    config = tiny_config(catalogue_views=3)
    task = ViltFinetune(config, read_dataset(own_dataset), work=tmp_path, bad=_bad(), tell=lambda done, total: None)
    assert task.examples == 18 + 3
    extra = [record for record in task.train if record.id == "catalogue product-1"]
    assert [record.title for record in extra] == ["whole milk fresh from the cow"] * 3


def test_a_hidden_picture_is_not_seen(dataset: Path, tmp_path: Path) -> None:
    config = tiny_config(drop_title=0.0, drop_image=0.99)
    task = ViltFinetune(config, read_dataset(dataset), work=tmp_path, bad=_bad(), tell=lambda done, total: None)
    batch = task.collate([task.example(draw) for draw in next(iter(task.plan(1)))])
    hidden = ~batch["shown"]
    assert hidden.any()
    before = task.losses(batch)["product"].total
    batch["pairs"].pixels[int(hidden.nonzero()[0])].fill_(9.0)
    assert task.losses(batch)["product"].total.equal(before)


def test_every_example_is_answered_without_its_title_too(dataset: Path, tmp_path: Path) -> None:
    """As two batches would be, and with a hidden picture there is nothing left to answer from."""
    config = tiny_config(drop_title=0.0, drop_image=0.3, picture_alone=True, class_balance="inverse_sqrt")
    task = ViltFinetune(config, read_dataset(dataset), work=tmp_path, bad=_bad(), tell=lambda done, total: None)
    examples = [task.example(draw) for draw in next(iter(task.plan(1)))]
    hidden = sum(not one.shown for one in examples)
    assert 0 < hidden < len(examples)
    batch = task.collate(examples)
    both = task.losses(batch)
    once = ViltFinetune(
        tiny_config(drop_title=0.0, drop_image=0.3, class_balance="inverse_sqrt"),
        read_dataset(dataset),
        work=tmp_path,
        bad=_bad(),
        tell=lambda done, total: None,
    )
    once.model = task.model
    with_title = once.losses(once.collate(examples))
    alone = once.losses(once.collate([replace(one, title="") for one in examples if one.shown]))
    for name in ("brand", "product"):
        torch.testing.assert_close(both[name].total, with_title[name].total + alone[name].total)
        torch.testing.assert_close(both[name].count, with_title[name].count + alone[name].count)
        assert task.counts(batch)[name] == pytest.approx(float(both[name].count), 1e-6)


@pytest.mark.parametrize("make", [tiny_config, tiny_pretraining])
def test_a_training_starts_from_an_earlier_model(make: Any, dataset: Path, tmp_path: Path) -> None:
    before = train(tiny_pretraining(max_steps=3), dataset=dataset, output=tmp_path / "before").folder
    config = make(max_steps=1, start_from=str(before), **{"optimiser.learning_rate": 1e-9})
    after = train(config, dataset=dataset, output=tmp_path / "after").folder
    one, other = (load_file(folder / "model.safetensors") for folder in (before, after))
    torch.testing.assert_close(one["encoder.words.weight"], other["encoder.words.weight"])
    assert (before / "tokenizer.json").read_bytes() == (after / "tokenizer.json").read_bytes()


def test_fine_tuning_goes_on_with_the_heads_of_the_same_products(
    model_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    config = tiny_config(max_steps=1, start_from=str(model_folder), **{"optimiser.learning_rate": 1e-9})
    after = train(config, dataset=dataset, output=tmp_path / "after").folder
    assert (
        load_model_folder(after).metrics["product"]["right"]
        == load_model_folder(model_folder).metrics["product"]["right"]
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.hidden_size": 64}, r"model\.hidden_size=64, but start_from=.* has 32"),
        ({"start_from": "no/such/model"}, "start_from='no/such/model' cannot be loaded"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(
    changes: dict[str, Any], message: str, model_folder: Path, dataset: Path, tmp_path: Path
) -> None:
    config = tiny_config(**({"start_from": str(model_folder)} | changes))
    with pytest.raises(ConfigError, match=message):
        train(config, dataset=dataset, output=tmp_path / "model")


def test_kept_features_leave_no_file(dataset: Path, tmp_path: Path) -> None:
    train(frozen_config(max_steps=1), dataset=dataset, output=tmp_path / "model", work=tmp_path / "work")
    assert not [path for path in (tmp_path / "work").iterdir() if "features" in path.name]


def _bad() -> Any:
    from ml.data.bad_records import BadRecords

    return BadRecords()
