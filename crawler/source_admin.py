"""Sources in the admin: where operators switch them on, configure them, try them and see how they fare."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from crawler.breakers import breaker_reset, breaker_states
from crawler.models import Listing, Source
from crawler.outcomes import Outcomes, outcomes_by_source
from crawler.source_forms import SourceForm, TryForm
from crawler.sources.presets import PRESETS
from crawler.trying import source_try
from crawler.wording import NOTHING, age, breaker_words


class _SourceList(ChangeList):
    """The list with the state of each source, read for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Source] = list(self.result_list)
        _note_states(self.result_list)


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    form = SourceForm
    list_display = ["name", "kind", "enabled", "rate", "breaker", "last_success", "last_error"]
    list_filter = ["enabled", "kind"]
    search_fields = ["id", "name", "base_url"]
    ordering = ["position", "id"]
    show_full_result_count = False
    actions = ["enable", "disable", "ask_again"]
    fieldsets = [
        (None, {"fields": ["name", "id", "kind", "enabled", "position", "base_url", "fingerprint"]}),
        (_("State"), {"fields": ["breaker", "last_success", "last_error", "kept"]}),
        (_("Politeness and safety"), {"fields": ["rate", "timeout_s", "hosts", "robots", "robots_reason", "headers"]}),
        (_("Cache"), {"fields": ["fresh_s", "stale_s", "empty_fresh_s"]}),
        (_("Configuration"), {"fields": ["config"]}),
    ]

    class Media:
        css = {"all": ["css/admin-crawler.css"]}

    # --- the form ----------------------------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        state = ["breaker", "last_success", "last_error", "kept"]
        return [*state, "id"] if obj else state  # saved under another key it would be another source

    def get_prepopulated_fields(self, request: HttpRequest, obj: Source | None = None) -> dict[str, list[str]]:
        return {} if obj else {"id": ["name"]}

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else [part for part in fieldsets if part[0] != _("State")]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Source | None:
        source = super().get_object(request, object_id, from_field)
        if source is not None:
            _note_states([source])
        return source

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?preset=…` starts from one of the ready-made configurations; what else is named in the address wins."""
        initial = super().get_changeform_initial_data(request)
        preset = initial.pop("preset", "")
        return {"id": preset, **PRESETS[preset], **initial} if preset in PRESETS else initial

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().add_view(request, form_url, {**(extra_context or {}), "presets": sorted(PRESETS)})

    # --- the list ----------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _SourceList

    @admin.display(description=_("circuit breaker"))
    def breaker(self, source: Source) -> str:
        state = source.breaker
        if not state.failures:
            return breaker_words(state)
        kind = "bad" if state.is_open else "warn"
        return format_html(
            '<span class="state {}">{}</span><br><span class="quiet">{}</span>', kind, breaker_words(state), state.error
        )

    @admin.display(description=_("last success"))
    def last_success(self, source: Source) -> str:
        crawl = source.outcomes.last_success
        return age(crawl.finished_at) if crawl else NOTHING

    @admin.display(description=_("error of the last crawl"))
    def last_error(self, source: Source) -> str:
        crawl = source.outcomes.last
        return (crawl.error if crawl else "") or NOTHING

    @admin.display(description=_("listings"))
    def kept(self, source: Source) -> str:
        count = Listing.objects.filter(source=source.pk).count()
        if not count:
            return gettext("none")
        text = ngettext(
            "%(count)d listing, so it cannot be deleted: switch it off instead.",
            "%(count)d listings, so it cannot be deleted: switch it off instead.",
            count,
        )
        return text % {"count": count}

    # --- deleting: labels name the source of their listings ----------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        """One at a time, and only a source without listings."""
        if obj is None or not super().has_delete_permission(request, obj):
            return False
        return not Listing.objects.filter(source=obj.pk).exists()

    # --- actions -----------------------------------------------------------------------------------------------------

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, on=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        self._switch(request, sources, on=False)

    def _switch(self, request: HttpRequest, sources: QuerySet[Source], *, on: bool) -> None:
        switched = list(sources.filter(enabled=not on))
        for source in switched:
            source.enabled = on
            source.save(update_fields=["enabled"])
            self.log_change(request, source, [{"changed": {"fields": ["enabled"]}}])
        count = len(switched)
        text = (
            ngettext("%(count)d source is enabled now.", "%(count)d sources are enabled now.", count)
            if on
            else ngettext("%(count)d source is disabled now.", "%(count)d sources are disabled now.", count)
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Ask again now (close the circuit breaker)"), permissions=["change"])
    def ask_again(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        try:
            for source in sources:
                breaker_reset(source.pk)
                self.log_change(request, source, [{"changed": {"fields": ["circuit breaker"]}}])
        except RedisError as error:
            text = gettext("Redis does not answer, so nothing was changed: %(error)s")
            self.message_user(request, text % {"error": error}, messages.ERROR)
        else:
            self.message_user(request, gettext("The next crawl asks the source again."), messages.SUCCESS)

    # --- one search to see whether it works --------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("<path:object_id>/try/", view, name="crawler_source_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the source once; a POST, because strangers' servers notice it."""
        source = self.get_object(request, object_id)
        if source is None:
            raise Http404(f"no source {object_id!r}")
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        form = TryForm(request.POST or None)
        trial = source_try(source=source, **form.cleaned_data) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Try “%(source)s”") % {"source": source.name},
            "opts": self.opts,
            "source": source,
            "form": form,
            "trial": trial,
            "media": self.media,
        }
        return render(request, "admin/crawler/source/try.html", context)


def _note_states(sources: Iterable[Source]) -> None:
    """Give each source its state: one round trip to Redis and one query for all of them."""
    found = list(sources)
    breakers = breaker_states([source.pk for source in found])
    outcomes = outcomes_by_source() if found else {}
    for source in found:
        source.breaker, source.outcomes = breakers[source.pk], outcomes.get(source.pk, Outcomes())
