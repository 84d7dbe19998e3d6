"""In which numbers a model answers: what the machine computes quickly, made from the folder's float32 at load time.

float32    everywhere right, and as quick as anything for a small model on a CPU
bfloat16   for GPUs. On a CPU only if asked for: with AVX512-BF16 alone some are slower in it than in float32
int8       for CPUs with VNNI (`ml.serving.int8`): the products of a wide transformer in a quarter of the time
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, get_args

import torch
from torch import nn

from ml.models.vilt import ViltMatcher
from ml.models.vilt_encoder import ViltLayer
from ml.serving.int8 import Int8Linear, Int8ViltLayer
from ml.training.precision import computes_in_bfloat16

Precision = Literal["auto", "float32", "bfloat16", "int8"]
VNNI = ("avx512_vnni", "avx_vnni", "amx_int8")
NARROW = 384  # a narrower transformer spends its time elsewhere: in the picture network, and between the products


def choose_precision(wanted: Precision, *, device: torch.device, width: int) -> Precision:
    """What "auto" means on `device` for a transformer of `width`; anything else is taken at its word.

    Raises ValueError for a name that is not known, and for int8 where there are no kernels for it.
    """
    if wanted not in get_args(Precision):
        raise ValueError(f"precision={wanted!r} is none of {', '.join(get_args(Precision))}")
    if wanted == "int8" and (device.type != "cpu" or "onednn" not in torch.backends.quantized.supported_engines):
        raise ValueError(f"precision='int8' is for x86 CPUs, and this computes on {device.type}")
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16" if computes_in_bfloat16(device) else "float32"
    capabilities = torch.cpu.get_capabilities()
    return "int8" if width >= NARROW and any(capabilities.get(name) for name in VNNI) else "float32"


def in_precision(model: ViltMatcher, precision: Precision) -> ViltMatcher:
    """The same model with what int8 replaces replaced; it can no longer learn, nor be saved."""
    if precision == "int8":
        model.requires_grad_(False)
        model.project = Int8Linear(model.project)  # type: ignore[assignment]  # it is called in the same way
        model.encoder.layers = nn.ModuleList(
            Int8ViltLayer(layer) for layer in model.encoder.layers if isinstance(layer, ViltLayer)
        )
    return model


def computing_in(precision: Precision, *, device: torch.device) -> AbstractContextManager[object]:
    """A context in which float32 products are computed in bfloat16, if that is the precision."""
    if precision == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
