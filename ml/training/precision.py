"""Where bfloat16 pays: training is more than twice as fast where the hardware computes in it, slower elsewhere."""

import torch


def trains_in_bfloat16(device: torch.device) -> bool:
    """Whether `device` has bfloat16 units: most GPUs since 2020, x86 CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
