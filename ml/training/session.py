"""One process's part in a training: prepare the task, train it on transformers' Trainer, take the best."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import distributed
from transformers import TrainingArguments, set_seed

from ml.data.bad_records import BadRecords
from ml.data.records import Dataset
from ml.serving.model_folder import ModelFolder
from ml.training.averaging import AverageWeights
from ml.training.checkpoints import checkpoint_step, newest_checkpoint
from ml.training.config import ConfigError, TrainConfig
from ml.training.manifest import claim_work_folder, make_manifest
from ml.training.metrics_log import read_metrics
from ml.training.precision import trains_in_bfloat16
from ml.training.progress import TrainingCancelled, TrainingProgress
from ml.training.tasks import Task, task_class
from ml.training.trainer import TaskTrainer
from ml.training.watching import Watch

log = logging.getLogger(__name__)


class Session:
    """A training in a work folder, from where its last checkpoint is."""

    def __init__(
        self,
        config: TrainConfig,
        data: Dataset,
        *,
        bad: BadRecords,
        work: Path,
        tell: Callable[[TrainingProgress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.config, self.data, self.bad, self.work = config, data, bad, work
        self.tell, self.should_stop = tell, should_stop
        self.on_cpu = not torch.cuda.is_available()
        self.first = int(os.environ.get("RANK", "0")) == 0
        self.checkpoints = work / "checkpoints"
        world = self.world = int(os.environ.get("WORLD_SIZE", "1"))
        if config.batch_size % (world * config.accumulation):
            shares = f"{world} processes × accumulation={config.accumulation}"
            raise ConfigError(f"batch_size={config.batch_size} is not a multiple of {shares}")
        manifest = make_manifest(config, data, device=torch.device("cpu" if self.on_cpu else "cuda"), world=world)
        if self.first:
            claim_work_folder(work, manifest)
        self.seconds_before = max((line.get("seconds", 0.0) for line in read_metrics(work)), default=0.0)

    def run(self) -> ModelFolder:
        """The trained and measured model."""
        set_seed(self.config.seed)
        task: Task = task_class(self.config.task)(
            self.config, self.data, work=self.work, bad=self.bad, tell=self._told_features
        )
        steps = self.config.steps(task.examples)
        checkpoint = newest_checkpoint(self.checkpoints)
        start = checkpoint_step(checkpoint) if checkpoint else 0
        if checkpoint:
            log.info("goes on from the checkpoint of step %d", start)
        watch = Watch(
            self.config,
            work=self.work,
            steps=steps,
            start=start,
            first=self.first,
            tell=self.tell,
            should_stop=self.should_stop,
        )
        average = None
        if self.config.optimiser.average_decay:
            average = AverageWeights(
                task.model, decay=self.config.optimiser.average_decay, checkpoint=checkpoint, folder=self.checkpoints
            )
        trainer = TaskTrainer(
            task=task,
            config=self.config,
            args=self._arguments(steps),
            watch=watch,
            average=average,
            checkpoints=self.checkpoints,
        )
        if trainer.args.world_size > 1:
            torch.manual_seed(self.config.seed + trainer.args.process_index)  # dropout that differs between processes
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            if watch.cancelled:
                raise TrainingCancelled
            trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
            self.wait_for_all()  # the first process writes the best weights, all read them
            self._take_best(task, watch)
            watch.show("saving", watch.steps, watch.steps)
            trained = task.finish()
        finally:
            watch.close()
        trained.metrics["steps"] = watch.step
        trained.metrics["best_step"] = watch.best_step()
        trained.metrics["skipped_records"] = self.bad.count
        return trained

    def wait_for_all(self) -> None:
        """Until the first process has written what the others may read."""
        if distributed.is_initialized():
            distributed.barrier()

    def _take_best(self, task: Task, watch: Watch) -> None:
        step = watch.best_step()
        if step is not None:
            task.model.load_state_dict(watch.best.load(step))

    def _told_features(self, done: int, total: int) -> None:
        if self.first and self.tell is not None:
            self.tell(TrainingProgress(stage="features", step=done, total_steps=total))
        if self.first and self.should_stop is not None and self.should_stop():
            raise TrainingCancelled

    def _arguments(self, steps: int) -> TrainingArguments:
        device = torch.device("cpu" if self.on_cpu else "cuda")
        return TrainingArguments(
            output_dir=str(self.checkpoints),
            max_steps=steps,
            per_device_train_batch_size=max(1, self.config.batch_size // self.config.accumulation),
            gradient_accumulation_steps=self.config.accumulation,
            max_grad_norm=self.config.optimiser.max_gradient_norm,
            use_cpu=self.on_cpu,
            bf16=trains_in_bfloat16(device, self.config.precision),
            seed=self.config.seed,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            logging_nan_inf_filter=False,
            ddp_find_unused_parameters=True,
            ddp_backend="gloo" if self.on_cpu and self.world > 1 else None,
        )
