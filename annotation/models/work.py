"""Who is to label what: tasks, who is at them, where two disagree, and what each annotator has chosen."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.models.labels import MAX_NOTE
from crawler.keywords import normalized
from crawler.models import Offer, WorkState
from mmproject.ids import ID_LENGTH, content_id


class Task(models.Model):
    """Work for annotators: one product, one keyword, one source. Its key comes from these, so it is made only once."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    product_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    product_name = models.CharField(_("product"), max_length=200)
    brand_name = models.CharField(_("brand"), max_length=120, blank=True)
    keyword = models.CharField(_("keyword"), max_length=200)
    source = models.CharField(_("source"), max_length=64)
    # How many different annotators shall do it, so that their agreement can be measured.
    overlap = models.PositiveIntegerField(_("annotators wanted"), default=1)
    done = models.PositiveIntegerField(_("annotators done"), default=0, editable=False)
    priority = models.IntegerField(_("priority"), default=0, help_text=_("The highest comes first."))
    assignee_id = models.IntegerField(null=True, blank=True)  # empty: open to everybody
    assignee_name = models.CharField(_("assigned to"), max_length=150, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    created_by = models.CharField(_("made by"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("made"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        indexes = [
            models.Index(fields=["state", "-priority", "created_at"], name="task_queue"),
            # The queue of one person, and with no assignee that of everybody.
            models.Index(fields=["assignee_id", "state", "-priority", "created_at", "id"], name="task_assignee"),
            models.Index(fields=["-created_at", "-id"], name="task_page"),
        ]

    def __str__(self) -> str:
        return f"{self.product_name}: {self.keyword}"

    @staticmethod
    def make_id(*, product_id: str, source: str, keyword: str) -> str:
        """The same for keywords that are the same search: case and spaces make no other task."""
        return content_id("task", product_id, source, normalized(keyword))


class Claim(models.Model):
    """Somebody is at a product and keyword, or has submitted it. There is one such document for each annotator wanted.

    The key comes from the task's key and a slot's number, so that of two annotators who take the last slot at the same
    moment one gets it. A claim that nobody submitted can be taken over when it has expired. See `annotation.claims`.
    """

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    task_id = models.CharField(max_length=ID_LENGTH, db_index=True)  # as Task.make_id says; there may be no such task
    slot = models.PositiveIntegerField()
    product_id = models.CharField(max_length=ID_LENGTH)
    product_name = models.CharField(_("product"), max_length=200)
    keyword = models.CharField(_("keyword"), max_length=200)
    source = models.CharField(_("source"), max_length=64)
    annotator_id = models.IntegerField()
    annotator_name = models.CharField(_("annotator"), max_length=150)
    claimed_at = models.DateTimeField(_("since"))
    expires_at = models.DateTimeField(_("until"))
    submission_id = models.CharField(max_length=ID_LENGTH, blank=True, default="", db_index=True)  # once it is done

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        indexes = [
            models.Index(fields=["annotator_id", "-claimed_at"], name="claim_annotator"),
            models.Index(fields=["-claimed_at", "-id"], name="claim_page"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator_name}: {self.product_name}, {self.keyword}"

    @staticmethod
    def make_id(*, task_id: str, slot: int) -> str:
        return content_id("claim", task_id, str(slot))


class Dispute(Offer):
    """A listing of which two annotators said different things for one product. Follows from the submissions."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    product_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    product_name = models.CharField(_("product"), max_length=200)
    product_image_sha256 = models.CharField(max_length=64, blank=True)
    listing_id = models.CharField(max_length=ID_LENGTH)
    # [{"annotator": name, "said": "match" | "no match" | "unsure" | "shown", "submission": id}, …], the oldest first
    said = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    opened_at = models.DateTimeField(_("opened"))
    is_match = models.BooleanField(_("shows the product"), null=True, blank=True)  # what the reviewer decided
    note = models.CharField(_("note"), max_length=MAX_NOTE, blank=True, default="")
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        indexes = [
            models.Index(fields=["state", "opened_at"], name="dispute_queue"),
            models.Index(fields=["decided_by", "-decided_at"], name="dispute_reviewer"),
        ]

    def __str__(self) -> str:
        return f"{self.product_name}: {self.title}"

    @staticmethod
    def make_id(*, product_id: str, listing_id: str) -> str:
        return content_id("dispute", product_id, listing_id)


class AnnotatorSettings(models.Model):
    """What one annotator has chosen for the page, in whichever browser. The key is the user's id."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    page_size = models.PositiveIntegerField(default=0)  # listings shown at first; 0: a page of the shop's
    suggestions = models.BooleanField(default=False)  # the model's ticks and its order
    tour_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("annotator's settings")
        verbose_name_plural = _("annotators' settings")

    def __str__(self) -> str:
        return self.id
