"""The page of agreement in the admin: the figures in words, how far they are, and having them computed again."""

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRefresh

from annotation.agreement import agreement_figures, agreement_progress, agreement_start
from annotation.models import Submission

PER_PAGE = 50


def show(request: HttpRequest, *, site: dict[str, Any]) -> HttpResponse:
    """The figures; a page that is not there shows the nearest one."""
    figures = agreement_figures()
    context = site | {"title": _("Agreement"), "opts": Submission._meta, "progress": _progress(), "figures": figures}
    if figures:
        context |= {
            "at": datetime.fromisoformat(figures["at"]),
            "products": Paginator(figures["products"], PER_PAGE).get_page(request.GET.get("products")),
            "pairs": Paginator(figures["pairs"], PER_PAGE).get_page(request.GET.get("pairs")),
        }
        for rows, name in ((context["products"], "alpha"), (context["pairs"], "kappa")):
            for row in rows:
                # Written out here: a template would give the bar a decimal comma in some languages.
                row["words"], row["bar_value"] = in_words(row[name]), f"{max(0.0, row[name]):.3f}"
                row["percent"] = round(100 * row.get("raw", 0))
    return render(request, "admin/annotation/agreement/agreement.html", context)


def start(request: HttpRequest) -> HttpResponse:
    """Compute again; pressed twice, it is computed once."""
    agreement_start()
    return HttpResponseRedirect(reverse("admin:annotation_submission_agreement"))


def progress(request: HttpRequest) -> HttpResponse:
    """What the page polls; in the end it loads itself anew, with the figures."""
    found = _progress()
    if found is None:
        return HttpResponseClientRefresh()
    return render(request, "admin/annotation/agreement/progress.html", {"progress": found})


def _progress() -> dict[str, Any] | None:
    found = agreement_progress()
    if found is None:
        return None
    stages = {
        "waiting": _("Waiting for a worker."),
        "reading": _("Reading what annotators said …"),
        "products": _("Products"),
        "pairs": _("Pairs of annotators"),
    }
    return found | {"text": stages.get(found["stage"], "")}


def in_words(coefficient: float) -> str:
    """What alpha and kappa mean; the steps are those of Landis and Koch (1977), which are a convention."""
    steps = [
        (0.0, _("no better than chance")),
        (0.2, _("hardly better than chance")),
        (0.4, _("weak")),
        (0.6, _("moderate")),
        (0.8, _("good")),
    ]
    return next((text for most, text in steps if coefficient <= most), _("very good"))
