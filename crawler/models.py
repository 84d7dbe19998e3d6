"""What was crawled: listings, their pictures, and which page of which search showed them when."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from mmproject.ids import ID_LENGTH, content_id, new_id


class WorkState(models.TextChoices):
    """Where a document that holds an intent stands; `pending` work is found again after any crash."""

    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class ImageState(models.TextChoices):
    PENDING = "pending", _("waiting")
    DONE = "done", _("stored")
    FAILED = "failed", _("failed")


class Offer(models.Model):
    """What a shop shows of something on sale: the listing itself, and every document that keeps a snapshot of it."""

    source = models.CharField(_("source"), max_length=64)
    title = models.CharField(_("title"), max_length=500)
    url = models.CharField(_("link"), max_length=2000)
    price = models.FloatField(_("price"), null=True, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    shop_name = models.CharField(_("shop"), max_length=200, blank=True)
    shop_url = models.CharField(_("shop link"), max_length=2000, blank=True)
    image_sha256 = models.CharField(max_length=64, blank=True)  # empty: there is no picture of it in the store

    class Meta:
        abstract = True

    def offer(self) -> dict[str, Any]:
        """The fields of an Offer, for the document that keeps them as they are now."""
        return {field.name: getattr(self, field.name) for field in Offer._meta.local_fields}


class Listing(Offer):
    """Something on sale at a shop. The key comes from source and item id: crawled twice, it is one document."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    item_id = models.CharField(max_length=200)
    image_url = models.CharField(max_length=2000, blank=True)
    image_state = models.CharField(max_length=10, choices=ImageState.choices, default=ImageState.PENDING)
    image_error = models.CharField(max_length=300, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = [models.Index(fields=["source", "-last_seen_at"], name="listing_source_seen")]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def make_id(*, source: str, item_id: str) -> str:
        return content_id("listing", source, item_id)


class SearchPage(models.Model):
    """The cache: what one page of one search showed. A failed crawl never changes it."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    source = models.CharField(max_length=64)
    keyword = models.CharField(max_length=200)
    page = models.PositiveIntegerField()
    listing_ids = models.JSONField(default=list)
    has_next = models.BooleanField(default=False)
    total = models.IntegerField(null=True, blank=True)
    fetched_at = models.DateTimeField()
    fresh_until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("cached search page")
        verbose_name_plural = _("cached search pages")

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})"

    @staticmethod
    def make_id(*, source: str, normalized_keyword: str, page: int) -> str:
        return content_id("search", source, normalized_keyword, str(page))


class Crawl(models.Model):
    """One request to fetch a search page: the intent first, then its outcome."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    source = models.CharField(max_length=64)
    keyword = models.CharField(_("keyword"), max_length=200)
    page = models.PositiveIntegerField(_("page"))
    search_page_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    images_total = models.PositiveIntegerField(default=0)
    images_done = models.PositiveIntegerField(default=0)
    requested_by = models.CharField(_("requested by"), max_length=150, blank=True)
    language = models.CharField(max_length=10, blank=True)  # what went wrong is told in the language of who asked
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # Whoever holds the lease works on it; a lease that ran out means that worker is gone.
    leased_until = models.DateTimeField()

    class Meta:
        verbose_name = _("crawl")
        verbose_name_plural = _("crawls")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="crawl_state_lease"),
            models.Index(fields=["-created_at"], name="crawl_created"),
        ]

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})"
