"""Where in a listing's picture a model sees a word of its title."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crawler.models import WorkState
from evaluation import services
from evaluation.models import ModelVersion, WordAlignment
from evaluation.selectors.models import listings_seen_by, model_named
from evaluation.views.runs import STOP_POLLING
from mmproject.roles import needs

may_see = needs("evaluation.view_modelversion")


@require_http_methods(["GET", "POST"])
@may_see
def alignment_ask(request: HttpRequest, model_id: str) -> HttpResponse:
    """Choose a listing; POST has it drawn and leads there, 422 for one that is not there."""
    model = _model_or_404(model_id)
    context: dict = {"model": model, "listings": listings_seen_by(model)}
    if request.method == "GET":
        return render(request, "evaluation/alignment_ask.html", context)
    named = request.POST.get("listing", "")[:2000]
    try:
        asked = services.alignment_ask(model=model, listing_named=named)
    except ValidationError as error:
        context |= {"named": named, "problem": error.messages[0]}
        return render(request, "evaluation/alignment_ask.html", context, status=422)
    return redirect("evaluation:alignment", model.id, asked.about_id)


@require_GET
@may_see
def alignment(request: HttpRequest, model_id: str, listing_id: str) -> HttpResponse:
    """The title's words, each a link, and the picture with the heat of the chosen one; `word` counts from 0.

    Asked for by htmx it is the part that waits alone: 286 and a fresh page once there is something to see.
    """
    model = _model_or_404(model_id)
    asked = WordAlignment.objects.filter(id=WordAlignment.make_id(model_id=model_id, listing_id=listing_id)).first()
    if asked is None:
        raise Http404(_("Nobody has asked for this yet."))
    if not services.alignment_kept(asked):
        messages.info(request, _("The drawn pictures are kept for a day only: choose the listing again."))
        return redirect("evaluation:alignment_ask", model.id)
    context = {"model": model, "asked": asked, "chosen": _chosen(request.GET.get("word", ""), len(asked.words))}
    if not request.htmx:
        return render(request, "evaluation/alignment.html", context)
    waits = asked.state == WorkState.PENDING
    response = render(request, "evaluation/alignment_waits.html", context, status=200 if waits else STOP_POLLING)
    if not waits:
        response["HX-Refresh"] = "true"
    return response


def _chosen(number: str, words: int) -> int:
    return int(number) if number.isascii() and number.isdigit() and len(number) < 4 and int(number) < words else 0


def _model_or_404(model_id: str) -> ModelVersion:
    model = model_named(model_id)
    if model is None:
        raise Http404(_("There is no model “%(id)s”.") % {"id": model_id})
    return model
