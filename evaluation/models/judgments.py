"""What evaluators said of predictions."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Offer
from evaluation.marks import changing
from evaluation.models.judgment_rows import NOT_COUNTED, JudgmentRows
from mmproject.ids import ID_LENGTH, content_id


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
    rejected = models.BooleanField(_("not in our catalogue"), default=False)  # what the model said
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    right_product_id = models.CharField(max_length=ID_LENGTH, blank=True)  # empty with `wrong`: not in our catalogue
    right_product_name = models.CharField(_("right product"), max_length=200, blank=True)
    right_brand_id = models.CharField(max_length=ID_LENGTH, blank=True)
    right_brand_name = models.CharField(_("right brand"), max_length=120, blank=True)
    evaluator_id = models.IntegerField()
    evaluator_name = models.CharField(_("evaluator"), max_length=150)
    judged_at = models.DateTimeField(_("judged"))
    label_id = models.CharField(max_length=ID_LENGTH, blank=True)  # the label that was made of it, for review

    objects = JudgmentRows.as_manager()

    class Meta:
        verbose_name = _("judgment")
        verbose_name_plural = _("judgments")
        indexes = [
            models.Index(fields=["judged_at", "id"], name="judgment_judged_id"),
            models.Index(fields=["model_id", "verdict"], name="judgment_model_verdict"),
            models.Index(fields=["listing_id"], name="judgment_listing"),
            models.Index(fields=["predicted_product_id"], name="judgment_predicted"),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.verdict}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and set(fields) <= NOT_COUNTED:
            super().save(*args, **kwargs)
            return
        before = Judgment.objects.filter(id=self.id).values_list("judged_at", flat=True)
        with changing({self.judged_at, *before}):
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        before = Judgment.objects.filter(id=self.id).values_list("judged_at", flat=True)
        with changing({self.judged_at, *before}):
            return super().delete(*args, **kwargs)

    @property
    def confidence_percent(self) -> float:
        return 100 * self.product_confidence

    @staticmethod
    def make_id(*, prediction_id: str, evaluator_id: int) -> str:
        return content_id("judgment", prediction_id, str(evaluator_id))
