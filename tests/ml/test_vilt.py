"""The ViLT matcher: parity with transformers from pixels on, a slow oracle, padding, overfitting, bad shapes."""

import math

import pytest
import torch
from torch import nn
from transformers import ViltConfig as TransformersViltConfig
from transformers import ViltModel

from ml.models.vilt import ViltConfig, ViltMatcher, WideHead
from ml.objectives.brand_product import brand_product_loss

SHAPE = ViltConfig(
    vocabulary_size=50,
    brands=3,
    products=5,
    hidden_size=16,
    layers=2,
    heads=2,
    image_size=64,
    dropout=0.0,
    patch_embedding="linear",
)


@pytest.fixture
def model() -> ViltMatcher:
    torch.manual_seed(0)
    model = ViltMatcher(SHAPE).eval()
    for parameter in model.parameters():  # away from the initial zeros and ones, which would hide mistakes
        nn.init.normal_(parameter, std=0.2)
    return model


def inputs(*, rows: int = 4, tokens: int = 7, seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    mask = torch.ones(rows, tokens, dtype=torch.long)
    mask[0, 4:] = 0
    return {
        "input_ids": torch.randint(5, 50, (rows, tokens), generator=random),
        "attention_mask": mask,
        "pixels": torch.randn(rows, 3, 64, 64, generator=random),
    }


@torch.no_grad()
def pool(model: ViltMatcher, given: dict[str, torch.Tensor]) -> torch.Tensor:
    patches = model.extract(given["pixels"])
    return model.pool(
        input_ids=given["input_ids"],
        attention_mask=given["attention_mask"],
        patches=patches,
        patch_mask=torch.ones(patches.shape[:2], dtype=torch.long),
    )


@torch.no_grad()
def answer(model: ViltMatcher, given: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    patches = model.extract(given["pixels"])
    output = model(
        input_ids=given["input_ids"],
        attention_mask=given["attention_mask"],
        patches=patches,
        patch_mask=torch.ones(patches.shape[:2], dtype=torch.long),
    )
    return output.brand, output.product


@torch.no_grad()
def test_it_equals_transformers_vilt_with_the_same_weights(model: ViltMatcher) -> None:
    """With raw patches this is ViLT itself: transformers' model, given the pixels, must pool the same vector."""
    given = inputs()
    theirs = ViltModel(model.vilt.config).eval()
    weights = model.vilt.state_dict()
    kernel = model.project.weight.unflatten(1, (3, 32, 32))  # (D, 3·32·32) → (D, 3, 32, 32)
    weights["embeddings.patch_embeddings.projection.weight"] = kernel
    weights["embeddings.patch_embeddings.projection.bias"] = model.project.bias
    theirs.load_state_dict(weights)
    pooled = theirs(
        input_ids=given["input_ids"], attention_mask=given["attention_mask"], pixel_values=given["pixels"]
    ).pooler_output
    torch.testing.assert_close(pool(model, given), pooled, rtol=1e-5, atol=1e-5)


def test_the_architecture_is_transformers_own_but_for_the_patches() -> None:
    names = set(ViltMatcher(SHAPE).vilt.state_dict())
    theirs = set(
        ViltModel(TransformersViltConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2)).state_dict()
    )
    patches = {f"embeddings.patch_embeddings.projection.{part}" for part in ("weight", "bias")}
    assert theirs - names == patches
    assert names <= theirs


def slow_vector(model: ViltMatcher, given: dict[str, torch.Tensor], row: int) -> torch.Tensor:
    """One pair through the equations of the paper, one query at a time (Kim et al. 2021, equations 1 to 6)."""
    vilt, embeddings = model.vilt, model.vilt.embeddings
    text = embeddings.text_embeddings
    sequence = []
    for place in range(int(given["attention_mask"][row].sum())):
        token = text.word_embeddings.weight[given["input_ids"][row, place]]
        vector = token + text.position_embeddings.weight[place] + text.token_type_embeddings.weight[0]
        sequence.append(text.LayerNorm(vector) + embeddings.token_type_embeddings.weight[0])
    image = [embeddings.cls_token[0, 0]]
    for top in (0, 32):
        for left in (0, 32):
            pixels = given["pixels"][row, :, top : top + 32, left : left + 32]
            image.append(model.project.weight @ pixels.flatten() + model.project.bias)
    for place, vector in enumerate(image):
        where = embeddings.position_embeddings[0, place]
        sequence.append(vector + where + embeddings.token_type_embeddings.weight[1])
    for layer in vilt.encoder.layer:
        sequence = slow_layer(layer, sequence)
    return torch.tanh(vilt.pooler.dense(vilt.layernorm(sequence[0])))


def slow_layer(layer: nn.Module, sequence: list[torch.Tensor]) -> list[torch.Tensor]:
    attention = layer.attention.attention
    width = attention.attention_head_size
    normed = [layer.layernorm_before(vector) for vector in sequence]
    queries, keys, values = (
        [linear(vector) for vector in normed] for linear in (attention.query, attention.key, attention.value)
    )
    result = []
    for place, query in enumerate(queries):
        heads = []
        for head in range(attention.num_attention_heads):
            part = slice(head * width, (head + 1) * width)
            scores = [float(query[part] @ key[part]) / math.sqrt(width) for key in keys]
            weights = [math.exp(score - max(scores)) for score in scores]
            mixed = sum(weight * value[part] for weight, value in zip(weights, values, strict=True))
            heads.append(mixed / sum(weights))
        attended = layer.attention.output.dense(torch.cat(heads)) + sequence[place]
        inner = nn.functional.gelu(layer.intermediate.dense(layer.layernorm_after(attended)))
        result.append(layer.output.dense(inner) + attended)
    return result


@torch.no_grad()
@pytest.mark.parametrize("row", [0, 1])
def test_it_equals_the_papers_equations_step_by_step(model: ViltMatcher, row: int) -> None:
    given = inputs()
    torch.testing.assert_close(pool(model, given)[row], slow_vector(model, given, row), rtol=1e-4, atol=1e-4)


def slow_wide(head: WideHead, parts: list[torch.Tensor]) -> torch.Tensor:
    """Logits of the mean of `parts`, normalised (layer norm, Ba et al. 2016, equation 3)."""
    mean = sum(parts) / len(parts)
    deviation = math.sqrt(float(((mean - mean.mean()) ** 2).mean()) + head.norm.eps)
    return (
        head.linear.weight @ ((mean - mean.mean()) / deviation * head.norm.weight + head.norm.bias) + head.linear.bias
    )


@torch.no_grad()
@pytest.mark.parametrize("row", [0, 1])
def test_the_heads_add_what_the_mean_token_and_the_mean_patch_say(model: ViltMatcher, row: int) -> None:
    given = inputs()
    brand, product = answer(model, given)
    ids = given["input_ids"][row, : int(given["attention_mask"][row].sum())]
    tokens = [model.vilt.embeddings.text_embeddings.word_embeddings.weight[number] for number in ids]
    patches = list(model.extract(given["pixels"])[row])
    wide = slow_wide(model.wide_title, tokens) + slow_wide(model.wide_picture, patches)
    pooled = pool(model, given)[row]
    torch.testing.assert_close(brand[row], model.brand_head(pooled) + wide[:3], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(product[row], model.product_head(pooled) + wide[3:], rtol=1e-4, atol=1e-4)


def test_padding_changes_nothing(model: ViltMatcher) -> None:
    given = inputs()
    longer = dict(given)
    longer["input_ids"] = nn.functional.pad(given["input_ids"], (0, 20), value=9)
    longer["attention_mask"] = nn.functional.pad(given["attention_mask"], (0, 20))
    for short, padded in zip(answer(model, given), answer(model, longer), strict=True):
        torch.testing.assert_close(padded, short, rtol=1e-5, atol=1e-5)


def test_the_rest_of_the_batch_changes_nothing(model: ViltMatcher) -> None:
    given = inputs()
    together = answer(model, given)
    for row in range(4):
        alone = answer(model, {name: value[row : row + 1] for name, value in given.items()})
        for one, all_rows in zip(alone, together, strict=True):
            torch.testing.assert_close(one[0], all_rows[row], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_masked_picture_is_not_seen_and_a_shown_one_is(model: ViltMatcher) -> None:
    given = inputs()
    text = {name: given[name] for name in ("input_ids", "attention_mask")}
    patches = model.extract(given["pixels"])
    other = model.extract(given["pixels"].flip(0))
    unseen, seen = torch.zeros(4, 4, dtype=torch.long), torch.ones(4, 4, dtype=torch.long)
    same = [model(**text, patches=one, patch_mask=unseen).product for one in (patches, other)]
    torch.testing.assert_close(*same)
    differ = [model(**text, patches=one, patch_mask=seen).product for one in (patches, other)]
    assert not torch.allclose(*differ)


def test_it_learns_one_batch_by_heart() -> None:
    torch.manual_seed(0)
    model = ViltMatcher(SHAPE).train()
    given = inputs(rows=8)
    brands, products = torch.arange(8) % 3, torch.arange(8) % 5
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    patches = model.extract(given["pixels"])
    seen = torch.ones(patches.shape[:2], dtype=torch.long)
    for _ in range(100):
        output = model(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"], patches=patches, patch_mask=seen
        )
        loss = brand_product_loss(
            brand_logits=output.brand, product_logits=output.product, brand_labels=brands, product_labels=products
        )
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
    assert loss.total.item() < 0.02


def test_a_wrong_number_of_patches_is_named(model: ViltMatcher) -> None:
    given = inputs()
    with pytest.raises(ValueError, match="9 patches, but image_size=64 makes 4"):
        model(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            patches=torch.zeros(4, 9, 3072),
            patch_mask=torch.ones(4, 9, dtype=torch.long),
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("heads", 3), ("image_size", 65), ("patch_embedding", "conv"), ("layers", 0), ("products", 0), ("brands", 0)],
)
def test_an_impossible_shape_is_named(name: str, value: object) -> None:
    values = vars(SHAPE) | {name: value}
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        ViltConfig(**values)
