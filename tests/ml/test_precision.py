"""Serving in 8-bit integers and in bfloat16: near float32, independent of the batch, refused where it cannot be."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ml.models.inputs import PairBatch
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.serving import Pair, Predictor
from ml.serving.int8 import LEAST_GELU, ROWS, Int8Linear
from ml.serving.model_folder import load_model_folder
from ml.serving.precision import NARROW, choose_precision, in_precision
from ml.training import train
from tests.ml.factories import COLOURS, NAMES, tiny_config, write_dataset, write_picture

CPU = torch.device("cpu")


def slow_int8(linear: nn.Linear, tokens: torch.Tensor) -> torch.Tensor:
    """Each token and each row of the matrix rounded alone to 127 steps of its own size, to both sides."""

    def rounded(row: torch.Tensor) -> tuple[torch.Tensor, float]:
        scale = float(row.abs().max()) / 127
        return torch.floor(row.double() / scale + 0.5), scale

    out = torch.zeros(len(tokens), linear.out_features, dtype=torch.float64)
    for t, token in enumerate(tokens):
        for n, weights in enumerate(linear.weight.detach()):
            (x, x_scale), (w, w_scale) = rounded(token), rounded(weights)
            out[t, n] = float(x @ w) * x_scale * w_scale + float(linear.bias.detach()[n])
    return out


def random_linear(width: int, out: int, *, seed: int) -> tuple[nn.Linear, torch.Generator]:
    random = torch.Generator().manual_seed(seed)
    linear = nn.Linear(width, out)
    for parameter in linear.parameters():
        nn.init.normal_(parameter, generator=random)
    return linear, random


@settings(deadline=None, max_examples=25)
@given(
    rows=st.integers(1, 5),
    width=st.integers(1, 40),
    out=st.integers(1, 9),
    size=st.floats(1e-6, 1e6),
    seed=st.integers(0, 2**20),
)
def test_a_linear_layer_rounds_each_token_and_each_row_alone(
    rows: int, width: int, out: int, size: float, seed: int
) -> None:
    linear, random = random_linear(width, out, seed=seed)
    tokens = torch.randn(rows, width, generator=random) * size
    found, wanted = Int8Linear(linear)(tokens).double(), slow_int8(linear, tokens)
    # A value half-way between two steps may fall to either: one step of one of `width` values.
    step = tokens.abs().amax(1, keepdim=True) / 127 * linear.weight.detach().abs().max() + 1e-5
    assert bool(((found - wanted).abs() <= step + 1e-4 * wanted.abs()).all())


def test_a_known_least_value_halves_the_error() -> None:
    linear, random = random_linear(512, 64, seed=1)
    tokens = nn.functional.gelu(torch.randn(100, 512, generator=random))
    with torch.inference_mode():
        right = linear(tokens)
        both_sides, from_least = Int8Linear(linear)(tokens), Int8Linear(linear, least=LEAST_GELU)(tokens)
    assert float((from_least - right).norm() / right.norm()) < 0.01
    assert float((from_least - right).norm()) < 0.8 * float((both_sides - right).norm())


def test_no_value_of_gelu_is_below_its_least() -> None:
    assert float(nn.functional.gelu(torch.linspace(-20, 0, 100_001, dtype=torch.float64)).min()) >= LEAST_GELU


def test_a_token_of_zeros_gives_the_bias() -> None:
    linear, _random = random_linear(8, 5, seed=2)
    for least in (None, LEAST_GELU):
        found = Int8Linear(linear, least=least)(torch.zeros(3, 8))
        torch.testing.assert_close(found, linear.bias.detach().expand(3, 5), atol=0.02, rtol=0)


@pytest.fixture(scope="module")
def matcher() -> ViltMatcher:
    torch.manual_seed(0)
    shape = ViltConfig(
        vocabulary_size=60, brands=3, products=5, hidden_size=64, layers=3, heads=4, intermediate_size=128,
        image_size=96, dropout=0.0, patch_embedding="linear", train_patches=True, wide=False,
    )  # fmt: skip
    return ViltMatcher(shape).eval()


def batch(rows: list[int]) -> PairBatch:
    """The pairs of these numbers, always the same: titles of several lengths, pictures of several sizes or none."""
    sizes = [(96, 96), (64, 128), (32, 320), (128, 64), None, (96, 32)]
    random = [torch.Generator().manual_seed(row) for row in rows]
    lengths = [2 + row % 7 for row in rows]
    ids = torch.zeros(len(rows), max(lengths), dtype=torch.int64)
    for place, length in enumerate(lengths):
        ids[place, :length] = torch.randint(1, 60, (length,), generator=random[place])
    shown = [(place, sizes[row % 6]) for place, row in enumerate(rows)]
    return PairBatch(
        input_ids=ids,
        attention_mask=(ids > 0).long(),
        owner=torch.tensor([place for place, size in shown if size], dtype=torch.int64),
        pixels=[torch.randn(3, *size, generator=random[place]) for place, size in shown if size],
    )


@torch.inference_mode()
def test_the_whole_model_is_near_float32_and_no_pair_depends_on_another(matcher: ViltMatcher) -> None:
    int8 = in_precision(copy.deepcopy(matcher), "int8")
    rows = list(range(24))
    many = batch(rows)
    assert int(many.attention_mask.sum()) + sum(pixels[0].numel() // 1024 for pixels in many.pixels or []) > ROWS
    right, together = matcher(many).product, int8(many).product
    assert float((together - right).norm() / right.norm()) < 0.03
    alone = torch.cat([int8(batch([row])).product for row in rows])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


@torch.inference_mode()
def test_all_tokens_are_near_float32_too(matcher: ViltMatcher) -> None:
    int8, pairs = in_precision(copy.deepcopy(matcher), "int8"), batch([0, 1, 4, 8])
    right, found = matcher.encode(pairs), int8.encode(pairs)
    for name in ("text", "image", "pooled"):
        left, other = getattr(found, name), getattr(right, name)
        assert float((left - other).norm() / other.norm()) < 0.03


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of four products that knows them from their pictures; two layers, so that errors may add up."""
    folder = tmp_path_factory.mktemp("int8")
    data = write_dataset(folder / "dataset", products=4, train=8)
    config = tiny_config(**{"model.layers": 2, "model.hidden_size": 64, "max_steps": 80})
    return train(config, dataset=data, output=folder / "model").folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """400 pictures and titles between the products: mixed colours, so that many are doubtful."""
    folder, random = tmp_path_factory.mktemp("asked"), np.random.default_rng(3)
    asked = []
    for number in range(400):
        one, other = random.choice(4, size=2, replace=False)
        share = random.random() * 0.5
        mixed = np.asarray(COLOURS[one]) * (1 - share) + np.asarray(COLOURS[other]) * share
        red, green, blue = (int(value) for value in mixed)
        picture = write_picture(folder / f"{number}.png", (red, green, blue), seed=number, size=(70, 50 + number % 40))
        asked.append(Pair(picture, NAMES[one] if number % 2 else ""))
    return asked


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_the_best_product_is_that_of_float32(trained: Path, pairs: list[Pair], precision: str) -> None:
    wanted = Predictor.load(trained, precision="float32").probabilities(pairs)
    found = Predictor.load(trained, precision=precision).probabilities(pairs)  # type: ignore[arg-type]
    assert (found.product.argmax(1) == wanted.product.argmax(1)).mean() >= 0.995
    assert (found.brand.argmax(1) == wanted.brand.argmax(1)).mean() >= 0.995
    assert len(set(wanted.product.argmax(1))) == 4


def test_nothing_of_it_is_kept_in_the_folder(trained: Path) -> None:
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    Predictor.load(trained, precision="int8")
    assert {path.name: path.read_bytes() for path in trained.iterdir()} == before


def test_narrow_models_stay_in_float32(trained: Path) -> None:
    assert Predictor.load(trained).precision == "float32" or torch.cuda.is_available()
    assert choose_precision("auto", device=CPU, width=NARROW - 1) == "float32"


def test_wide_models_use_int8_where_the_processor_has_it() -> None:
    capabilities = torch.cpu.get_capabilities()
    quick = any(capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
    assert choose_precision("auto", device=CPU, width=768) == ("int8" if quick else "float32")


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "int8"])
def test_what_is_asked_for_is_done(wanted: str) -> None:
    assert choose_precision(wanted, device=CPU, width=64) == wanted  # type: ignore[arg-type]


def test_an_unknown_precision_is_named(trained: Path) -> None:
    with pytest.raises(ValueError, match="precision='int4' is none of auto, float32"):
        Predictor(load_model_folder(trained), precision="int4")  # type: ignore[arg-type]


def test_int8_on_a_gpu_is_refused() -> None:
    with pytest.raises(ValueError, match="x86 CPUs, and this computes on cuda"):
        choose_precision("int8", device=torch.device("cuda"), width=768)
