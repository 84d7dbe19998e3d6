"""Training runs and the model versions they made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import WorkState
from mmproject.ids import ID_LENGTH, content_id, new_id


class TrainingKind(models.TextChoices):
    """What comes of a training; the values of `ml.training.tasks.Kind`."""

    PRETRAIN = "pretrain", _("pre-training")
    FINETUNE = "finetune", _("fine-tuning")


class TrainingRun(models.Model):
    """One training, from the click to the model folder, over all its attempts. Its curves stand in TrainingJournal."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    # Unique, so that of two clicks at the same moment only one can be the next training.
    number = models.PositiveIntegerField(_("number"), unique=True)
    config = models.CharField(_("configuration"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=TrainingKind.choices, default=TrainingKind.FINETUNE)
    changes = models.CharField(_("parameters"), max_length=2000, blank=True)  # lines of key=value, over the config
    dataset_of = models.CharField(max_length=ID_LENGTH, blank=True)  # the training whose dataset; empty: a new one
    start_from = models.CharField(max_length=ID_LENGTH, blank=True)  # a model version; empty: as the config says
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=1000, blank=True)
    records = models.PositiveIntegerField(_("examples"), default=0)
    progress = models.JSONField(default=dict)  # the last ml.training.TrainingProgress, as a dictionary
    metrics = models.JSONField(default=dict)
    started_by = models.CharField(_("started by"), max_length=150, blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)  # then it is given up; resuming by hand allows more
    created_at = models.DateTimeField(_("queued"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # Whoever holds the lease trains; the token tells that worker from one that was given up.
    leased_until = models.DateTimeField()
    lease_token = models.CharField(max_length=ID_LENGTH, blank=True)

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="training_state_lease"),
            models.Index(fields=["-created_at"], name="training_created"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.config})"

    @property
    def val_percent(self) -> float | None:
        return _val_percent(self.metrics)


class TrainingJournal(models.Model):
    """What a training's page draws, told by its worker once a second: lists of trainings need not read it."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)  # the training's
    # {"losses": {name: [[step, value], …]}, "val": {…}}, each thinned to a few hundred points
    curves = models.JSONField(default=dict)
    log = models.JSONField(default=list)  # the last lines
    manifest = models.JSONField(default=dict)  # run.json: configuration, data, seed, versions, machine

    class Meta:
        verbose_name = _("training journal")
        verbose_name_plural = _("training journals")

    def __str__(self) -> str:
        return self.id


class TrainingPicture(models.Model):
    """A picture that a training run was given: predictions on it say nothing about fresh listings."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    run_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    image_sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("training picture")
        verbose_name_plural = _("training pictures")

    def __str__(self) -> str:
        return self.image_sha256

    @staticmethod
    def make_id(*, run_id: str, image_sha256: str) -> str:
        return content_id("training picture", run_id, image_sha256)


class ModelVersion(models.Model):
    """A model folder that workers can load. At most one is active: of those not retired, the one
    with the latest `activated_at`."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)  # the training run's id
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=TrainingKind.choices, default=TrainingKind.FINETUNE)
    folder = models.CharField(_("folder"), max_length=200)  # relative to settings.MODELS_DIR
    metrics = models.JSONField(_("figures"), default=dict)
    created_at = models.DateTimeField(_("trained"))
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    activated_by = models.CharField(_("activated by"), max_length=150, blank=True)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)  # out of every list to choose from
    retired_by = models.CharField(_("retired by"), max_length=150, blank=True)
    # Below this confidence the answer is "not in our catalogue"; none: it always names a product.
    threshold = models.FloatField(_("threshold"), null=True, blank=True)

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        indexes = [models.Index(fields=["-activated_at"], name="model_activated")]

    def __str__(self) -> str:
        return self.name

    @property
    def val_percent(self) -> float | None:
        return _val_percent(self.metrics)

    @property
    def can_answer(self) -> bool:
        """Whether it tells brands and products; a pre-trained model is only there to start from."""
        return self.kind == TrainingKind.FINETUNE

    @property
    def val_product(self) -> dict | None:
        """Right, total, accuracy, low and high of the product on the validation part; None when it had none."""
        figures = self.metrics.get("product")
        return figures if figures and figures.get("total") else None

    @property
    def val_brand(self) -> dict | None:
        figures = self.metrics.get("brand")
        return figures if figures and figures.get("total") else None


def _val_percent(metrics: dict) -> float | None:
    """The product accuracy on the validation part, in per cent."""
    accuracy = (metrics.get("product") or {}).get("accuracy")
    return 100 * accuracy if isinstance(accuracy, int | float) else None


class ModelActivation(models.Model):
    """One version was put into use: how it came to be the one that answers, and what to go back to."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    model_id = models.CharField(max_length=ID_LENGTH)
    model_name = models.CharField(_("model"), max_length=120)
    activated_at = models.DateTimeField(_("activated"))
    activated_by = models.CharField(_("activated by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("activation of a model")
        verbose_name_plural = _("activations of models")
        indexes = [models.Index(fields=["-activated_at"], name="activation_time")]

    def __str__(self) -> str:
        return self.model_name
