import torch
from torch import nn

from ml.models.patches import CHUNK, EfficientNetLitePatches, RawPatches


def test_raw_patches_and_a_linear_layer_are_a_strided_convolution() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 8, kernel_size=32, stride=32)
    pixels = torch.randn(2, 3, 64, 96)
    wanted = convolution(pixels).flatten(2).transpose(1, 2)  # (B, 8, 2, 3) → (B, 6, 8)
    patches = RawPatches()(pixels)
    assert patches.shape == (2, 6, RawPatches.width)
    torch.testing.assert_close(
        nn.functional.linear(patches, convolution.weight.flatten(1), convolution.bias), wanted, rtol=1e-4, atol=1e-4
    )


def test_the_packaged_network_is_frozen_and_knows_imagenet() -> None:
    patches = EfficientNetLitePatches(pretrained=True).train()
    assert not patches.training
    assert not any(parameter.requires_grad for parameter in patches.parameters())
    torch.manual_seed(0)
    untrained = EfficientNetLitePatches(pretrained=False)
    weight = "trunk._conv_stem.weight"
    assert not torch.equal(patches.state_dict()[weight], untrained.state_dict()[weight])


@torch.inference_mode()
def test_a_picture_has_the_same_features_whatever_the_batch() -> None:
    torch.manual_seed(0)
    network = EfficientNetLitePatches(pretrained=True)
    pixels = torch.randn(CHUNK + 2, 3, 64, 64)
    together = network(pixels)
    assert together.shape == (CHUNK + 2, 4, 1280)
    for row in (0, CHUNK - 1, CHUNK + 1):
        torch.testing.assert_close(network(pixels[row : row + 1])[0], together[row], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_the_grid_keeps_its_order_row_by_row() -> None:
    """A cell's features depend most on what lies in it: change one corner, and that corner's cell changes most."""
    network = EfficientNetLitePatches(pretrained=True)
    torch.manual_seed(0)
    pixels = torch.zeros(1, 3, 256, 256)
    changed = pixels.clone()
    changed[..., :32, -32:] = torch.randn(3, 32, 32)  # top right
    difference = (network(changed) - network(pixels)).norm(dim=-1)[0]  # (64,)
    assert int(difference.argmax()) % 8 >= 6
    assert int(difference.argmax()) // 8 <= 1
