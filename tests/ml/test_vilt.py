"""The ViLT matcher: titles and pictures of any number and size, and heads that learn. Parity: test_vilt_parity.py."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ml.models.inputs import PairBatch
from ml.models.vilt import ViltConfig, ViltMatcher, WideHead
from ml.objectives.brand_product import brand_product_loss
from ml.objectives.image_text_matching import image_text_matching_loss
from ml.objectives.masked_language import masked_language_loss
from tests.ml.vilt_factories import only, pair_batch, tiny_vilt

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
GRIDS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@pytest.fixture(scope="module")
def model() -> ViltMatcher:
    return tiny_vilt()


@torch.no_grad()
def logits(model: ViltMatcher, pairs: PairBatch) -> torch.Tensor:
    """(B, brands + products)."""
    output = model(pairs)
    return torch.cat([output.brand, output.product], dim=-1)


def mixed() -> PairBatch:
    """Titles and pictures of several sizes, a pair with two pictures and one with none."""
    return pair_batch([7, 4, 5, 2], [[(3, 3)], [(2, 1), (1, 3)], [], [(3, 2)]])


@settings(max_examples=20, deadline=None)
@given(
    titles=st.lists(st.integers(1, 8), min_size=1, max_size=4),
    pictures=st.lists(st.lists(GRIDS, max_size=3), min_size=4, max_size=4),
    padding=st.integers(0, 5),
)
def test_neither_padding_nor_the_rest_of_the_batch_changes_a_pair(
    model: ViltMatcher, titles: list[int], pictures: list[list[tuple[int, int]]], padding: int
) -> None:
    pairs = pair_batch(titles, pictures[: len(titles)], width=max(titles) + padding)
    together = logits(model, pairs)
    for row in range(len(titles)):
        torch.testing.assert_close(together[row], logits(model, only(pairs, row))[0], **CLOSE)


def test_the_words_under_the_padding_are_not_seen(model: ViltMatcher) -> None:
    pairs = mixed()
    other = torch.where(pairs.attention_mask.bool(), pairs.input_ids, 9)
    assert torch.equal(logits(model, pairs), logits(model, replace(pairs, input_ids=other)))


def test_the_order_of_a_pairs_pictures_does_not_matter(model: ViltMatcher) -> None:
    pairs = pair_batch([4, 3], [[(2, 1), (1, 3), (3, 3)], [(2, 2)]])
    assert pairs.pixels is not None
    turned = replace(pairs, pixels=[pairs.pixels[number] for number in (2, 0, 3, 1)], owner=pairs.owner[[2, 0, 3, 1]])
    torch.testing.assert_close(logits(model, pairs), logits(model, turned), **CLOSE)


def test_every_picture_of_a_pair_is_seen(model: ViltMatcher) -> None:
    pairs = pair_batch([4], [[(2, 2), (2, 2)]])
    assert pairs.pixels is not None
    for number in (0, 1):
        changed = [one.flip(1) if place == number else one for place, one in enumerate(pairs.pixels)]
        assert not torch.allclose(logits(model, pairs), logits(model, replace(pairs, pixels=changed)))


def test_a_batch_without_any_picture_is_answered_from_its_titles(model: ViltMatcher) -> None:
    pairs = pair_batch([3, 5], [[], []])
    with_a_third = pair_batch([3, 5, 1], [[], [], [(2, 2)]], width=5)
    same = replace(with_a_third, input_ids=torch.cat([pairs.input_ids, with_a_third.input_ids[2:]]))
    torch.testing.assert_close(logits(model, pairs), logits(model, same)[:2], **CLOSE)
    encoded = model.encode(pairs)
    assert not encoded.image_mask.any()
    assert encoded.grids.shape == (0, 2)


def test_no_picture_gives_gradients_for_all_of_the_transformer() -> None:
    """Processes that train together wait for each other's gradients, also where one has no picture."""
    model = tiny_vilt()
    model(pair_batch([3, 5], [[], []])).product.sum().backward()
    missing = {name for name, one in model.named_parameters() if one.grad is None}
    assert {name for name in missing if not name.startswith(("mlm_head", "itm_head", "brand_head"))} == set()


def test_an_empty_title_is_answered_from_its_picture(model: ViltMatcher) -> None:
    pairs = pair_batch([0, 3], [[(2, 2)], [(1, 1)]])
    one = logits(model, pairs)
    assert one.isfinite().all()
    assert torch.equal(
        one, logits(model, replace(pairs, input_ids=torch.where(pairs.attention_mask > 0, pairs.input_ids, 7)))
    )
    other = pair_batch([0, 3], [[(2, 2)], [(1, 1)]], seed=1)
    assert not torch.allclose(one[0], logits(model, replace(pairs, pixels=other.pixels))[0])


def test_kept_features_answer_as_their_pictures_do(model: ViltMatcher) -> None:
    pairs = mixed()
    assert pairs.pixels is not None
    features, grids = model.extract(pairs.pixels)
    assert torch.equal(logits(model, pairs), logits(model, replace(pairs, pixels=None, patches=features, grids=grids)))


@torch.no_grad()
def test_encode_returns_each_pairs_words_and_patches(model: ViltMatcher) -> None:
    pairs = mixed()
    encoded = model.encode(pairs)
    torch.testing.assert_close(encoded.pooled, model.encode(pairs).pooled)
    assert encoded.text_mask.sum(1).tolist() == [7, 4, 5, 2]
    assert encoded.image_mask.sum(1).tolist() == [9, 5, 0, 6]
    assert encoded.grids.tolist() == [[3, 3], [2, 1], [1, 3], [3, 2]]
    for row in range(4):
        words, patches, first = slow_tokens(model, only(pairs, row))
        torch.testing.assert_close(encoded.text[row, : len(words)], torch.stack(words), rtol=1e-4, atol=1e-4)
        assert not encoded.text[row, len(words) :].any()
        if patches:
            torch.testing.assert_close(encoded.image[row, : len(patches)], torch.stack(patches), rtol=1e-4, atol=1e-4)
        assert not encoded.image[row, len(patches) :].any()
        torch.testing.assert_close(encoded.pooled[row], first, rtol=1e-4, atol=1e-4)


def slow_tokens(model: ViltMatcher, pair: PairBatch) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """One pair through the equations of the paper, one query at a time (Kim et al. 2021, equations 1 to 6)."""
    encoder, side = model.encoder, model.shape.image_size // 32
    sequence, kinds = [], []
    for place, word in enumerate(pair.input_ids[0].tolist()):
        vector = encoder.words.weight[word] + encoder.positions.weight[place] + encoder.text_type
        sequence.append(encoder.text_norm(vector) + encoder.modality.weight[0])
        kinds.append("word")
    for picture in pair.pixels or ():
        rows, columns = picture.shape[1] // 32, picture.shape[2] // 32
        sequence.append(encoder.image_cls + encoder.image_positions[0] + encoder.modality.weight[1])
        kinds.append("image cls")
        learned = encoder.image_positions[1:].T.reshape(1, -1, side, side)
        places = nn.functional.interpolate(learned, size=(rows, columns), mode="bilinear", align_corners=True)[0]
        for row in range(rows):
            for column in range(columns):
                pixels = picture[:, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32].flatten()
                vector = model.project.weight @ pixels + model.project.bias + places[:, row, column]
                sequence.append(vector + encoder.modality.weight[1])
                kinds.append("patch")
    for layer in encoder.layers:
        sequence = slow_layer(layer, sequence)
    sequence = [encoder.norm(vector) for vector in sequence]
    words, patches = (
        [vector for vector, kind in zip(sequence, kinds, strict=True) if kind == wanted] for wanted in ("word", "patch")
    )
    return words, patches, torch.tanh(encoder.pooler(sequence[0]))


def slow_layer(layer: nn.Module, sequence: list[torch.Tensor]) -> list[torch.Tensor]:
    queries, keys, values = zip(*(layer.qkv(layer.norm_before(vector)).chunk(3) for vector in sequence), strict=True)
    width = len(queries[0]) // layer.heads
    result = []
    for place, query in enumerate(queries):
        heads = []
        for head in range(layer.heads):
            part = slice(head * width, (head + 1) * width)
            scores = [float(query[part] @ key[part]) / math.sqrt(width) for key in keys]
            weights = [math.exp(score - max(scores)) for score in scores]
            mixed = sum(weight * value[part] for weight, value in zip(weights, values, strict=True))
            heads.append(mixed / sum(weights))
        attended = layer.out(torch.cat(heads)) + sequence[place]
        result.append(layer.down(nn.functional.gelu(layer.up(layer.norm_after(attended)))) + attended)
    return result


def slow_wide(head: WideHead, parts: list[torch.Tensor]) -> torch.Tensor:
    """Logits of the mean of `parts`, normalised (layer norm, Ba et al. 2016, equation 3), of zero for none."""
    mean = sum(parts) / len(parts) if parts else torch.zeros(head.linear.in_features)
    deviation = math.sqrt(float(((mean - mean.mean()) ** 2).mean()) + head.norm.eps)
    return head.linear(((mean - mean.mean()) / deviation) * head.norm.weight + head.norm.bias)


@torch.no_grad()
def test_the_heads_add_what_the_mean_word_and_the_mean_patch_say(model: ViltMatcher) -> None:
    """Of several pictures each counts once, however many patches it has."""
    pairs = mixed()
    pooled, all_logits = model.encode(pairs).pooled, logits(model, pairs)
    for row in range(4):
        pair = only(pairs, row)
        features, _grids = model.extract(pair.pixels or ())
        wide = slow_wide(model.wide_title, list(model.encoder.words.weight[pair.input_ids[0]]))
        wide = wide + slow_wide(model.wide_picture, [one.mean(0) for one in features])
        narrow = torch.cat([model.brand_head(pooled[row]), model.product_head(pooled[row])])
        torch.testing.assert_close(all_logits[row], narrow + wide, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wide", [True, False])
def test_it_learns_brands_and_products_of_one_batch_by_heart(wide: bool) -> None:
    torch.manual_seed(0)
    model = tiny_vilt(wide=wide).train()
    pairs = pair_batch([4, 7, 3, 5, 1, 6], [[(2, 2)], [(1, 2), (2, 1)], [], [(3, 3)], [(2, 2)], [(2, 2)]])
    brands, products = torch.arange(6) % 3, torch.arange(6) % 5
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(100):
        output = model(pairs)
        parts = brand_product_loss(
            brand_logits=output.brand, product_logits=output.product, brand_labels=brands, product_labels=products
        )
        loss = parts["brand"].mean + parts["product"].mean
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_it_learns_the_words_and_the_matches_of_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    model = tiny_vilt(brands=0, products=0).train()
    pairs = pair_batch([4, 7, 3, 5], [[(2, 2)], [(1, 2), (2, 1)], [(2, 2)], [(3, 3)]])
    labels = torch.full_like(pairs.input_ids, -100)
    labels[:, 1] = pairs.input_ids[:, 1]
    pairs.input_ids[:, 1] = 4  # [MASK]
    matched = torch.tensor([True, False, True, False])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        encoded = model.encode(pairs)
        asked = labels != -100
        words = masked_language_loss(model.mlm_logits(encoded.text[asked]), labels[asked])
        loss = words.mean + image_text_matching_loss(model.itm_logits(encoded.pooled), matched).mean
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def test_two_runs_are_equal_bit_for_bit() -> None:
    def run() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = tiny_vilt(dropout=0.1).train()
        output = model(mixed())
        (output.brand.square().sum() + output.product.square().sum()).backward()
        gradients = [one.grad for one in model.parameters() if one.grad is not None]
        return [output.brand, output.product, *gradients]

    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # what is added up by several must be added up in one order
    try:
        assert all(torch.equal(one, other) for one, other in zip(run(), run(), strict=True))
    finally:
        torch.set_num_threads(threads)


def test_a_pre_trained_model_knows_no_brands_and_products() -> None:
    with pytest.raises(ValueError, match="only pre-trained"):
        tiny_vilt(brands=0, products=0)(mixed())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("heads", 5),
        ("heads", 0),
        ("image_size", 65),
        ("image_size", 0),
        ("patch_embedding", "conv"),
        ("layers", 0),
        ("vocabulary_size", 0),
        ("hidden_size", 0),
        ("intermediate_size", -1),
        ("max_tokens", 0),
        ("products", 0),
        ("brands", 0),
        ("brands", -1),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("layer_norm_eps", 0.0),
        ("frozen_blocks", -1),
    ],
)
def test_an_impossible_shape_is_named(name: str, value: Any) -> None:
    values = {"vocabulary_size": 50, "brands": 3, "products": 5, name: value}
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        ViltConfig(**values)
