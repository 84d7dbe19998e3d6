"""What was crawled, for operators: to look at; a crawl can be run again or ended, and the health of all be seen."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from crawler import raw_pages
from crawler.health_page import health_context
from crawler.import_admin import ListingImportAdmin
from crawler.models import Crawl, Listing, SearchPage
from crawler.picture_paths import picture_path
from crawler.schedule_admin import ScheduledSearchAdmin
from crawler.services import crawl_cancel, crawl_retry
from crawler.source_admin import SourceAdmin
from crawler.wording import NOTHING, seconds
from mmproject.admin_lists import KnownValuesFilter, QuickListMixin

__all__ = ["CrawlAdmin", "ListingAdmin", "ListingImportAdmin", "ScheduledSearchAdmin", "SearchPageAdmin", "SourceAdmin"]


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
    list_display = [
        *("keyword", "page", "source", "state", "told", "reason", "created_at", "queued_for", "duration", "requests"),
    ]
    list_filter = ["state", "source", "error_kind", "reason", "created_at"]
    search_fields = ["keyword", "requested_by"]
    ordering = ["-created_at"]
    readonly_fields = ["queued_for", "duration", "raw_page_link"]
    actions = ["retry", "cancel"]

    class Media:
        css = {"all": ["css/admin-crawler.css"]}

    @admin.display(description=_("waited"))
    def queued_for(self, crawl: Crawl) -> str:
        return seconds((crawl.started_at - crawl.created_at).total_seconds() if crawl.started_at else None)

    @admin.display(description=_("duration"))
    def duration(self, crawl: Crawl) -> str:
        both = crawl.finished_at and crawl.started_at
        return seconds((crawl.finished_at - crawl.started_at).total_seconds() if both else None)

    @admin.display(description=_("error"), ordering="error_kind")
    def told(self, crawl: Crawl) -> str:
        """What went wrong, with the page that could not be read beside it."""
        if not crawl.error:
            return NOTHING
        return format_html(
            "{}{}", crawl.error, format_html(" ({})", self.raw_page_link(crawl)) if crawl.raw_page else ""
        )

    @admin.display(description=_("raw page"))
    def raw_page_link(self, crawl: Crawl) -> str:
        if not crawl.raw_page:
            return NOTHING
        address = reverse("admin:crawler_crawl_raw_page", args=[crawl.pk])
        return format_html('<a href="{}" download>{}</a>', address, gettext("download"))

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whether they may run and end crawls; what a crawl says of itself nobody changes."""
        return request.user.has_perm("crawler.change_crawl")

    @admin.action(description=_("Crawl again"), permissions=["steer"])
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

    @admin.action(description=_("Cancel"), permissions=["steer"])
    def cancel(self, request: HttpRequest, crawls: QuerySet) -> None:
        chosen = list(crawls)
        cancelled = sum(crawl_cancel(crawl=crawl) for crawl in chosen)
        if cancelled:
            text = ngettext("%(count)d crawl is cancelled.", "%(count)d crawls are cancelled.", cancelled)
            messages.success(request, text % {"count": cancelled})
        if ended := len(chosen) - cancelled:
            text = ngettext("%(count)d crawl had ended already.", "%(count)d crawls had ended already.", ended)
            messages.warning(request, text % {"count": ended})

    def get_urls(self) -> list[URLPattern]:
        return [
            path("health/", self.admin_site.admin_view(self.health_view), name="crawler_crawl_health"),
            path("health/now/", self.health_now_view, name="crawler_crawl_health_now"),
            path(
                "<path:object_id>/raw-page/",
                self.admin_site.admin_view(self.raw_page_view),
                name="crawler_crawl_raw_page",
            ),
            *super().get_urls(),
        ]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        """How crawling goes, by source and over time."""
        self._require_view(request)
        context = {**self.admin_site.each_context(request), "title": gettext("Crawl health"), "opts": self.opts}
        return render(request, "admin/crawler/crawl/health.html", context | health_context(request.GET))

    def health_now_view(self, request: HttpRequest) -> HttpResponse:
        """What of that page changes. Whoever has been signed out meanwhile is sent to the whole page, not its form."""
        if not (self.admin_site.has_permission(request) and self.has_view_permission(request)):
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        return render(request, "admin/crawler/crawl/health_now.html", health_context(request.GET) | {"swapped": True})

    def raw_page_view(self, request: HttpRequest, object_id: str) -> FileResponse:
        """The kept page as a download of plain text: a stranger wrote it, so that no browser may render it."""
        self._require_view(request)
        crawl = self.get_object(request, object_id)
        try:
            file = raw_pages.opened(crawl.raw_page if crawl else "")
        except FileNotFoundError:
            raise Http404("no page is kept") from None
        name = f"crawl-{object_id}.txt"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="text/plain")
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


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
class ListingAdmin(QuickListMixin, _ReadOnlyAdmin):
    list_display = ["thumbnail", "title", "price", "currency", "shop_name", "source", "image_state", "last_seen_at"]
    list_display_links = ["title"]
    list_filter = [("source", KnownValuesFilter), "image_state"]
    search_fields = ["title", "shop_name", "item_id"]
    newest_by = "last_seen_at"
    ordering = ["-last_seen_at"]
    readonly_fields = ["thumbnail"]

    @admin.display(description=_("picture"))
    def thumbnail(self, listing: Listing) -> str:
        if not listing.image_sha256:
            return listing.image_error or "–"
        address = picture_path(listing.image_sha256)
        return format_html('<img src="{}" alt="" height="64" loading="lazy">', address)
