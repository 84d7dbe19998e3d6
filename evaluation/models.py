"""Training runs, the model versions they made, what those predicted, and what evaluators said of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Offer, WorkState
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
    """A model folder that workers can load. At most one is active: the one with the latest `activated_at`."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)  # the training run's id
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=TrainingKind.choices, default=TrainingKind.FINETUNE)
    folder = models.CharField(_("folder"), max_length=200)  # relative to settings.MODELS_DIR
    metrics = models.JSONField(_("figures"), default=dict)
    created_at = models.DateTimeField(_("trained"))
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    activated_by = models.CharField(_("activated by"), max_length=150, blank=True)

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


class WordAlignment(models.Model):
    """Where in a listing's picture one model version sees each word of its title; `pending`: waits for a worker."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    model_id = models.CharField(max_length=ID_LENGTH)
    about_id = models.CharField(max_length=ID_LENGTH)  # the listing; by this name it keeps none from being cleaned away
    title = models.CharField(_("title"), max_length=500)
    image_sha256 = models.CharField(max_length=64)  # by this name it keeps the picture from being cleaned away
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    words = models.JSONField(default=list)  # [[word, SHA-256 of the drawn picture], …] in the title's order
    asked_at = models.DateTimeField(_("asked"))

    class Meta:
        verbose_name = _("word alignment")
        verbose_name_plural = _("word alignments")
        indexes = [models.Index(fields=["state", "asked_at"], name="alignment_state_asked")]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def make_id(*, model_id: str, listing_id: str) -> str:
        return content_id("word alignment", model_id, listing_id)


class PredictionRun(models.Model):
    """One test of the model on one search page: the crawl to wait for, then one Prediction a listing."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    model_id = models.CharField(max_length=ID_LENGTH)
    model_name = models.CharField(_("model"), max_length=120)
    keyword = models.CharField(_("keyword"), max_length=200)
    source = models.CharField(max_length=64)
    page = models.PositiveIntegerField(_("page"))
    crawl_id = models.CharField(max_length=ID_LENGTH, blank=True)  # empty: the page came from the cache
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    listing_ids = models.JSONField(default=list)  # fixed when the crawl is done: every Prediction follows from them
    total = models.PositiveIntegerField(default=0)
    started_by_id = models.IntegerField()
    started_by = models.CharField(_("started by"), max_length=150)
    created_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("prediction run")
        verbose_name_plural = _("prediction runs")
        indexes = [
            models.Index(fields=["state", "created_at"], name="run_state_created"),
            models.Index(fields=["started_by_id", "-created_at"], name="run_user_created"),
        ]

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})"


class Prediction(Offer):
    """What one model version says about one listing, with a snapshot of the listing. `pending`: waits for a worker."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    run_id = models.CharField(max_length=ID_LENGTH)
    position = models.PositiveIntegerField()  # where the listing stood on the page
    model_id = models.CharField(max_length=ID_LENGTH)
    model_name = models.CharField(_("model"), max_length=120)
    listing_id = models.CharField(max_length=ID_LENGTH)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=300, blank=True)
    trained_on = models.BooleanField(_("trained on"), default=False)  # the model had this very picture in its training
    leased_until = models.DateTimeField()
    lease_token = models.CharField(max_length=ID_LENGTH, blank=True)
    attempts = models.PositiveIntegerField(default=0)  # leases taken: a picture that kills workers is given up
    created_at = models.DateTimeField(_("asked"))
    predicted_at = models.DateTimeField(_("answered"), null=True, blank=True)
    brand_id = models.CharField(max_length=ID_LENGTH, blank=True)
    brand_name = models.CharField(_("brand"), max_length=120, blank=True)
    brand_confidence = models.FloatField(null=True, blank=True)
    product_id = models.CharField(max_length=ID_LENGTH, blank=True)
    product_name = models.CharField(_("product"), max_length=200, blank=True)
    product_confidence = models.FloatField(_("confidence"), null=True, blank=True)
    top5 = models.JSONField(default=list)  # [[product id, product name, confidence], …]

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="prediction_state_lease"),
            models.Index(fields=["run_id", "position"], name="prediction_run_position"),
            models.Index(fields=["lease_token"], name="prediction_lease_token"),
            models.Index(fields=["-created_at"], name="prediction_created"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.product_name}"

    @staticmethod
    def make_id(*, run_id: str, listing_id: str) -> str:
        return content_id("prediction", run_id, listing_id)


class ListingOpinion(models.Model):
    """What one model version thinks that a listing shows, outside of any run. No product: it could not say."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    model_id = models.CharField(max_length=ID_LENGTH)
    about_id = models.CharField(max_length=ID_LENGTH)  # the listing; by this name it keeps none from being cleaned away
    product_id = models.CharField(max_length=ID_LENGTH, blank=True)
    product_name = models.CharField(_("product"), max_length=200, blank=True)
    brand_name = models.CharField(_("brand"), max_length=120, blank=True)
    confidence = models.FloatField(_("confidence"), default=0.0)
    predicted_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("opinion of a listing")
        verbose_name_plural = _("opinions of listings")

    def __str__(self) -> str:
        return f"{self.about_id}: {self.product_name}"

    @staticmethod
    def make_id(*, model_id: str, listing_id: str) -> str:
        return content_id("opinion", model_id, listing_id)


class Verdict(models.TextChoices):
    RIGHT = "right", _("right")
    WRONG = "wrong", _("wrong")
    UNSURE = "unsure", _("unsure")


class Judgment(Offer):
    """One evaluator's word on one prediction; said again, it replaces the first. Carries all that the table shows."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    prediction_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    run_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    model_id = models.CharField(max_length=ID_LENGTH)
    model_name = models.CharField(_("model"), max_length=120)
    listing_id = models.CharField(max_length=ID_LENGTH)
    keyword = models.CharField(_("keyword"), max_length=200)
    trained_on = models.BooleanField(_("trained on"), default=False)
    predicted_brand_id = models.CharField(max_length=ID_LENGTH, blank=True)
    predicted_brand_name = models.CharField(_("predicted brand"), max_length=120, blank=True)
    predicted_product_id = models.CharField(max_length=ID_LENGTH)
    predicted_product_name = models.CharField(_("predicted product"), max_length=200)
    product_confidence = models.FloatField(_("confidence"))
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    right_product_id = models.CharField(max_length=ID_LENGTH, blank=True)  # empty with `wrong`: not in our catalogue
    right_product_name = models.CharField(_("right product"), max_length=200, blank=True)
    right_brand_id = models.CharField(max_length=ID_LENGTH, blank=True)
    right_brand_name = models.CharField(_("right brand"), max_length=120, blank=True)
    evaluator_id = models.IntegerField()
    evaluator_name = models.CharField(_("evaluator"), max_length=150)
    judged_at = models.DateTimeField(_("judged"))

    class Meta:
        verbose_name = _("judgment")
        verbose_name_plural = _("judgments")
        indexes = [
            models.Index(fields=["-judged_at"], name="judgment_judged"),
            models.Index(fields=["model_id", "verdict"], name="judgment_model_verdict"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.verdict}"

    @property
    def confidence_percent(self) -> float:
        return 100 * self.product_confidence

    @staticmethod
    def make_id(*, prediction_id: str, evaluator_id: int) -> str:
        return content_id("judgment", prediction_id, str(evaluator_id))
