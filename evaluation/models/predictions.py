"""What models said: runs, their predictions, and opinions outside of runs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Offer, WorkState
from mmproject.ids import ID_LENGTH, content_id, new_id


class RunKind(models.TextChoices):
    """Where the listings of a run come from."""

    SEARCH = "search", _("search")
    ADDRESS = "address", _("address")
    UPLOAD = "upload", _("upload")
    LISTINGS = "listings", _("listings")


class PredictionRun(models.Model):
    """One test of one or two models: the crawl to wait for, then one Prediction a listing and model."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    model_id = models.CharField(max_length=ID_LENGTH)
    model_name = models.CharField(_("model"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=RunKind.choices, default=RunKind.SEARCH)
    other_model_id = models.CharField(max_length=ID_LENGTH, blank=True)  # the version that it is compared with
    other_model_name = models.CharField(_("compared with"), max_length=120, blank=True)
    blind = models.BooleanField(_("blind"), default=False)  # evaluators do not see which version said what
    keyword = models.CharField(_("keyword"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=2000, blank=True)
    source = models.CharField(max_length=64)
    page = models.PositiveIntegerField(_("page"))
    crawl_id = models.CharField(max_length=ID_LENGTH, blank=True)  # empty: the page came from the cache
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    listing_ids = models.JSONField(default=list)  # fixed when the crawl is done: every Prediction follows from them
    total = models.PositiveIntegerField(default=0)
    started_by_id = models.IntegerField()
    started_by = models.CharField(_("started by"), max_length=150)
    language = models.CharField(max_length=10, blank=True)  # what goes wrong is told in the language of who asked
    # Whoever holds the lease reads the page of `address`; the number of the attempt is the lease's name.
    attempts = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("prediction run")
        verbose_name_plural = _("prediction runs")
        indexes = [
            models.Index(fields=["state", "created_at"], name="run_state_created"),
            models.Index(fields=["started_by_id", "-created_at"], name="run_user_created"),
            models.Index(fields=["-created_at"], name="run_created"),
        ]

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})" if self.kind == RunKind.SEARCH else self.subject

    @property
    def subject(self) -> str:
        """What was asked for: a keyword, an address, the title of an upload."""
        return self.keyword or self.address


class FoundBy(models.TextChoices):
    """How a product was found: by a head trained on it, or among the catalogue's pictures and titles."""

    HEADS = "heads", _("trained")
    CATALOGUE = "catalogue", _("catalogue")


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
    rejected = models.BooleanField(_("not in our catalogue"), default=False)  # less sure than the threshold
    by = models.CharField(_("found by"), max_length=10, choices=FoundBy.choices, default=FoundBy.HEADS)
    # The catalogue pictures most like this one: [[product id, product name, SHA-256, similarity], …]
    nearest = models.JSONField(default=list)

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="prediction_state_lease"),
            models.Index(fields=["state", "attempts", "position", "created_at"], name="prediction_queue"),
            models.Index(fields=["run_id", "position"], name="prediction_run_position"),
            models.Index(fields=["lease_token"], name="prediction_lease_token"),
            models.Index(fields=["-created_at"], name="prediction_created"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.product_name}"

    @staticmethod
    def make_id(*, run_id: str, model_id: str, listing_id: str) -> str:
        return content_id("prediction", run_id, model_id, listing_id)


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
