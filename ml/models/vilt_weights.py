"""ViLT's weights between transformers' classes and ours, both ways."""

import torch
from torch import nn
from transformers import ViltConfig as TransformersConfig
from transformers import ViltForMaskedLM

from ml.models.patches import STRIDE
from ml.models.vilt import ViltConfig, ViltMatcher

# Ours → theirs, below "vilt."; a layer's are below "encoder.layer.N.".
EMBEDDINGS = {
    "encoder.words.weight": "embeddings.text_embeddings.word_embeddings.weight",
    "encoder.positions.weight": "embeddings.text_embeddings.position_embeddings.weight",
    "encoder.text_norm": "embeddings.text_embeddings.LayerNorm",
    "encoder.norm": "layernorm",
    "encoder.pooler": "pooler.dense",
}
LAYER = {
    "norm_before": "layernorm_before",
    "out": "attention.output.dense",
    "norm_after": "layernorm_after",
    "up": "intermediate.dense",
    "down": "output.dense",
}
HEAD = {
    "mlm_head.dense": "mlm_score.transform.dense",
    "mlm_head.norm": "mlm_score.transform.LayerNorm",
}

COMPUTED = {"hidden_act": "gelu", "qkv_bias": True, "patch_size": STRIDE, "num_channels": 3}


def load_transformers(name: str) -> ViltMatcher:
    """A ViLT of transformers by its name on the hub or its folder: ViltModel, or with its masked-word head too.

    The heads of other tasks are left out; our matching head is new. Raises OSError when it is not to be had, ValueError
    when its configuration is none that ours computes.
    """
    theirs = ViltForMaskedLM.from_pretrained(name)
    config = theirs.config
    for field, known in COMPUTED.items():
        if getattr(config, field) != known:
            raise ValueError(f"{name}: {field}={getattr(config, field)!r}, but only {known!r} is known here")
    ours = ViltMatcher(from_transformers_config(config))
    ours.load_state_dict(weights_from_transformers(theirs.state_dict()), strict=False)
    return ours


def from_transformers_config(config: TransformersConfig) -> ViltConfig:
    """The shape that `config` describes, without classes."""
    return ViltConfig(
        vocabulary_size=config.vocab_size,
        hidden_size=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        intermediate_size=config.intermediate_size,
        image_size=int(config.image_size),  # type: ignore[arg-type]  # square in every ViLT
        max_tokens=config.max_position_embeddings,
        dropout=config.hidden_dropout_prob,
        layer_norm_eps=config.layer_norm_eps,
        patch_embedding="linear",
        train_patches=True,
        wide=False,
    )


def weights_from_transformers(theirs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of ViltForMaskedLM, or of ViltModel behind "vilt.", under our names."""
    ours: dict[str, torch.Tensor] = {}
    for name, their_name in _pairs(theirs):
        if their_name in theirs:
            ours[name] = theirs[their_name]
    embeddings = "vilt.embeddings."
    ours["encoder.text_type"] = theirs[embeddings + "text_embeddings.token_type_embeddings.weight"][0]
    ours["encoder.modality.weight"] = theirs[embeddings + "token_type_embeddings.weight"][:2]
    ours["encoder.image_cls"] = theirs[embeddings + "cls_token"][0, 0]
    ours["encoder.image_positions"] = theirs[embeddings + "position_embeddings"][0]
    ours["project.weight"] = theirs[embeddings + "patch_embeddings.projection.weight"].flatten(1)
    ours["project.bias"] = theirs[embeddings + "patch_embeddings.projection.bias"]
    if "mlm_score.decoder.bias" in theirs:
        ours["mlm_head.bias"] = theirs["mlm_score.decoder.bias"]
    for number in range(_layers(theirs)):
        for kind in ("weight", "bias"):
            source = f"vilt.encoder.layer.{number}.attention.attention."
            parts = [theirs[f"{source}{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"encoder.layers.{number}.qkv.{kind}"] = torch.cat(parts)
    return ours


def to_transformers(model: ViltMatcher) -> ViltForMaskedLM:
    """The same network as transformers' class, whose `.vilt` is the ViltModel; to save it: `.save_pretrained(folder)`.

    Our classes and the matching head have no place there. Raises ValueError for a model on features of a CNN.
    """
    shape = model.shape
    if shape.patch_embedding != "linear":
        raise ValueError(f"patch_embedding={shape.patch_embedding!r}: transformers' ViltModel knows only linear")
    config = TransformersConfig(
        vocab_size=shape.vocabulary_size,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate_size,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=shape.layer_norm_eps,
        image_size=shape.image_size,
        patch_size=STRIDE,
        max_position_embeddings=shape.max_tokens,
    )
    theirs = ViltForMaskedLM(config)
    theirs.load_state_dict(_weights_for_transformers(model.state_dict(), theirs))
    return theirs.eval()


def _weights_for_transformers(ours: dict[str, torch.Tensor], theirs: nn.Module) -> dict[str, torch.Tensor]:
    weights = theirs.state_dict()
    for name, their_name in _pairs(weights):
        weights[their_name] = ours[name]
    embeddings = "vilt.embeddings."
    types = weights[embeddings + "text_embeddings.token_type_embeddings.weight"].clone()
    types[0] = ours["encoder.text_type"]
    projection = weights[embeddings + "patch_embeddings.projection.weight"]
    weights |= {
        embeddings + "text_embeddings.token_type_embeddings.weight": types,
        embeddings + "token_type_embeddings.weight": ours["encoder.modality.weight"],
        embeddings + "cls_token": ours["encoder.image_cls"][None, None],
        embeddings + "position_embeddings": ours["encoder.image_positions"][None],
        embeddings + "patch_embeddings.projection.weight": ours["project.weight"].view_as(projection),
        embeddings + "patch_embeddings.projection.bias": ours["project.bias"],
        "mlm_score.decoder.weight": ours["encoder.words.weight"],
        "mlm_score.decoder.bias": ours["mlm_head.bias"],
    }
    for number in range(_layers(weights)):
        for kind in ("weight", "bias"):
            parts = ours[f"encoder.layers.{number}.qkv.{kind}"].chunk(3)
            for part, value in zip(("query", "key", "value"), parts, strict=True):
                weights[f"vilt.encoder.layer.{number}.attention.attention.{part}.{kind}"] = value
    return weights


def _layers(theirs: dict[str, torch.Tensor]) -> int:
    return 1 + max(int(name.split(".")[3]) for name in theirs if name.startswith("vilt.encoder.layer."))


def _pairs(theirs: dict[str, torch.Tensor]) -> list[tuple[str, str]]:
    """(our name, their name) of the weights that differ in nothing else."""
    modules = {ours: f"vilt.{their_name}" for ours, their_name in EMBEDDINGS.items()} | HEAD
    for number in range(_layers(theirs)):
        for ours, their_name in LAYER.items():
            modules[f"encoder.layers.{number}.{ours}"] = f"vilt.encoder.layer.{number}.{their_name}"
    pairs = []
    for ours, their_name in modules.items():
        if ours.endswith(".weight"):
            pairs.append((ours, their_name))
        else:
            pairs += [(f"{ours}.{kind}", f"{their_name}.{kind}") for kind in ("weight", "bias")]
    return pairs
