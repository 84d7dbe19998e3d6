"""ViLT's transformer alone: only the pooled vector, exported, compiled."""

import shutil
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch.export import Dim

from ml.models.layout import Layout
from ml.models.packing import Packing
from ml.models.vilt_encoder import PackedOutput, ViltEncoder
from tests.ml.vilt_factories import pair_batch, tiny_vilt

MIXED: tuple[Sequence[int], Sequence[Sequence[tuple[int, int]]]] = (
    [7, 4, 5, 2],
    [[(3, 3)], [(2, 1), (1, 3)], [], [(3, 2)]],
)
OTHER: tuple[Sequence[int], Sequence[Sequence[tuple[int, int]]]] = ([3, 9, 1], [[(1, 2), (2, 2)], [(3, 1)], [(1, 1)]])
CLOSE = {"rtol": 1e-5, "atol": 1e-5}

for part in (Layout, Packing, PackedOutput):
    torch.export.register_dataclass(part)


def inputs(
    batch: tuple[Sequence[int], Sequence[Sequence[tuple[int, int]]]] = MIXED, **shape: Any
) -> tuple[ViltEncoder, dict[str, Any]]:
    """A tiny encoder, and what it takes for titles and pictures of these sizes."""
    model = tiny_vilt(**shape)
    pairs = pair_batch(*batch)
    with torch.no_grad():
        patches, grids = model._patches(pairs)
        projected, layout = model._project(patches), model._lay_out(pairs, grids)
    return model.encoder, {"input_ids": pairs.input_ids, "patches": projected, "layout": layout}


@pytest.mark.parametrize("batch", [MIXED, OTHER, ([3, 3], [[(2, 2)], [(2, 2)]]), ([3, 4], [[], []])])
@pytest.mark.parametrize("layers", [1, 2])
def test_only_pooled_equals_the_whole_computation(batch: Any, layers: int) -> None:
    """Its gradients too."""
    encoder, given = inputs(batch, layers=layers)
    names, weights = zip(*encoder.named_parameters(), strict=True)
    outputs = [encoder(**given), encoder(**given, only_pooled=True)]
    assert outputs[1].tokens is None
    torch.testing.assert_close(outputs[1].pooled, outputs[0].pooled, **CLOSE)
    whole, short = (
        torch.autograd.grad(output.pooled.square().sum(), weights, materialize_grads=True, allow_unused=True)
        for output in outputs
    )
    for name, one, other in zip(names, short, whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, msg=name)


@torch.no_grad()
def test_exported_once_it_answers_batches_of_all_sizes() -> None:
    encoder, given = inputs()
    any_size = {0: Dim.AUTO}
    sizes = {
        "input_ids": {0: Dim.AUTO, 1: Dim.AUTO},
        "patches": any_size,
        "layout": [any_size] * 6 + [[any_size, any_size, {0: Dim.AUTO, 3: Dim.AUTO}]],
    }
    exported = torch.export.export(encoder, (), given, dynamic_shapes=sizes).module()
    for batch in (MIXED, OTHER):
        _encoder, given = inputs(batch)
        answer, expected = exported(**given), encoder(**given)
        torch.testing.assert_close(answer.tokens, expected.tokens, **CLOSE)
        torch.testing.assert_close(answer.pooled, expected.pooled, **CLOSE)


@torch.no_grad()
def test_exported_for_pairs_of_one_size_it_needs_no_mask() -> None:
    encoder, given = inputs(([3, 3], [[(2, 2)], [(2, 2)]]))
    exported = torch.export.export(encoder, (), given | {"only_pooled": True})
    assert not [node for node in exported.graph.nodes if "index_copy" in str(node.target)]
    answer = exported.module()(**given, only_pooled=True)
    torch.testing.assert_close(answer.pooled, encoder(**given).pooled, **CLOSE)


def test_traced_as_one_graph_its_gradients_are_the_same() -> None:
    """aot_eager: the graphs forward and backward as they would be compiled, without a compiler."""
    encoder, given = inputs(layers=1)
    weights = list(encoder.parameters())
    traced = torch.compile(encoder, backend="aot_eager", fullgraph=True)
    for answer in (traced(**given), encoder(**given)):
        assert answer.tokens is not None
    found, expected = (
        torch.autograd.grad(one(**given).pooled.square().sum(), weights, allow_unused=True) for one in (traced, encoder)
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler (c++) is installed")
@torch.no_grad()
def test_compiled_it_answers_the_same() -> None:
    encoder, given = inputs(layers=1)
    answer, expected = torch.compile(encoder, fullgraph=True)(**given), encoder(**given)
    torch.testing.assert_close(answer.tokens, expected.tokens, **CLOSE)
    torch.testing.assert_close(answer.pooled, expected.pooled, **CLOSE)
