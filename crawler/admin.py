"""What was crawled, for operators: to look at; a crawl can be run again, a cached page be deleted."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crawler import import_admin  # noqa: F401 - registers its own page
from crawler.models import Crawl, Listing, SearchPage
from crawler.services import crawl_retry


class _ReadOnlyAdmin(admin.ModelAdmin):
    """The crawler writes these documents, not people."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Crawl)
class CrawlAdmin(_ReadOnlyAdmin):
    list_display = ["keyword", "page", "source", "state", "duration", "pictures", "attempts", "error", "created_at"]
    list_filter = ["state", "source", "created_at"]
    search_fields = ["keyword", "requested_by"]
    ordering = ["-created_at"]
    actions = ["retry"]

    @admin.display(description=_("duration"))
    def duration(self, crawl: Crawl) -> str:
        if crawl.finished_at is None:
            return ""
        return f"{(crawl.finished_at - crawl.created_at).total_seconds():.1f} s"

    @admin.display(description=_("pictures"))
    def pictures(self, crawl: Crawl) -> str:
        return f"{crawl.images_done}/{crawl.images_total}"

    # Whoever may look at crawls may ask for one: so may everybody who searches.
    @admin.action(description=_("Crawl again"), permissions=["view"])
    def retry(self, request: HttpRequest, crawls: QuerySet) -> None:
        queued = 0
        for crawl in crawls:
            try:
                crawl_retry(crawl=crawl)
            except ValidationError as error:  # its source is not configured any more
                messages.error(request, " ".join(error.messages))
            else:
                queued += 1
        if queued:
            text = ngettext("%(count)d crawl is queued.", "%(count)d crawls are queued.", queued)
            messages.success(request, text % {"count": queued})


@admin.register(SearchPage)
class SearchPageAdmin(_ReadOnlyAdmin):
    list_display = ["keyword", "page", "source", "listing_count", "has_next", "fetched_at", "fresh_until"]
    list_filter = ["source", "fetched_at"]
    search_fields = ["keyword"]
    ordering = ["-fetched_at"]

    @admin.display(description=_("listings"))
    def listing_count(self, page: SearchPage) -> int:
        return len(page.listing_ids)


@admin.register(Listing)
class ListingAdmin(_ReadOnlyAdmin):
    list_display = ["thumbnail", "title", "price", "currency", "shop_name", "source", "image_state", "last_seen_at"]
    list_display_links = ["title"]
    list_filter = ["source", "image_state"]
    search_fields = ["title", "shop_name", "item_id"]
    ordering = ["-last_seen_at"]
    readonly_fields = ["thumbnail"]

    @admin.display(description=_("picture"))
    def thumbnail(self, listing: Listing) -> str:
        if not listing.image_sha256:
            return listing.image_error or "–"
        address = reverse("crawler:image", args=[listing.image_sha256])
        return format_html('<img src="{}" alt="" height="64" loading="lazy">', address)
