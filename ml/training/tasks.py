"""The kinds of training that there are. Another architecture adds its line here and a module with two classes.

Configurations are read without torch, so the two classes live in two modules: `…_config`, and the task that computes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from ml.data.batches import Draw
    from ml.objectives.part import LossPart
    from ml.serving.model_folder import ModelFolder
    from ml.training.config import TrainConfig

Kind = Literal["pretrain", "finetune"]


@dataclass(frozen=True)
class TaskEntry:
    """Where the classes of a task are, as "module:class"."""

    kind: Kind
    config: str
    task: str


TASKS = {
    "vilt_pretrain": TaskEntry(
        "pretrain", "ml.training.vilt_config:ViltPretrainConfig", "ml.training.vilt_pretrain:ViltPretrain"
    ),
    "vilt_finetune": TaskEntry(
        "finetune", "ml.training.vilt_config:ViltFinetuneConfig", "ml.training.vilt_finetune:ViltFinetune"
    ),
}


class Task(Protocol):
    """What one kind of training brings; `ml.training.trainer` does the rest, the same for all.

    `Task(config, data, work=folder, bad=counter, tell=…)` prepares everything; tell(done, total) shows that it goes on.
    """

    model: "nn.Module"
    examples: int
    weights: Mapping[str, float]
    learned_weights: bool
    best: tuple[tuple[str, ...], Literal["higher", "lower"]]  # figures of `validate`, by whose mean the best is known

    def plan(self, steps: int) -> "Iterator[list[Draw]]":
        """The examples of each step's whole batch, over all processes; always the same for one configuration."""

    def example(self, draw: "Draw") -> Any:
        """One example, read from the disk, augmented by the draw's own seed."""

    def collate(self, examples: Sequence[Any]) -> dict[str, Any]:
        """A batch: tensors, and what has `.to(device)`."""

    def counts(self, batch: Mapping[str, Any]) -> dict[str, float]:
        """How many terms each part of the loss has in this batch, known before it is computed."""

    def losses(self, batch: Mapping[str, Any]) -> "dict[str, LossPart]":
        """The parts of the loss; part of the computation that processes share, so it uses no other state."""

    def parameter_groups(self) -> "Mapping[str, Sequence[nn.Parameter]]":
        """The parameters by the learning rate they take: "" for the usual one, "patches" for the picture network's."""

    def validate(self, tell: "Callable[[int, int], None]") -> dict[str, float]:
        """Figures on the val split, of the model as it is now."""

    def finish(self) -> "ModelFolder":
        """The model with all that belongs to it, measured."""


def config_class(task: str) -> "type[TrainConfig]":
    """The configuration class of a task of TASKS; loads no torch."""
    return _load(TASKS[task].config)


def task_class(task: str) -> Any:
    """The class that computes."""
    return _load(TASKS[task].task)


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)
