"""Where is crawled and what came of it: sources, listings with their pictures, cached search pages, crawls."""

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


class ErrorKind(models.TextChoices):
    """What kind of thing went wrong, for operators; what exactly is said in the error."""

    FETCH = "fetch", _("not fetched")
    BUSY = "busy", _("rate used up")
    FORBIDDEN = "forbidden", _("forbidden address")
    ROBOTS = "robots", _("forbidden by robots.txt")
    LAYOUT = "layout", _("page changed shape")
    PAUSED = "paused", _("source paused")
    CONFIG = "config", _("configuration")
    GIVEN_UP = "given-up", _("given up")


class ImageState(models.TextChoices):
    PENDING = "pending", _("waiting")
    DONE = "done", _("stored")
    FAILED = "failed", _("failed")


class SourceKind(models.TextChoices):
    STOREFRONT = "storefront", _("web shop (HTML pages)")
    PLATFORM = "platform", _("crawl platform (JSON)")
    FILES = "files", _("imported files")


class Source(models.Model):
    """Somewhere that can be searched, as operators configure it. What the kind needs more stands in `config`."""

    id = models.SlugField(_("key"), primary_key=True, max_length=ID_LENGTH)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=SourceKind.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    position = models.PositiveIntegerField(
        _("position"), default=100, help_text=_("People choose in this order; the first enabled source is the default.")
    )
    base_url = models.CharField(_("base URL"), max_length=500, blank=True)
    hosts = models.TextField(
        _("allowed hosts"),
        blank=True,
        help_text=_("One a line, like shop.example or *.shop.example; no other host is asked. Empty: any public host."),
    )
    rate = models.CharField(
        _("rate"),
        max_length=32,
        default="2/second",
        help_text=_("Requests to one host, by all workers: 2/second, 30/minute"),
    )
    timeout_s = models.PositiveIntegerField(
        _("timeout, seconds"), default=40, help_text=_("For a whole search page, with all retries; at most 45")
    )
    headers = models.JSONField(
        _("headers"),
        default=dict,
        blank=True,
        help_text=_(
            "Sent to the host of the base URL only. ${CRAWLER_SECRET_…} is taken from the worker's environment."
        ),
    )
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    fresh_s = models.PositiveIntegerField(
        _("fresh for, seconds"), default=24 * 3600, help_text=_("So long a result is served without asking again.")
    )
    stale_s = models.PositiveIntegerField(
        _("stale for, seconds"),
        default=7 * 24 * 3600,
        help_text=_("So much longer it is served at once while it is fetched again behind the scenes."),
    )
    empty_fresh_s = models.PositiveIntegerField(
        _("empty results fresh for, seconds"), default=300, help_text=_("An empty result is forgotten sooner.")
    )
    robots = models.BooleanField(_("honour robots.txt"), default=True)
    robots_reason = models.CharField(
        _("why robots.txt is not honoured"),
        max_length=300,
        blank=True,
        help_text=_("Required when it is not: whose permission there is."),
    )

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


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
    item_id = models.CharField(_("item number"), max_length=200)
    image_url = models.CharField(_("picture's address"), max_length=2000, blank=True)
    image_state = models.CharField(_("picture"), max_length=10, choices=ImageState.choices, default=ImageState.PENDING)
    image_error = models.CharField(_("why there is no picture"), max_length=300, blank=True)
    # Set while somebody waits for another try; a retry that got lost is found by it.
    image_retry_at = models.DateTimeField(_("picture wanted again"), null=True, blank=True, db_index=True)
    phash = models.CharField(_("perceptual hash"), max_length=16, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = [
            models.Index(fields=["source", "-last_seen_at", "-id"], name="listing_source_page"),
            models.Index(fields=["image_state", "-last_seen_at", "-id"], name="listing_image_page"),
            models.Index(fields=["-last_seen_at", "-id"], name="listing_page"),
            models.Index(fields=["url"], name="listing_url"),
        ]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def make_id(*, source: str, item_id: str) -> str:
        return content_id("listing", source, item_id)


class SearchPage(models.Model):
    """The cache: what one page of one search showed. A failed crawl never changes it."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    source = models.CharField(_("source"), max_length=64)
    keyword = models.CharField(_("keyword"), max_length=200)
    page = models.PositiveIntegerField(_("page"))
    listing_ids = models.JSONField(_("listings"), default=list)
    has_next = models.BooleanField(_("has a next page"), default=False)
    total = models.IntegerField(_("total"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched"))
    fresh_until = models.DateTimeField(_("fresh until"), db_index=True)
    # Until then it is served while it is fetched again; after that people wait for the new one.
    stale_until = models.DateTimeField(_("stale until"), null=True, db_index=True)

    class Meta:
        verbose_name = _("cached search page")
        verbose_name_plural = _("cached search pages")

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})"

    @staticmethod
    def make_id(*, source: str, normalized_keyword: str, page: int) -> str:
        return content_id("search", source, normalized_keyword, str(page))


class CrawlReason(models.TextChoices):
    SEARCH = "search", _("searched, not cached")
    REFRESH = "refresh", _("cache was stale")
    FORCED = "forced", _("asked for afresh")
    SCHEDULED = "scheduled", _("scheduled")


class Crawl(models.Model):
    """One request to fetch a search page: the intent first, then its outcome."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    source = models.CharField(_("source"), max_length=64)
    keyword = models.CharField(_("keyword"), max_length=200)
    page = models.PositiveIntegerField(_("page"))
    search_page_id = models.CharField(_("cached search page"), max_length=ID_LENGTH, db_index=True)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    reason = models.CharField(_("reason"), max_length=10, choices=CrawlReason.choices, default=CrawlReason.SEARCH)
    error = models.CharField(_("error"), max_length=500, blank=True)
    error_kind = models.CharField(_("kind of error"), max_length=10, choices=ErrorKind.choices, blank=True)
    # Name in the storage of a page that could not be read
    raw_page = models.CharField(_("raw page"), max_length=100, blank=True)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    images_total = models.PositiveIntegerField(_("pictures"), default=0)
    images_done = models.PositiveIntegerField(_("pictures fetched"), default=0)
    requested_by = models.CharField(_("requested by"), max_length=150, blank=True)
    # What went wrong is told in the language of who asked
    language = models.CharField(_("language"), max_length=10, blank=True)
    created_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # Whoever holds the lease works on it; a lease that ran out means that worker is gone.
    leased_until = models.DateTimeField(_("leased until"))

    class Meta:
        verbose_name = _("crawl")
        verbose_name_plural = _("crawls")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="crawl_state_lease"),
            models.Index(fields=["-created_at"], name="crawl_created"),
            models.Index(fields=["source", "-created_at"], name="crawl_source_created"),
            models.Index(fields=["requested_by", "-created_at"], name="crawl_requester_created"),
        ]

    def __str__(self) -> str:
        return f"{self.keyword} ({self.page})"


class ScheduledSearch(models.Model):
    """A keyword that is crawled again and again, so that people find it fresh."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    source = models.CharField(_("source"), max_length=64)
    keyword = models.CharField(_("keyword"), max_length=200)
    pages = models.PositiveIntegerField(_("pages"), default=1, help_text=_("So many, from the first"))
    every_hours = models.PositiveIntegerField(_("every … hours"), default=24)
    enabled = models.BooleanField(_("enabled"), default=True)
    next_at = models.DateTimeField(_("next crawl"), db_index=True)

    class Meta:
        verbose_name = _("scheduled search")
        verbose_name_plural = _("scheduled searches")

    def __str__(self) -> str:
        return self.keyword


class ImportFormat(models.TextChoices):
    AUTO = "auto", _("by its content")
    CSV = "csv", "CSV"
    JSONL = "jsonl", "JSONL"
    XLSX = "xlsx", "XLSX"
    MUGE = "muge", "MUGE"


class ListingImport(models.Model):
    """One import of a file, or its dry run: the intent first, then how far it is and what came of it."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    source = models.CharField(_("source"), max_length=64)
    file_name = models.CharField(_("file"), max_length=255)
    stored_name = models.CharField(max_length=255, blank=True)  # in the storage; empty: none, or not needed any more
    format = models.CharField(_("format"), max_length=10, choices=ImportFormat.choices, default=ImportFormat.AUTO)
    dry_run = models.BooleanField(_("dry run"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    resume_from = models.PositiveIntegerField(default=0)  # rows that are written and counted, whatever happens now
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    failed = models.PositiveIntegerField(_("left out"), default=0)
    pictures_failed = models.PositiveIntegerField(_("without their picture"), default=0)
    errors = models.JSONField(default=list)  # the first ones: line, field, value, message, file, skipped
    warnings = models.JSONField(default=list)
    error = models.CharField(_("error"), max_length=500, blank=True)
    requested_by = models.CharField(_("requested by"), max_length=150, blank=True)
    # What is wrong is told in the language of who asked
    language = models.CharField(_("language"), max_length=10, blank=True)
    created_at = models.DateTimeField(_("asked for"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)  # since rows were last written
    lease_token = models.CharField(max_length=ID_LENGTH, blank=True)
    leased_until = models.DateTimeField(_("leased until"))

    class Meta:
        verbose_name = _("listing import")
        verbose_name_plural = _("listing imports")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="import_state_lease"),
            models.Index(fields=["-created_at"], name="import_created"),
        ]

    def __str__(self) -> str:
        return self.file_name
