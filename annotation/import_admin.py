"""Importing tables in the admin: upload a file, see what its dry run would change, then import it for real."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from annotation.models import TableImport, TableKind
from annotation.tables.formats import FORMATS
from annotation.tables.services import table_import_confirm, table_import_start, table_importable
from crawler.imports.services import MAX_UPLOAD, SUFFIXES
from crawler.selectors import OPEN_STATES

STOP_POLLING = 286  # htmx
_LIST = "admin:annotation_tableimport_changelist"
_ONE = "admin:annotation_tableimport_change"
_TEMPLATES = "admin/annotation/tableimport"
# What somebody needs who imports such a table, besides importing at all.
_NEEDS = {
    str(TableKind.BRANDS): ("annotation.add_brand", "annotation.change_brand"),
    str(TableKind.PRODUCTS): ("annotation.add_product", "annotation.change_product"),
    str(TableKind.LABELS): ("annotation.add_submission",),
}


class TableImportForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=TableKind.choices)
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=255,
        allow_empty_file=True,  # told by the service, with the file's name
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )
    strict = forms.BooleanField(label=gettext_lazy("Import nothing if a row is wrong"), required=False)


@admin.register(TableImport)
class TableImportAdmin(admin.ModelAdmin):
    """The list of imports; adding one uploads a file, looking at one shows how far it is."""

    list_display = ["file_name", "kind", "run", "state", "created", "updated", "failed", "requested_by", "created_at"]
    list_filter = ["kind", "state", "dry_run"]
    search_fields = ["file_name", "requested_by"]
    ordering = ["-created_at"]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=gettext_lazy("kind"))
    def run(self, one: TableImport) -> str:
        return _("dry run") if one.dry_run else _("import")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        confirm = self.admin_site.admin_view(require_POST(self.confirm_view))
        return [
            # Not under admin_view: its redirect to the login page would be swapped into the page that polls.
            path("<path:object_id>/progress/", require_GET(self.progress_view), name="annotation_tableimport_progress"),
            path("<path:object_id>/confirm/", confirm, name="annotation_tableimport_confirm"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form, and after it the page of the dry run; 422 with the reason when the file cannot be taken."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = TableImportForm(request.POST, request.FILES) if posted else TableImportForm(initial=request.GET.dict())
        if posted and form.is_valid():
            data = form.cleaned_data
            self._check_may(request, data["kind"])
            try:
                dry_run = table_import_start(
                    kind=data["kind"],
                    file=data["file"],
                    file_name=data["file"].name,
                    requested_by=request.user,
                    strict=data["strict"],
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect(_ONE, dry_run.id)
        columns = [(name, list(FORMATS[kind].columns.aliases)) for kind, name in TableKind.choices]
        context = {"title": _("Import a table"), "form": form, "columns": columns, "max": MAX_UPLOAD // 1024**2}
        return self._page(request, "upload.html", context, status=422 if form.is_bound else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One import, live."""
        return self._import_page(request, self._import_or_404(request, object_id))

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the page of an import polls; 286 ends it."""
        if not self.admin_site.has_permission(request):
            raise PermissionDenied
        context = self._progress(request, self._import_or_404(request, object_id))
        return render(request, f"{_TEMPLATES}/progress.html", context, status=200 if context["open"] else STOP_POLLING)

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The real import of a dry run's file; asked again, it leads to the same one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        dry_run = self._import_or_404(request, object_id)
        self._check_may(request, dry_run.kind)
        try:
            real = table_import_confirm(dry_run=dry_run, requested_by=request.user)
        except ValidationError as error:
            return self._import_page(request, dry_run, problems=error.messages, status=422)
        return redirect(_ONE, real.id)

    @staticmethod
    def _check_may(request: HttpRequest, kind: str) -> None:
        if not request.user.has_perms(_NEEDS[kind]):
            raise PermissionDenied

    def _import_or_404(self, request: HttpRequest, object_id: str) -> TableImport:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = TableImport.objects.filter(id=object_id).first()
        if found is None:
            raise Http404(_("There is no such import."))
        return found

    def _progress(self, request: HttpRequest, one: TableImport) -> dict[str, Any]:
        return {
            "import": one,
            "open": one.state in OPEN_STATES,
            "hidden": one.failed - len(one.errors),
            "more_changes": one.created + one.updated - len(one.changes),
            "stopped": one.strict and one.failed,
            "importable": one.dry_run and table_importable(one),
            "may_import": self.has_add_permission(request),
        }

    def _import_page(
        self, request: HttpRequest, one: TableImport, *, problems: list[str] | None = None, status: int = 200
    ) -> HttpResponse:
        context = self._progress(request, one) | {"title": one.file_name, "problems": problems}
        return self._page(request, "import.html", context, status=status)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int) -> HttpResponse:
        known = self.admin_site.each_context(request) | {"opts": self.model._meta, "list": reverse(_LIST)}
        return TemplateResponse(request, f"{_TEMPLATES}/{template}", known | context, status=status)
