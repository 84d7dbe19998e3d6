"""In which precision "auto" trains."""

from pathlib import Path

import pytest
import torch

from ml.training import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capabilities", "vendor", "expected"),
    [
        ({}, "AuthenticAMD", False),
        ({"avx512_bf16": True}, "AuthenticAMD", True),
        ({"avx512_bf16": True}, "GenuineIntel", False),
        ({"avx512_bf16": True, "amx_bf16": True}, "GenuineIntel", True),
    ],
)
def test_auto_is_bfloat16_where_that_is_quicker(
    capabilities: dict[str, bool], vendor: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nvendor_id : {vendor}\n")
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert precision.trains_in_bfloat16(CPU, "auto") is expected
    assert precision.trains_in_bfloat16(CPU, "bfloat16") is True
    assert precision.trains_in_bfloat16(CPU, "float32") is False


def test_without_a_list_of_processors_the_instructions_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "nowhere")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert precision.trains_in_bfloat16(CPU, "auto") is True
