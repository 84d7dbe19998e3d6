"""Judgments that can become labels, and the button that makes them so."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from evaluation.services.labelling import judgments_label, product_said, unlabelled_judgments
from mmproject.roles import needs

SHOWN = 100


@require_http_methods(["GET", "POST"])
@needs("annotation.add_label")
def labelling_page(request: HttpRequest) -> HttpResponse:
    """The newest judgments without a label; POST makes labels to review of those that are ticked."""
    if request.method == "POST":
        chosen = request.POST.getlist("judgment")[:SHOWN]
        if chosen:
            made = judgments_label(judgment_ids=chosen)
            text = ngettext("%(count)d new label waits for review.", "%(count)d new labels wait for review.", made)
            messages.success(request, text % {"count": made})
        else:
            messages.error(request, _("Tick at least one judgment."))
        return redirect("evaluation:labelling")
    judgments = [row for row in unlabelled_judgments()[: 5 * SHOWN] if product_said(row)][:SHOWN]
    return render(request, "evaluation/labelling.html", {"judgments": judgments})
