"""run.json: what a training was, so that it can be repeated and told from others."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ml.data.records import Dataset
from ml.training.config import ConfigError, TrainConfig

NAME = "run.json"
PACKAGES = ("torch", "transformers", "accelerate", "tokenizers", "safetensors", "numpy", "Pillow")


def make_manifest(config: TrainConfig, data: Dataset, *, device: torch.device, world: int) -> dict[str, Any]:
    """Configuration, data, seed, versions, machine and time of the start."""
    return {
        "config": config.as_dict(),
        "dataset": {"hash": data.manifest.get("hash", ""), "counts": data.manifest.get("counts", {})},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "machine": {
            "device": torch.cuda.get_device_name()
            if device.type == "cuda"
            else platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "processes": world,
            "system": sys.platform,
        },
        "started_at": datetime.now(UTC).isoformat(),
    }


def claim_work_folder(work: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest into a new work folder, or check that the one there is of the same training.

    Returns the manifest that now holds. Raises ConfigError when the folder's training had another configuration or
    other data: its checkpoints would be taken for this one's.
    """
    path = work / NAME
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        was, now = before["config"], json.loads(json.dumps(manifest["config"]))
        changed = sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
        if changed:
            key = changed[0]
            raise ConfigError(
                f"{work} holds a training with {key}={was.get(key)!r}, not {now.get(key)!r}: name a new folder"
            )
        if before["dataset"]["hash"] != manifest["dataset"]["hash"]:
            raise ConfigError(f"{work} holds a training on other data: name a new folder")
        return before
    work.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(temporary, path)
    return manifest
