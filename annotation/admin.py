"""The catalogue and what was submitted, in the Django admin. Labels and their review are in `label_admin`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from annotation.label_admin import LabelAdmin
from annotation.models import Brand, Claim, Product, Submission
from annotation.task_admin import TaskAdmin
from annotation.task_creation import create_tasks, may_create
from annotation.thumbnails import thumbnail
from mmproject.admin_lists import KnownValuesFilter, QuickListMixin

__all__ = ["BrandAdmin", "ClaimAdmin", "LabelAdmin", "ProductAdmin", "SubmissionAdmin", "TaskAdmin"]


class CatalogueAdmin(admin.ModelAdmin):
    """The id is chosen once: a document saved under another id would be another document."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("id",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"id": ("name",)}


@admin.register(Brand)
class BrandAdmin(CatalogueAdmin):
    list_display = ("name", "aliases")
    search_fields = ("name", "aliases")


@admin.register(Product)
class ProductAdmin(QuickListMixin, CatalogueAdmin):
    list_display = ("picture", "name", "brand_name", "keywords", "active")
    list_display_links = ("name",)
    list_filter = ("active", ("brand_name", KnownValuesFilter))
    search_fields = ("name", "brand_name", "keywords")
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
