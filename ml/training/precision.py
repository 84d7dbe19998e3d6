"""Where bfloat16 pays: training is more than twice as fast where the hardware multiplies in it, slower elsewhere."""

from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether `device` has bfloat16 units: most GPUs since 2020, x86 CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def trains_in_bfloat16(device: torch.device, precision: str) -> bool:
    """What `precision` ("auto", "float32", "bfloat16") means on `device`.

    AVX512-BF16 is twice float32's rate on AMD's processors. On Intel's it is no quicker than float32 (41 against 65
    GFLOP/s measured on a virtual Xeon whose AMX was hidden), so there only AMX counts.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type != "cpu":
        return computes_in_bfloat16(device)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or (capabilities.get("avx512_bf16") and not _is_intel()))


def _is_intel() -> bool:
    return CPU_INFO.exists() and "GenuineIntel" in CPU_INFO.read_text(encoding="utf-8", errors="replace")
