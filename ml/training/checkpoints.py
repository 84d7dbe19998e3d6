"""Checkpoints of a work folder: only whole ones count, so a kill at any moment loses no more than the steps since.

WORK/checkpoints/checkpoint-120/   model.safetensors, optimizer.pt, scheduler.pt, rng_state.pth, trainer_state.json,
                                   average.safetensors where weights are averaged, and `whole`, written last
"""

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ml.serving.model_folder import sync_to_disk

MARK = "whole"
KEPT = 2


def newest_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint in `folder`; what a crash left half written is removed."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / MARK).exists():
            whole.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)  # another process may be at it too
    return max(whole, key=checkpoint_step, default=None)


def checkpoint_step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


class MarkWhole(TrainerCallback):
    """The last of the callbacks on a save: syncs the checkpoint to the disk, then marks it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            checkpoint = self.folder / f"checkpoint-{state.global_step}"
            for path in checkpoint.iterdir():
                sync_to_disk(path)
            (checkpoint / MARK).touch()
            sync_to_disk(checkpoint)
            older = sorted(self.folder.glob("checkpoint-*"), key=checkpoint_step)[:-KEPT]
            for path in older:
                (path / MARK).unlink(missing_ok=True)  # a removal cut short must not look whole
                shutil.rmtree(path)
