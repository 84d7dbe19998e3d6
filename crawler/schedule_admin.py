"""Scheduled searches in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from crawler.models import ScheduledSearch
from crawler.schedules import scheduled_crawl_now
from crawler.selectors import enabled_sources
from crawler.services import checked_keyword

MAX_PAGES = 20
MAX_HOURS = 720


class ScheduledSearchForm(forms.ModelForm):
    """Only what can be searched can be scheduled."""

    source = forms.ChoiceField(label=capfirst(_("source")))
    pages = forms.IntegerField(
        label=capfirst(_("pages")), min_value=1, max_value=MAX_PAGES, initial=1, help_text=_("So many, from the first")
    )
    every_hours = forms.IntegerField(label=capfirst(_("every … hours")), min_value=1, max_value=MAX_HOURS, initial=24)

    class Meta:
        model = ScheduledSearch
        fields = ["source", "keyword", "pages", "every_hours", "enabled", "next_at"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" not in self.fields:  # somebody who may only look
            return
        choices = {source.id: source.name for source in enabled_sources()}
        kept = self.instance.source
        if kept and kept not in choices:
            choices[kept] = gettext("%(source)s (switched off)") % {"source": kept}
        self.fields["source"].choices = list(choices.items())

    def clean_keyword(self) -> str:
        try:
            return checked_keyword(self.cleaned_data["keyword"])[0]
        except ValidationError as error:
            raise ValidationError(error.messages) from error


@admin.register(ScheduledSearch)
class ScheduledSearchAdmin(admin.ModelAdmin):
    form = ScheduledSearchForm
    list_display = ["keyword", "source", "pages", "every_hours", "enabled", "next_at"]
    list_filter = ["enabled", "source"]
    search_fields = ["keyword"]
    ordering = ["next_at"]
    show_full_result_count = False
    actions = ["crawl_now", "enable", "disable"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"next_at": timezone.now(), **super().get_changeform_initial_data(request)}

    @admin.action(description=_("Crawl now"), permissions=["change"])
    def crawl_now(self, request: HttpRequest, searches: QuerySet[ScheduledSearch]) -> None:
        pages = 0
        for scheduled in searches:
            queued = scheduled_crawl_now(scheduled=scheduled)
            pages += queued
            if not queued:
                text = gettext("“%(keyword)s” cannot be searched: is its source switched off?")
                self.message_user(request, text % {"keyword": scheduled.keyword}, messages.ERROR)
        if pages:
            text = ngettext("%(count)d page is being crawled.", "%(count)d pages are being crawled.", pages)
            self.message_user(request, text % {"count": pages}, messages.SUCCESS)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, searches: QuerySet[ScheduledSearch]) -> None:
        self._switch(request, searches, on=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, searches: QuerySet[ScheduledSearch]) -> None:
        self._switch(request, searches, on=False)

    def _switch(self, request: HttpRequest, searches: QuerySet[ScheduledSearch], *, on: bool) -> None:
        count = searches.update(enabled=on)
        text = (
            ngettext("%(count)d search is enabled now.", "%(count)d searches are enabled now.", count)
            if on
            else ngettext("%(count)d search is disabled now.", "%(count)d searches are disabled now.", count)
        )
        self.message_user(request, text % {"count": count}, messages.SUCCESS)
