"""The catalogue and what was submitted, in the Django admin. Labels and their review are in `label_admin`."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from annotation import agreement_page
from annotation.dispute_admin import DisputeAdmin
from annotation.export_admin import ExportMixin
from annotation.import_admin import TableImportAdmin
from annotation.label_admin import LabelAdmin
from annotation.models import Brand, Claim, Product, Submission, TableKind
from annotation.task_admin import TaskAdmin
from annotation.task_creation import create_tasks, may_create
from annotation.thumbnails import thumbnail
from annotation.webhook_admin import WebhookAdmin, WebhookDeliveryAdmin
from mmproject.admin_lists import KnownValuesFilter, QuickListMixin

__all__ = [
    "BrandAdmin",
    "ClaimAdmin",
    "DisputeAdmin",
    "LabelAdmin",
    "ProductAdmin",
    "SubmissionAdmin",
    "TableImportAdmin",
    "TaskAdmin",
    "WebhookAdmin",
    "WebhookDeliveryAdmin",
]


class CatalogueAdmin(admin.ModelAdmin):
    """The id is chosen once: a document saved under another id would be another document."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("id",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"id": ("name",)}


@admin.register(Brand)
class BrandAdmin(ExportMixin, CatalogueAdmin):
    table_kind = str(TableKind.BRANDS)
    list_display = ("name", "aliases")
    search_fields = ("name", "aliases")


@admin.register(Product)
class ProductAdmin(ExportMixin, QuickListMixin, CatalogueAdmin):
    table_kind = str(TableKind.PRODUCTS)
    list_display = ("picture", "name", "brand_name", "keywords", "active")
    list_display_links = ("name",)
    list_filter = ("active", ("brand_name", KnownValuesFilter))
    search_fields = ("name", "brand_name", "keywords", "search_text")
    autocomplete_fields = ("brand",)
    actions = (create_tasks,)

    def has_task_permission(self, request: HttpRequest) -> bool:
        return may_create(request)

    @admin.display(description=_("picture"))
    def picture(self, product: Product) -> str:
        return thumbnail(product.image_sha256)


class ReadOnlyAdmin(admin.ModelAdmin):
    """A list to look at: documents are written by the services alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Submission)
class SubmissionAdmin(QuickListMixin, ReadOnlyAdmin):
    list_display = ("created_at", "product_name", "keyword", "matched", "skip_reason", "annotator_name", "state")
    list_filter = ("state", "skip_reason", ("annotator_name", KnownValuesFilter))
    search_fields = ("product_name", "keyword")
    ordering = ("-created_at",)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.agreement_view)
        return [
            path("agreement/", page, name="annotation_submission_agreement"),
            # Not under admin_view: its redirect to the login page would be swapped into the page that polls.
            path("agreement/progress/", self.agreement_progress_view, name="annotation_submission_agreement_progress"),
            *super().get_urls(),
        ]

    def agreement_view(self, request: HttpRequest) -> HttpResponse:
        """How far annotators agree; a POST has it computed again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return agreement_page.start(request)
        return agreement_page.show(request, site=self.admin_site.each_context(request))

    def agreement_progress_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.admin_site.has_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        return agreement_page.progress(request)

    @admin.display(description=_("ticked"))
    def matched(self, submission: Submission) -> str:
        return f"{len(submission.matched_listing_ids)} / {len(submission.shown_listing_ids)}"


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    """Who is at what. Deleting a claim frees it for others, and does nothing to what was submitted under it."""

    list_display = ("claimed_at", "expires_at", "product_name", "keyword", "source", "annotator_name", "submitted")
    search_fields = ("product_name", "keyword", "annotator_name")
    ordering = ("-claimed_at",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("submitted"), boolean=True)
    def submitted(self, claim: Claim) -> bool:
        return bool(claim.submission_id)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
