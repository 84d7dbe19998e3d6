"""A damaged or incomplete model folder is refused with the name of the file and what to do."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ml.serving import ModelFolderError, Predictor

FILES = ["config.json", "labels.json", "metrics.json", "model.safetensors", "tokenizer.json"]


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"nowhere.*missing"):
        Predictor.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(own_model_folder: Path, name: str) -> None:
    (own_model_folder / name).unlink()
    with pytest.raises(ModelFolderError, match=name):
        Predictor.load(own_model_folder)


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 40, b"[]", b"{}"])
@pytest.mark.parametrize("name", [name for name in FILES if name != "metrics.json"])
def test_a_damaged_file_is_named(own_model_folder: Path, name: str, content: bytes) -> None:
    (own_model_folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=name):
        Predictor.load(own_model_folder)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_weights_cut_short_are_named(own_model_folder: Path, share: float) -> None:
    path = own_model_folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelFolderError, match=r"model\.safetensors"):
        Predictor.load(own_model_folder)


def test_a_missing_weight_is_named(own_model_folder: Path) -> None:
    path = own_model_folder / "model.safetensors"
    weights = load_file(path)
    del weights["brand_head.bias"]
    save_file(weights, path)
    with pytest.raises(ModelFolderError, match=r"brand_head\.bias"):
        Predictor.load(own_model_folder)


def test_a_weight_of_another_shape_is_named(own_model_folder: Path) -> None:
    path = own_model_folder / "model.safetensors"
    save_file(load_file(path) | {"brand_head.bias": torch.zeros(99)}, path)
    with pytest.raises(ModelFolderError, match=r"brand_head\.bias"):
        Predictor.load(own_model_folder)


def test_labels_that_do_not_fit_the_heads_are_counted(own_model_folder: Path) -> None:
    change(own_model_folder / "labels.json", products=[{"id": "a", "name": "A", "brand": ""}])
    with pytest.raises(ModelFolderError, match=r"labels\.json names . brands and 1 products"):
        Predictor.load(own_model_folder)


@pytest.mark.parametrize("brand", [7, {"name": "without an id"}, {"id": 3, "name": "B"}])
def test_labels_without_ids_are_named(own_model_folder: Path, brand: object) -> None:
    labels = json.loads((own_model_folder / "labels.json").read_text(encoding="utf-8"))
    labels["brands"][0] = brand
    change(own_model_folder / "labels.json", **labels)
    with pytest.raises(ModelFolderError, match=r"labels\.json"):
        Predictor.load(own_model_folder)


@pytest.mark.parametrize("values", [{"format": 1}, {"architecture": "clip"}, {"model": None}, {"model": {"layers": 1}}])
def test_a_configuration_of_another_kind_is_named(own_model_folder: Path, values: dict) -> None:
    change(own_model_folder / "config.json", **values)
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        Predictor.load(own_model_folder)


def test_a_tokenizer_of_another_model_is_named(own_model_folder: Path) -> None:
    """More words than the model has embeddings for would fail at the first long title, days later."""
    path = own_model_folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    size = len(tokenizer["model"]["vocab"])
    tokenizer["model"]["vocab"]["another"] = size
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json"):
        Predictor.load(own_model_folder)
