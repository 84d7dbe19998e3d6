"""What annotators said about listings, and what reviewers said of that."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Offer, WorkState
from mmproject.ids import ID_LENGTH, content_id

MAX_NOTE = 500


class SkipReason(models.TextChoices):
    """Why a search was given up without a label, in the order of the keys 1 to 5."""

    NONE = "none", _("none of them shows the product")
    KEYWORD = "keyword", _("the keyword does not fit the product")
    UNCLEAR = "unclear", _("it cannot be told from the pictures")
    PICTURES = "pictures", _("pictures are missing or broken")
    OTHER = "other", _("other")


class Submission(models.Model):
    """One press of the submit button, whole: from it every label can be written again.

    The id is made by the page before the first try, so that a double click or a retry is the same submission.
    """

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    product_id = models.CharField(max_length=ID_LENGTH)
    product_name = models.CharField(_("product"), max_length=200)
    keyword = models.CharField(_("keyword"), max_length=200)
    source = models.CharField(max_length=64)
    pages = models.PositiveIntegerField(_("pages shown"))
    shown_listing_ids = models.JSONField(default=list)
    matched_listing_ids = models.JSONField(default=list)
    # What was marked by hand besides the matches; everything else that was shown is only "shown, not ticked".
    refused_listing_ids = models.JSONField(default=list)
    unsure_listing_ids = models.JSONField(default=list)
    skip_reason = models.CharField(
        _("skipped, because"), max_length=10, choices=SkipReason.choices, blank=True, default=""
    )
    skip_note = models.CharField(_("note"), max_length=MAX_NOTE, blank=True, default="")
    # What the page had ticked before the annotator did anything, and the model whose suggestion that was.
    suggested_listing_ids = models.JSONField(default=list)
    suggested_by = models.CharField(_("suggested by"), max_length=120, blank=True, default="")
    # Whether the listings stood in the order of that model's uncertainty, not in the shop's.
    ordered_by_model = models.BooleanField(default=False)
    task_id = models.CharField(max_length=ID_LENGTH, blank=True, default="", db_index=True)
    annotator_id = models.IntegerField()
    annotator_name = models.CharField(_("annotator"), max_length=150)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    created_at = models.DateTimeField(_("submitted"))
    cancelled_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        indexes = [
            models.Index(fields=["product_id", "created_at"], name="submission_product"),
            models.Index(fields=["state", "created_at"], name="submission_state"),
            models.Index(fields=["annotator_id", "-created_at"], name="submission_annotator"),
            models.Index(fields=["annotator_name", "-created_at", "-id"], name="submission_name_page"),
            models.Index(fields=["-created_at", "-id"], name="submission_page"),
        ]

    def __str__(self) -> str:
        return f"{self.product_name}: {self.keyword}"


class Review(models.TextChoices):
    PENDING = "pending", _("to review")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")


class RejectReason(models.TextChoices):
    """Why a label is wrong, in the order of the keys 1 to 6 on the review page."""

    PRODUCT = "product", _("wrong product")
    VARIANT = "variant", _("wrong variant or size")
    SEVERAL = "several", _("picture shows several products")
    UNUSABLE = "unusable", _("picture unusable")
    ADVERT = "advert", _("not on sale / advert")
    OTHER = "other", _("other")


class Label(Offer):
    """`This listing shows this product`, with a snapshot of what the annotator saw."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    submission_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    listing_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    # what the annotator said
    product_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    product_name = models.CharField(_("product"), max_length=200)
    product_image_sha256 = models.CharField(max_length=64, blank=True)
    brand_id = models.CharField(max_length=ID_LENGTH, blank=True)
    brand_name = models.CharField(_("brand"), max_length=120, blank=True)
    keyword = models.CharField(_("keyword"), max_length=200)
    annotator_id = models.IntegerField()
    annotator_name = models.CharField(_("annotator"), max_length=150)
    created_at = models.DateTimeField(_("labelled"))
    # The model that had ticked it before the annotator did, if any did: labels that it may have biased.
    suggested_by = models.CharField(_("suggested by"), max_length=120, blank=True, default="")
    # The judgment of a prediction that it was made of; empty: it was submitted.
    judgment_id = models.CharField(max_length=ID_LENGTH, blank=True, default="")
    # what the reviewer said
    review = models.CharField(_("review"), max_length=10, choices=Review.choices, default=Review.PENDING)
    reviewer_name = models.CharField(_("reviewer"), max_length=150, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reject_reason = models.CharField(_("reason"), max_length=10, choices=RejectReason.choices, blank=True)
    review_note = models.CharField(_("note to the annotator"), max_length=MAX_NOTE, blank=True)
    # How many changes its history holds: whoever changes it says which of them was the last that he saw.
    changes = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        indexes = [
            # The admin's list and each of its filters.
            models.Index(fields=["review", "-created_at", "-id"], name="label_review_page"),
            models.Index(fields=["reject_reason", "-created_at", "-id"], name="label_reason_page"),
            models.Index(fields=["brand_name", "-created_at", "-id"], name="label_brand_page"),
            models.Index(fields=["source", "-created_at", "-id"], name="label_source_page"),
            models.Index(fields=["annotator_name", "-created_at", "-id"], name="label_name_page"),
            models.Index(fields=["review", "created_at", "id"], name="label_queue"),
            models.Index(fields=["annotator_id", "review", "-reviewed_at"], name="label_feedback"),
            # Pages of labels go by (created_at, id): all of them, or one annotator's own.
            models.Index(fields=["-created_at", "-id"], name="label_page"),
            models.Index(fields=["annotator_id", "-created_at", "-id"], name="label_annotator_page"),
        ]

    def __str__(self) -> str:
        return f"{self.product_name}: {self.title}"

    @staticmethod
    def make_id(*, submission_id: str, listing_id: str) -> str:
        return content_id("label", submission_id, listing_id)

    def verdict(self) -> dict[str, str]:
        """What the reviewer said, as its history keeps it."""
        return {
            "review": self.review,
            "reject_reason": self.reject_reason,
            "review_note": self.review_note,
            "reviewer_name": self.reviewer_name,
            "reviewed_at": self.reviewed_at.isoformat() if self.reviewed_at else "",
        }


class LabelChange(models.Model):
    """One change of a label by a reviewer. It is written before the label, which then only follows.

    The id comes from the label and the number of the change, so a label has one first change, one second, …: of two
    reviewers who saw the same label, the one whose change is written first has made it. See `annotation.reviews`.
    """

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    label_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    label_title = models.CharField(max_length=500, blank=True)
    number = models.PositiveIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undoes = models.CharField(max_length=ID_LENGTH, blank=True)  # the change that this one takes back
    changed_by_id = models.IntegerField()
    changed_by_name = models.CharField(_("reviewer"), max_length=150)
    changed_at = models.DateTimeField(_("changed"))
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)

    class Meta:
        verbose_name = _("change of a label")
        verbose_name_plural = _("changes of labels")
        indexes = [
            models.Index(fields=["state", "changed_at"], name="change_state"),
            models.Index(fields=["changed_by_id", "-changed_at"], name="change_reviewer"),
        ]

    def __str__(self) -> str:
        return f"{self.label_title}: {self.before.get('review')} → {self.after.get('review')}"

    @staticmethod
    def make_id(*, label_id: str, number: int) -> str:
        return content_id("label-change", label_id, str(number))
