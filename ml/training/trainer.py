"""transformers' Trainer for every task of this library: batches planned ahead, exact losses, exact resume."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import distributed, nn
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.optimization import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from ml.data.batches import Draw, slice_for
from ml.training.averaging import AverageWeights
from ml.training.best import evaluations_since
from ml.training.checkpoints import MarkWhole
from ml.training.config import TrainConfig
from ml.training.step import Step
from ml.training.tasks import Task
from ml.training.watching import Watch

WEIGHTS = "model.safetensors"  # as transformers looks for it in a checkpoint
DECAYS: dict[str, Callable[..., Any]] = {
    "linear": get_linear_schedule_with_warmup,
    "cosine": get_cosine_schedule_with_warmup,
}


class TaskTrainer(Trainer):
    """Trains a task's Step. `losses` holds the parts of the last whole step, means over all processes."""

    def __init__(
        self,
        *,
        task: Task,
        config: TrainConfig,
        args: TrainingArguments,
        watch: Watch,
        average: AverageWeights | None,
        checkpoints: Path,
    ) -> None:
        self.task, self.config, self.watch, self.average = task, config, watch, average
        self.step_module = Step(task)
        self.losses: dict[str, float] = {}
        watch.trainer = self
        callbacks: list[TrainerCallback] = [MarkWhole(checkpoints), watch]  # in this order, see Watch.on_save
        if average is not None:
            callbacks.insert(0, average)
        super().__init__(model=self.step_module, args=args, train_dataset=Examples(task), callbacks=callbacks)
        self.model_accepts_loss_kwargs = True  # the loss is divided by the step's counts, not by its micro-batches
        self.remove_callback(PrinterCallback)  # standard output belongs to the caller

    def get_train_dataloader(self) -> DataLoader:
        """All batches of the whole training are one epoch: to resume is to leave the first ones out."""
        batches = Batches(
            self.task,
            steps=self.args.max_steps,
            accumulation=self.config.accumulation,
            rank=self.args.process_index,
            world=self.args.world_size,
        )
        return DataLoader(
            Examples(self.task),
            batch_sampler=batches,
            collate_fn=self.task.collate,
            num_workers=self.config.workers,
            pin_memory=False,
            persistent_workers=self.config.workers > 0,
        )

    def num_examples(self, dataloader: DataLoader) -> int:
        return self.task.examples

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list, Any]:
        """The micro-batches of one step, and how many terms each part of the loss has in all of them everywhere."""
        batches = [next(epoch_iterator) for _ in range(num_batches)]
        counted = [self.task.counts(batch) for batch in batches]
        names = sorted(counted[0])
        sums = torch.tensor([sum(one[name] for one in counted) for name in names], dtype=torch.float64)
        if self.args.world_size > 1:
            sums = sums.to(device)
            distributed.all_reduce(sums)
        self.losses = {}
        return batches, dict(zip(names, sums.tolist(), strict=True))

    def compute_loss(
        self, model: nn.Module, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        world = self.args.world_size
        losses = model(inputs, num_items_in_batch, self.config.accumulation * world)
        for name, value in losses.items():
            self.losses[name] = self.losses.get(name, 0.0) + value.detach().item()
        return losses["total"] * world  # processes average their gradients; ours are to be added up

    def step_losses(self) -> dict[str, float]:
        """The parts of the last step's loss, added up over the processes; every process must call it."""
        if self.args.world_size == 1:
            return dict(self.losses)
        names = sorted(self.losses)
        sums = torch.tensor([self.losses[name] for name in names], device=self.args.device)
        distributed.all_reduce(sums)
        return dict(zip(names, sums.tolist(), strict=True))

    def learning_rate(self) -> float:
        """That of the next step, of the first group of parameters."""
        assert self.optimizer is not None
        return float(self.optimizer.param_groups[0]["lr"])

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Measure on the val split, keep the best weights, end early once nothing gets better."""
        step = self.state.global_step
        if self.watch.vals and self.watch.vals[-1][0] == step:
            return self.watch.val  # the Trainer asks once more at the end of the epoch
        with self.average.in_place() if self.average is not None else nullcontext():
            figures = self.task.validate(self.watch.checked("evaluating"))
            self.watch.measured(figures)
            best = self.watch.best_step()
            if self.args.process_index == 0 and best == step:
                self.watch.best.keep(self.task.model.state_dict(), step=step)
        if self.config.patience and evaluations_since(self.watch.vals, best) >= self.config.patience:
            self.control.should_training_stop = True
        return figures

    def _prepare_input(self, data: Any) -> Any:
        """PairBatch and the like move themselves."""
        if hasattr(data, "to") and not isinstance(data, torch.Tensor):
            return data.to(self.args.device)
        return super()._prepare_input(data)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW; no decay for biases, norms and other vectors; the picture network may have a rate of its own."""
        if self.optimizer is None:
            settings = self.config.optimiser
            rates = {"": settings.learning_rate, "patches": settings.patches_learning_rate}
            groups = []
            by_rate = dict(self.task.parameter_groups())
            learned = self.step_module.learned
            if learned is not None:
                groups.append({"params": list(learned.parameters()), "lr": settings.learning_rate, "weight_decay": 0.0})
            for name, parameters in by_rate.items():
                trained = [one for one in parameters if one.requires_grad]
                for decay, chosen in (
                    (settings.weight_decay, [one for one in trained if one.ndim > 1]),
                    (0.0, [one for one in trained if one.ndim <= 1]),
                ):
                    if chosen:
                        groups.append({"params": chosen, "lr": rates[name], "weight_decay": decay})
            self.optimizer = torch.optim.AdamW(groups, betas=(0.9, settings.beta2))
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        if self.lr_scheduler is None:
            settings = self.config.optimiser
            self.lr_scheduler = DECAYS[settings.decay](
                optimizer or self.optimizer, int(settings.warmup_share * num_training_steps), num_training_steps
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _save(self, output_dir: str | None = None, state_dict: Mapping[str, torch.Tensor] | None = None) -> None:
        """The weights of a checkpoint. The Trainer would add its arguments as a pickle, and refuse channels-last."""
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.args.output_dir or "")
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: one.contiguous() for name, one in (state_dict or self.step_module.state_dict()).items()}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


class Examples(Dataset):
    """Draws of a task as its examples."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return self.task.examples

    def __getitem__(self, draw: Draw) -> Any:
        return self.task.example(draw)


class Batches:
    """This process's part of every step's micro-batches, in order: a batch sampler that yields draws."""

    def __init__(self, task: Task, *, steps: int, accumulation: int, rank: int, world: int) -> None:
        self.task, self.steps, self.accumulation, self.rank, self.world = task, steps, accumulation, rank, world

    def __len__(self) -> int:
        return self.steps * self.accumulation

    def __iter__(self) -> Iterator[list[Draw]]:
        pieces = self.accumulation * self.world
        for batch in self.task.plan(self.steps):
            for micro in range(self.accumulation):
                yield batch[slice_for(micro * self.world + self.rank, pieces)]
