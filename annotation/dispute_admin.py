"""Disputes in the admin: the list, and one with who said what. One after the other: `dispute_page`."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotation import dispute_page
from annotation.models import Dispute
from annotation.thumbnails import large_picture, thumbnail


@admin.register(Dispute)
class DisputeAdmin(admin.ModelAdmin):
    list_display = ("listing", "catalogue", "title", "product_name", "who", "state", "decision", "opened")
    list_display_links = ("title",)
    list_filter = ("state", "is_match", "source", "decided_by")
    search_fields = ("title", "product_name")
    ordering = ("-opened_at",)
    list_per_page = 50
    show_full_result_count = False
    fields = ("listing_large", "catalogue_large", "title", "product_name", "said_by", "state", "decision", "note",
              "decided_by", "decided_at", "opened_at")  # fmt: skip
    # Decided on its own page, where somebody who is faster is noticed.
    readonly_fields = fields

    class Media:
        css = {"all": ["css/admin-review.css"]}

    @admin.display(description=_("listing"))
    def listing(self, dispute: Dispute) -> str:
        return thumbnail(dispute.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue(self, dispute: Dispute) -> str:
        return thumbnail(dispute.product_image_sha256)

    @admin.display(description=_("listing"))
    def listing_large(self, dispute: Dispute) -> str:
        return large_picture(dispute.image_sha256)

    @admin.display(description=_("catalogue"))
    def catalogue_large(self, dispute: Dispute) -> str:
        return large_picture(dispute.product_image_sha256)

    @admin.display(description=_("who said what"))
    def who(self, dispute: Dispute) -> str:
        return render_to_string("admin/annotation/dispute/said.html", {"said": dispute.said})

    said_by = who

    @admin.display(description=_("decision"), ordering="is_match")
    def decision(self, dispute: Dispute) -> str:
        return dispute_page.decision_words(dispute) or "–"

    @admin.display(description=Dispute._meta.get_field("opened_at").verbose_name, ordering="opened_at")
    def opened(self, dispute: Dispute) -> str:
        return f"{timezone.localtime(dispute.opened_at):%Y-%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide_view)
        return [path("decide/", view, name="annotation_dispute_decide"), *super().get_urls()]

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """One dispute after the other, by keyboard."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        answer = dispute_page.decide if request.method == "POST" else dispute_page.show
        return answer(request, site=self.admin_site.each_context(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hidden = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, hidden | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Dispute, form: Any, change: bool) -> None:
        """Nothing: it follows from the submissions and from what is decided on its page."""
