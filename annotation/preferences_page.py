"""Changing what one has chosen for the annotators' page."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation.preferences import PAGE_SIZES, preferences_change
from mmproject.roles import needs


class PageSizeForm(forms.Form):
    page_size = forms.TypedChoiceField(choices=[(size, size) for size in PAGE_SIZES], coerce=int)


@require_POST
@needs("annotation.add_submission")
def page_size(request: HttpRequest) -> HttpResponse:
    """Keep how many listings one wants to see at first."""
    form = PageSizeForm(request.POST)
    if not form.is_valid():
        texts = [f"{_('Show at first')}: {text}" for text in form.errors["page_size"]]
        template = "annotation/problem.html" if request.htmx else "annotation/problem_page.html"
        return render(request, template, {"texts": texts}, status=422)
    size = form.cleaned_data["page_size"]
    preferences_change(annotator=request.user, page_size=size)
    text = _("From the next search on, %(count)d listings are shown at first.") % {"count": size}
    messages.success(request, text if size else _("From the next search on, a page of the shop's is shown at first."))
    return render(request, "components/messages.html") if request.htmx else redirect("annotation:search")


@require_POST
@needs("annotation.add_submission")
def tour_seen(request: HttpRequest) -> HttpResponse:
    """Keep that one has seen the tour, so that it does not come by itself again."""
    preferences_change(annotator=request.user, tour_seen_at=timezone.now())
    return HttpResponse(status=204)
