"""ViLT's weights between transformers' files and ours."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import ViltConfig as TransformersConfig
from transformers import ViltForMaskedLM, ViltForQuestionAnswering, ViltModel

from ml.models.vilt_weights import load_transformers, to_transformers
from tests.ml.vilt_factories import pair_batch, randomise, tiny_vilt

PRETRAINED = {"wide": False, "brands": 0, "products": 0}


def their_config(**changes: Any) -> TransformersConfig:
    values: dict[str, Any] = {
        "vocab_size": 50,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "image_size": 64,
        "max_position_embeddings": 12,
        "layer_norm_eps": 1e-6,
    }
    return TransformersConfig(**values | changes)


def test_saved_for_transformers_and_loaded_again_every_weight_is_the_same(tmp_path: Path) -> None:
    model = tiny_vilt(**PRETRAINED)
    to_transformers(model).save_pretrained(tmp_path)
    again = load_transformers(str(tmp_path))
    assert again.shape == model.shape
    weights, loaded = model.state_dict(), again.state_dict()
    assert weights.keys() == loaded.keys()
    different = {name for name in weights if not torch.equal(weights[name], loaded[name])}
    assert different == {"itm_head.weight", "itm_head.bias"}  # transformers' file has no place for it


def test_loaded_from_transformers_and_given_back_every_weight_is_the_same(tmp_path: Path) -> None:
    theirs = ViltForMaskedLM(their_config())
    randomise(theirs, seed=0)
    theirs.save_pretrained(tmp_path)
    again = to_transformers(load_transformers(str(tmp_path))).state_dict()
    for name, weight in theirs.state_dict().items():
        if name == "vilt.embeddings.text_embeddings.token_type_embeddings.weight":
            weight, again[name] = weight[:1], again[name][:1]  # titles are of one type: the other is not kept
        assert torch.equal(again[name], weight), name


def test_the_model_without_heads_is_loaded_too(tmp_path: Path) -> None:
    theirs = ViltModel(their_config()).eval()
    randomise(theirs, seed=0)
    theirs.save_pretrained(tmp_path)
    check_pooled(theirs, tmp_path)


def test_the_model_with_another_tasks_head_is_loaded_too(tmp_path: Path) -> None:
    theirs = ViltForQuestionAnswering(their_config(num_labels=4)).eval()
    randomise(theirs, seed=0)
    theirs.save_pretrained(tmp_path)
    check_pooled(theirs.vilt, tmp_path)


@torch.no_grad()
def check_pooled(theirs: ViltModel, folder: Path) -> None:
    pairs = pair_batch([7, 7], [[(2, 2)], [(2, 2)]])
    assert pairs.pixels is not None
    expected = theirs(
        input_ids=pairs.input_ids, attention_mask=pairs.attention_mask, pixel_values=torch.stack(list(pairs.pixels))
    ).pooler_output
    found = load_transformers(str(folder)).eval().encode(pairs).pooled
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "relu"}, "hidden_act='relu'"),
        ({"patch_size": 16}, "patch_size=16"),
        ({"qkv_bias": False}, "qkv_bias=False"),
        ({"num_channels": 1}, "num_channels=1"),
    ],
)
def test_a_configuration_that_is_computed_otherwise_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    ViltModel(their_config(**changes)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        load_transformers(str(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        load_transformers(str(tmp_path / "nowhere"))


def test_a_model_on_the_features_of_a_cnn_is_refused() -> None:
    model = tiny_vilt(**PRETRAINED)
    object.__setattr__(model.shape, "patch_embedding", "efficientnet_lite0")
    with pytest.raises(ValueError, match="patch_embedding='efficientnet_lite0'"):
        to_transformers(model)
