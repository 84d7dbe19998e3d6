"""The catalogue and what was submitted, in the Django admin. Labels and their review are in `label_admin`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from annotation.label_admin import LabelAdmin
from annotation.models import Brand, Product, Submission
from annotation.thumbnails import thumbnail

__all__ = ["BrandAdmin", "LabelAdmin", "ProductAdmin", "SubmissionAdmin"]


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
class ProductAdmin(CatalogueAdmin):
    list_display = ("picture", "name", "brand_name", "keywords", "active")
    list_display_links = ("name",)
    list_filter = ("active", "brand_name")
    search_fields = ("name", "brand_name", "keywords", "search_text")
    autocomplete_fields = ("brand",)

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
class SubmissionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "product_name", "keyword", "matched", "annotator_name", "state")
    list_filter = ("state", "annotator_name")
    search_fields = ("product_name", "keyword")
    ordering = ("-created_at",)

    @admin.display(description=_("ticked"))
    def matched(self, submission: Submission) -> str:
        return f"{len(submission.matched_listing_ids)} / {len(submission.shown_listing_ids)}"
