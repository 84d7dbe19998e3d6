"""Importing listings in the admin: upload a file, see what its dry run found, then import it for real."""

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

from crawler.imports.services import MAX_UPLOAD, SUFFIXES, import_confirm, import_start, importable
from crawler.models import ImportFormat, ListingImport, Source, SourceKind
from crawler.selectors import OPEN_STATES

STOP_POLLING = 286  # htmx
_COLUMNS = ("item_id", "title", "url", "price", "currency", "shop_name", "shop_url", "image")
_LIST = "admin:crawler_listingimport_changelist"
_ONE = "admin:crawler_listingimport_change"
_TEMPLATES = "admin/crawler/listingimport"


class ImportForm(forms.Form):
    """What to import into which source. Only sources of files are offered."""

    source = forms.ChoiceField(label=gettext_lazy("Source"))
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=255,
        allow_empty_file=True,  # told by the service, with the file's name
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=ImportFormat.choices, initial=ImportFormat.AUTO, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.filter(kind=SourceKind.FILES).order_by("position", "id")
        self.fields["source"].choices = [(one.id, f"{one.name} ({one.id})") for one in sources]


@admin.register(ListingImport)
class ListingImportAdmin(admin.ModelAdmin):
    """The list of imports; adding one uploads a file, looking at one shows how far it is."""

    list_display = ["file_name", "source", "kind", "state", "created", "updated", "failed", "created_at"]
    list_filter = ["state", "dry_run", "source"]
    search_fields = ["file_name", "requested_by"]
    ordering = ["-created_at"]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=gettext_lazy("kind"))
    def kind(self, listing_import: ListingImport) -> str:
        return _("dry run") if listing_import.dry_run else _("import")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        confirm = self.admin_site.admin_view(require_POST(self.confirm_view))
        return [
            # Not under admin_view: its redirect to the login page would be swapped into the page that polls.
            path("<path:object_id>/progress/", require_GET(self.progress_view), name="crawler_listingimport_progress"),
            path("<path:object_id>/confirm/", confirm, name="crawler_listingimport_confirm"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form, and after it the page of the dry run; 422 with the reason when the file cannot be taken."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
        if form.is_bound and form.is_valid():
            try:
                dry_run = self._start(request, form)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                return redirect(_ONE, dry_run.id)
        context = {"title": _("Import listings"), "form": form, "columns": _COLUMNS, "max": MAX_UPLOAD // 1024**2}
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
        try:
            real = import_confirm(dry_run=dry_run, requested_by=request.user.get_username())
        except ValidationError as error:
            return self._import_page(request, dry_run, problems=error.messages, status=422)
        return redirect(_ONE, real.id)

    def _start(self, request: HttpRequest, form: ImportForm) -> ListingImport:
        data = form.cleaned_data
        return import_start(
            source=data["source"],
            file=data["file"],
            file_name=data["file"].name,
            format=data["format"] or str(ImportFormat.AUTO),
            requested_by=request.user.get_username(),
        )

    def _import_or_404(self, request: HttpRequest, object_id: str) -> ListingImport:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = ListingImport.objects.filter(id=object_id).first()
        if found is None:
            raise Http404(_("There is no such import."))
        return found

    def _progress(self, request: HttpRequest, one: ListingImport) -> dict[str, Any]:
        source = Source.objects.filter(id=one.source).first()
        return {
            "import": one,
            "source": source.name if source else one.source,
            "open": one.state in OPEN_STATES,
            "hidden": one.failed + one.pictures_failed - len(one.errors),
            "importable": one.dry_run and importable(one),
            "may_import": self.has_add_permission(request),
        }

    def _import_page(
        self, request: HttpRequest, one: ListingImport, *, problems: list[str] | None = None, status: int = 200
    ) -> HttpResponse:
        context = self._progress(request, one) | {"title": one.file_name, "problems": problems}
        return self._page(request, "import.html", context, status=status)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int) -> HttpResponse:
        known = self.admin_site.each_context(request) | {"opts": self.model._meta, "list": reverse(_LIST)}
        return TemplateResponse(request, f"{_TEMPLATES}/{template}", known | context, status=status)
