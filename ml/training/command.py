"""`python -m ml train` and `python -m ml configs`."""

import argparse
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from ml.training.config import read_config
from ml.training.configs import available_configs
from ml.training.progress import TrainingProgress
from ml.training.run import train


def add_to(commands: argparse._SubParsersAction) -> None:
    """The two commands and their options."""
    command = commands.add_parser(
        "train",
        help="train a model from a dataset folder",
        description="Train a model. With --work an interrupted training goes on where its last checkpoint is. "
        "On several GPUs: torchrun --nproc-per-node N -m ml train …",
    )
    command.add_argument("config", type=Path, help="for example ml/configs/vilt_demo.yaml")
    command.add_argument("changes", nargs="*", metavar="key=value", help="for example epochs=10 model.layers=2")
    command.add_argument("--data", type=Path, required=True, help="the dataset folder")
    command.add_argument("--output", type=Path, required=True, help="the model folder to write")
    command.add_argument("--work", type=Path, help="folder for log, curve and checkpoints; by default thrown away")
    command.set_defaults(run=_train)
    command = commands.add_parser("configs", help="the configurations that come with the library")
    command.set_defaults(run=_configs)


def _train(options: argparse.Namespace) -> None:
    first = os.environ.get("RANK", "0") == "0"
    with tqdm(desc="reading", file=sys.stderr, mininterval=0.5, disable=not first) as bar:

        def show(progress: TrainingProgress) -> None:
            if progress.stage != bar.desc.removesuffix(": "):
                bar.reset(progress.total_steps)
                bar.set_description(progress.stage)
            figures = {"loss": progress.losses.get("total")} | progress.val
            bar.set_postfix({name: f"{one:.3f}" for name, one in figures.items() if one is not None}, refresh=False)
            bar.update(progress.step - bar.n)

        config = read_config(options.config, options.changes)
        result = train(config, dataset=options.data, output=options.output, work=options.work, on_progress=show)
    if first:
        print(json.dumps(result.metrics, ensure_ascii=False), flush=True)  # noqa: T201


def _configs(options: argparse.Namespace) -> None:
    for config in available_configs():
        print(f"{config.name}\t{config.kind}\t{config.summary}")  # noqa: T201
