"""Labels in the admin: the list, what can be done with many, one label with its history. One by one: `review_page`."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from annotation import review_page
from annotation.export_admin import ExportMixin
from annotation.models import Label, Review, TableKind
from annotation.opinions import opinions_of
from annotation.product_search import products_matching
from annotation.review_forms import RejectForm
from annotation.review_queue import label_history
from annotation.reviews import labels_review
from annotation.thumbnails import large_picture, thumbnail
from mmproject.admin_lists import KnownValuesFilter, QuickListMixin
from mmproject.links import is_web_link


class LabelList(ChangeList):
    """A page of labels, with the model's opinions of all its listings read at once."""

    result_list: Any  # Django says which

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        labels: list[Label] = list(self.result_list)
        found = opinions_of([label.listing_id for label in labels])
        for label in labels:
            label.opinion = found.get(label.listing_id)
        self.result_list = labels


@admin.register(Label)
class LabelAdmin(ExportMixin, QuickListMixin, admin.ModelAdmin):
    table_kind = str(TableKind.LABELS)
    change_list_template = "admin/annotation/label/change_list.html"
    list_display = ("listing", "catalogue", "title", "product", "said", "shop", "labelled")
    list_display_links = ("title",)
    list_filter = (
        "review",
        "reject_reason",
        ("brand_name", KnownValuesFilter),
        ("source", KnownValuesFilter),
        ("annotator_name", KnownValuesFilter),
    )
    search_fields = ("title", "keyword", "shop_name")
    search_help_text = _("Title, keyword or shop; or the product, also in pinyin")
    newest_by = "created_at"
    ordering = ("-created_at",)
    list_per_page = 25  # pictures: a screen shows eight
    actions = ("approve", "reject", "reopen")
    fields = ("listing_large", "catalogue_large", "title", "product_name", "brand_name", "shop", "price", "keyword",
              "annotator_name", "created_at", "opinion", "review", "reject_reason", "review_note", "reviewer_name",
              "reviewed_at", "history")  # fmt: skip
    # A verdict is given on the review page, which knows what its reviewer saw.
    readonly_fields = fields

    class Media:
        css = {"all": ["css/admin-review.css"]}

    def also_found(self, queryset: QuerySet[Label], search_term: str) -> QuerySet[Label]:
        """The labels of products that the picker finds so."""
        return queryset.filter(product_id__in=[product.id for product in products_matching(search_term)])

    @admin.display(description=_("listing"))
    def listing(self, label: Label) -> str:
        return thumbnail(label.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue(self, label: Label) -> str:
        return thumbnail(label.product_image_sha256)

    @admin.display(description=_("listing"))
    def listing_large(self, label: Label) -> str:
        return large_picture(label.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue_large(self, label: Label) -> str:
        return large_picture(label.product_image_sha256)

    @admin.display(description=_("shop"))
    def shop(self, label: Label) -> str:
        name = label.shop_name or label.source
        if not is_web_link(label.url):
            return name
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{} ↗</a>', label.url, name)

    @admin.display(description=_("review"), ordering="review")
    def said(self, label: Label) -> str:
        reason = f": {label.get_reject_reason_display()}" if label.reject_reason else ""
        reviewer = f" ({label.reviewer_name})" if label.reviewer_name else ""
        return f"{label.get_review_display()}{reason}{reviewer}"

    @admin.display(description=Label._meta.get_field("created_at").verbose_name, ordering="created_at")
    def labelled(self, label: Label) -> str:
        # By whom and when, free to wrap: Django's own date never wraps, and two columns are cut off beside the filters.
        return f"{label.annotator_name}, {timezone.localtime(label.created_at):%Y-%m-%d %H:%M}"

    @admin.display(description=_("product"), ordering="product_name")
    def product(self, label: Label) -> str:
        """With the model's opinion below it: a column of its own would be cut off beside the filters."""
        if not label.opinion:
            return label.product_name
        said = gettext("model: %(opinion)s") % {"opinion": self.opinion(label)}
        return format_html("{}<br><small>{}</small>", label.product_name, said)

    @admin.display(description=_("model"))
    def opinion(self, label: Label) -> str:
        if not hasattr(label, "opinion"):  # on a label's own page
            label.opinion = opinions_of([label.listing_id]).get(label.listing_id)
        return label.opinion.against(label.product_id) if label.opinion else "–"

    @admin.display(description=_("history"))
    def history(self, label: Label) -> str:
        return render_to_string("admin/annotation/label/history.html", {"changes": label_history(label)})

    # --- many at once

    @admin.action(description=_("Approve the selected labels"), permissions=["change"])
    def approve(self, request: HttpRequest, labels: QuerySet[Label]) -> None:
        self._review(request, labels, Review.APPROVED)

    @admin.action(description=_("Reject the selected labels"), permissions=["change"])
    def reject(self, request: HttpRequest, labels: QuerySet[Label]) -> HttpResponse | None:
        """Asks why on a page of its own, as deleting asks whether."""
        form = RejectForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            said = form.cleaned_data
            self._review(request, labels, Review.REJECTED, reason=said["reason"], note=said["note"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Reject labels"),
            "opts": self.opts,
            "form": form,
            "count": labels.count(),
            "some": labels[:12],
            # The choice as it was made, not the keys it stands for: there may be thousands.
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return render(request, "admin/annotation/label/reject.html", context, status=422 if form.is_bound else 200)

    @admin.action(description=_("Put the selected labels back to review"), permissions=["change"])
    def reopen(self, request: HttpRequest, labels: QuerySet[Label]) -> None:
        self._review(request, labels, Review.PENDING)

    def _review(self, request: HttpRequest, labels: QuerySet[Label], review: str, **why: str) -> None:
        ids = list(labels.values_list("id", flat=True))
        count = labels_review(label_ids=ids, review=review, reviewer=request.user, **why)
        text = ngettext("%(count)d label is now “%(review)s”.", "%(count)d labels are now “%(review)s”.", count)
        self.message_user(request, text % {"count": count, "review": Review(review).label}, messages.SUCCESS)

    # --- one by one

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LabelList

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.review_view)
        return [path("review/", view, name="annotation_label_review"), *super().get_urls()]

    def review_view(self, request: HttpRequest) -> HttpResponse:
        """One label after the other, by keyboard."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return review_page.decide(request, site=self.admin_site.each_context(request))
        return review_page.show(request, site=self.admin_site.each_context(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hidden = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, hidden | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Label, form: Any, change: bool) -> None:
        """Nothing: a whole document, as it was when it was read, would overwrite what was reviewed meanwhile."""
