"""Review in the Django admin: the catalogue, and labels to approve or reject."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from annotation import services
from annotation.models import Brand, Label, Product, Review, Submission
from mmproject.links import is_web_link


def thumbnail(sha256: str) -> str:
    """A small picture of the image store, or a dash."""
    if not sha256:
        return "–"
    return format_html(
        '<img src="{}" alt="" width="72" height="72" class="thumb" loading="lazy">',
        reverse("crawler:image", args=[sha256]),
    )


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
    search_fields = ("name", "brand_name", "keywords")
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


@admin.register(Label)
class LabelAdmin(admin.ModelAdmin):
    list_display = ("listing", "catalogue", "title", "product_name", "said", "annotator_name", "shop", "labelled")
    list_display_links = ("title",)
    list_filter = ("review", "brand_name", "source", "annotator_name")
    search_fields = ("title", "product_name", "keyword", "shop_name")
    ordering = ("-created_at",)
    list_per_page = 50
    show_full_result_count = False
    actions = ("approve", "reject", "reopen")
    fields = ("listing_large", "catalogue_large", "title", "product_name", "brand_name", "shop", "price", "keyword",
              "annotator_name", "created_at", "review", "reviewer_name", "reviewed_at")  # fmt: skip
    readonly_fields = tuple(field for field in fields if field != "review")

    @admin.display(description=_("listing"))
    def listing(self, label: Label) -> str:
        return thumbnail(label.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue(self, label: Label) -> str:
        return thumbnail(label.product_image_sha256)

    @admin.display(description=_("listing"))
    def listing_large(self, label: Label) -> str:
        return _large(label.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue_large(self, label: Label) -> str:
        return _large(label.product_image_sha256)

    @admin.display(description=_("shop"))
    def shop(self, label: Label) -> str:
        name = label.shop_name or label.source
        if not is_web_link(label.url):
            return name
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{} ↗</a>', label.url, name)

    @admin.display(description=_("review"), ordering="review")
    def said(self, label: Label) -> str:
        reviewer = f" ({label.reviewer_name})" if label.reviewer_name else ""
        return f"{label.get_review_display()}{reviewer}"

    @admin.display(description=Label._meta.get_field("created_at").verbose_name, ordering="created_at")
    def labelled(self, label: Label) -> str:
        # Short, and free to wrap: Django's own never wraps and is cut off beside the filters.
        return f"{timezone.localtime(label.created_at):%Y-%m-%d %H:%M}"

    @admin.action(description=_("Approve the selected labels"), permissions=["change"])
    def approve(self, request: HttpRequest, labels: QuerySet[Label]) -> None:
        self._review(request, labels, Review.APPROVED)

    @admin.action(description=_("Reject the selected labels"), permissions=["change"])
    def reject(self, request: HttpRequest, labels: QuerySet[Label]) -> None:
        self._review(request, labels, Review.REJECTED)

    @admin.action(description=_("Put the selected labels back to review"), permissions=["change"])
    def reopen(self, request: HttpRequest, labels: QuerySet[Label]) -> None:
        self._review(request, labels, Review.PENDING)

    def _review(self, request: HttpRequest, labels: QuerySet[Label], review: str) -> None:
        ids = list(labels.values_list("id", flat=True))
        count = services.labels_review(label_ids=ids, review=review, reviewer=request.user)
        text = ngettext("%(count)d label is now “%(review)s”.", "%(count)d labels are now “%(review)s”.", count)
        self.message_user(request, text % {"count": count, "review": Review(review).label}, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Label, form: Any, change: bool) -> None:
        services.labels_review(label_ids=[obj.id], review=obj.review, reviewer=request.user)


def _large(sha256: str) -> str:
    if not sha256:
        return "–"
    return format_html('<img src="{}" alt="" height="320">', reverse("crawler:image", args=[sha256]))
