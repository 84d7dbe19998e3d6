"""Exporting what a list in the admin shows, its filters and search applied, as CSV, XLSX or JSON Lines."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.tables.exporting import CONTENT_TYPES, table_bytes
from annotation.tables.formats import FORMATS


class ExportMixin:
    """For a ModelAdmin whose list can be exported as the table `table_kind`."""

    table_kind: str  # of TableKind
    change_list_template = "admin/annotation/table_change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)  # type: ignore[attr-defined]
        return [path("export/<str:format>/", view, name=self._export_name()), *super().get_urls()]  # type: ignore[misc]

    def export_view(self, request: HttpRequest, format: str) -> HttpResponseBase:
        """The file, streamed. 404 for a format that there is not."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if format not in CONTENT_TYPES:
            raise Http404(_("There is no such format."))
        table = FORMATS[self.table_kind]
        try:
            found = self.get_changelist_instance(request).get_queryset(request)  # type: ignore[attr-defined]
        except IncorrectLookupParameters:  # a filter with a value that makes no sense: the list says so
            return redirect(f"admin:annotation_{self.opts.model_name}_changelist")  # type: ignore[attr-defined]
        answer = StreamingHttpResponse(table_bytes(format, found, table), content_type=CONTENT_TYPES[format])
        name = f"{self.table_kind}-{timezone.localtime():%Y%m%d-%H%M}.{format}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = request.GET.copy()
        query.pop("p", None)  # all pages, not one
        suffix = f"?{query.urlencode()}" if query else ""
        exports = [
            (format.upper(), reverse(f"admin:{self._export_name()}", args=[format]) + suffix)
            for format in CONTENT_TYPES
        ]
        can_import = request.user.has_perm("annotation.add_tableimport")
        context = {"exports": exports, "import_kind": self.table_kind if can_import else ""}
        return super().changelist_view(request, context | (extra_context or {}))  # type: ignore[misc]

    def finds_all(self, request: HttpRequest) -> bool:
        """An export holds all that its list stands for, also where a search shows only the first of it."""
        return request.resolver_match is not None and request.resolver_match.url_name == self._export_name()

    def _export_name(self) -> str:
        return f"annotation_{self.opts.model_name}_export"  # type: ignore[attr-defined]
