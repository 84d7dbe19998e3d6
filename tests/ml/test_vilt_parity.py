"""Outputs and gradients equal transformers' ViLT on the same weights, pictures padded as its processor pads them."""

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import ViltForMaskedLM

from ml.models.inputs import PairBatch
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.models.vilt_weights import to_transformers, weights_from_transformers
from tests.ml.vilt_factories import pair_batch, tiny_vilt

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
SIDES = st.integers(1, 3)


def padded(pairs: PairBatch) -> dict[str, torch.Tensor]:
    """What transformers' processor makes of one picture a pair: padded on the right and below, with a mask."""
    assert pairs.pixels is not None
    height, width = (max(one.shape[side] for one in pairs.pixels) for side in (1, 2))
    pixels = torch.zeros(len(pairs), 3, height, width)
    mask = torch.zeros(len(pairs), height, width, dtype=torch.int64)
    for row, one in enumerate(pairs.pixels):
        pixels[row, :, : one.shape[1], : one.shape[2]] = one
        mask[row, : one.shape[1], : one.shape[2]] = 1
    return {"pixel_values": pixels, "pixel_mask": mask}


def compare(model: ViltMatcher, pairs: PairBatch) -> None:
    """Pooled [CLS], the tokens of titles and patches, word logits, and the gradient of a loss on all of them."""
    theirs = to_transformers(model)
    text = {"input_ids": pairs.input_ids, "attention_mask": pairs.attention_mask}
    shown = pairs.attention_mask.bool()
    hidden = theirs.vilt(**text, **padded(pairs))
    words = theirs.mlm_score(hidden.last_hidden_state[:, : shown.shape[1]])[shown]
    encoded = model.encode(pairs)
    our_words = model.mlm_logits(encoded.text[shown])
    torch.testing.assert_close(encoded.pooled, hidden.pooler_output, **CLOSE)
    torch.testing.assert_close(encoded.text[shown], hidden.last_hidden_state[:, : shown.shape[1]][shown], **CLOSE)
    torch.testing.assert_close(our_words, words, **CLOSE)
    logits = theirs(**text, **padded(pairs)).logits[shown]
    torch.testing.assert_close(our_words, logits, **CLOSE)
    random = torch.Generator().manual_seed(1)
    on_pooled, on_words = (torch.randn(one.shape, generator=random) for one in (encoded.pooled, words))
    (hidden.pooler_output * on_pooled).sum().add((words * on_words).sum() / len(words)).backward()
    (encoded.pooled * on_pooled).sum().add((our_words * on_words).sum() / len(words)).backward()
    compare_gradients(model, theirs)


def compare_gradients(model: ViltMatcher, theirs: ViltForMaskedLM) -> None:
    named = dict(theirs.named_parameters(remove_duplicate=False))
    found = {name: torch.zeros_like(one) if one.grad is None else one.grad for name, one in named.items()}
    expected = weights_from_transformers(found)
    for name, parameter in model.named_parameters():
        if name in expected:
            assert parameter.grad is not None, name
            theirs_here = expected.pop(name)
            scale = max(1.0, float(theirs_here.abs().max()))
            torch.testing.assert_close(parameter.grad / scale, theirs_here / scale, **CLOSE, msg=name)
    assert not expected


@st.composite
def shapes(draw: st.DrawFn) -> tuple[dict[str, Any], list[int], list[tuple[int, int]]]:
    heads = draw(st.integers(1, 3))
    shape = {
        "layers": draw(st.integers(1, 3)),
        "heads": heads,
        "hidden_size": heads * draw(st.sampled_from([4, 8])),
        "intermediate_size": draw(st.integers(5, 20)),
        "image_size": 32 * draw(SIDES),
        "layer_norm_eps": draw(st.sampled_from([1e-12, 1e-6, 1e-3])),
        "wide": False,
        "brands": 0,
        "products": 0,
    }
    titles = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    return shape, titles, draw(st.lists(st.tuples(SIDES, SIDES), min_size=len(titles), max_size=len(titles)))


@settings(max_examples=25, deadline=None)
@given(drawn=shapes(), holes=st.booleans(), seed=st.integers(0, 99))
def test_it_equals_transformers_on_any_shape(
    drawn: tuple[dict[str, Any], list[int], list[tuple[int, int]]], holes: bool, seed: int
) -> None:
    shape, titles, grids = drawn
    pairs = pair_batch(titles, [[grid] for grid in grids], seed=seed, width=max(titles) + seed % 3)
    if holes:  # any mask, as long as the first token is seen
        pairs.attention_mask[:, 2::3] = 0
    compare(tiny_vilt(seed=seed, **shape), pairs)


@torch.no_grad()
def test_it_equals_transformers_at_full_size() -> None:
    """ViLT-B/32, two pairs, weights as small as trained ones: sums over 768 numbers would drown in larger ones."""
    base = {"hidden_size": 768, "layers": 12, "heads": 12, "intermediate_size": 3072, "image_size": 384}
    shape = ViltConfig(vocabulary_size=500, patch_embedding="linear", wide=False, **base)
    with torch.device("meta"):  # its own initialisation would take seconds
        model = ViltMatcher(shape)
    model = model.to_empty(device="cpu").eval()
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        parameter.normal_(std=0.02).add_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    pairs = pair_batch([40, 11], [[(12, 12)], [(6, 19)]])
    theirs = to_transformers(model).vilt
    hidden = theirs(input_ids=pairs.input_ids, attention_mask=pairs.attention_mask, **padded(pairs))
    encoded = model.encode(pairs)
    torch.testing.assert_close(encoded.pooled, hidden.pooler_output, **CLOSE)
    torch.testing.assert_close(encoded.text[1, :11], hidden.last_hidden_state[1, :11], **CLOSE)
