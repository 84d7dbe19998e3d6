"""The page of a test: watch it, judge what the model says. `run_start` is where tests begin."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from annotation.product_parts import render_options
from evaluation import services
from evaluation.cards import by_listing, cards_of, cards_posted
from evaluation.forms import answers_in
from evaluation.models import PredictionRun
from evaluation.run_comparison import compared
from evaluation.selectors import runs as selectors
from mmproject.roles import needs

may_judge = needs("evaluation.add_judgment")
STOP_POLLING = 286  # htmx: the answer is shown and polling ends


@require_GET
@may_judge
def run_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The whole page of a run."""
    return render(request, "evaluation/run.html", _run_context(request, _advanced(run_id)))


@require_GET
@may_judge
def run_progress(request: HttpRequest, run_id: str) -> HttpResponse:
    """What the run page polls: the status, and only answers that the page does not show yet, so no tick is ever wiped.

    The page names the positions it still shows as waiting (`waiting=3&waiting=7`), and `cards=yes` once it has cards.
    """
    context = _run_context(request, _advanced(run_id))
    waiting = set(request.GET.getlist("waiting"))
    context["new_grid"] = bool(context["cards"]) and request.GET.get("cards") != "yes"
    context["new_cards"] = [
        card for card in context["cards"] if str(card.prediction.position) in waiting and not card.is_waiting
    ]
    status = STOP_POLLING if context["progress"].finished else 200
    return render(request, "evaluation/run_progress.html", context, status=status)


@require_POST
@may_judge
def judge(request: HttpRequest, run_id: str) -> HttpResponse:
    """Save the answers. With htmx only marks and messages change: what is ticked stays, also when it is refused.

    The last answer of a blind run reveals the versions; nothing is left to lose, so the page is loaded anew.
    """
    run = _run_or_404(run_id)
    answers = selectors.answers_of(run, answers_in(request.POST))
    try:
        saved = services.judgments_save(run=run, answers=answers, evaluator=request.user)
    except ValidationError as error:
        return _refused(request, run, error)
    text = ngettext("Saved: %(count)d judgment.", "Saved: %(count)d judgments.", len(saved))
    messages.success(request, text % {"count": len(saved)})
    if not request.htmx:
        return redirect("evaluation:run", run.id)
    context = _run_context(request, run)
    if run.blind and context["revealed"]:
        return HttpResponseClientRefresh()
    return render(request, "evaluation/judged.html", context)


@require_GET
@may_judge
def product_options(request: HttpRequest) -> HttpResponse:
    """What can be named as the right product: the same list as annotators choose from."""
    return render_options(request)


def _refused(request: HttpRequest, run: PredictionRun, error: ValidationError) -> HttpResponse:
    errors = {key.partition("-")[0]: texts[0] for key, texts in error.message_dict.items()}
    if general := errors.get("answers"):
        messages.error(request, general)
    else:
        text = ngettext(
            "Nothing is saved yet: %(count)d card needs another look.",
            "Nothing is saved yet: %(count)d cards need another look.",
            len(errors),
        )
        messages.error(request, text % {"count": len(errors)})
    context = _run_context(request, run)
    cards = cards_posted(context["cards"], request.POST, errors)
    context |= {"cards": cards, "listings": by_listing(cards), "refused": True}
    template = "evaluation/judged.html" if request.htmx else "evaluation/run.html"
    return render(request, template, context, status=422)


def _run_context(request: HttpRequest, run: PredictionRun) -> dict:
    predictions = selectors.run_predictions(run)
    judgments = selectors.run_judgments(run)
    judged = sum(judgment.evaluator_id == request.user.pk for judgment in judgments)
    revealed = selectors.is_revealed(run, predictions, judged=judged)
    cards = cards_of(
        run,
        predictions,
        judgments=judgments,
        evaluator_id=request.user.pk,
        pictures=selectors.catalogue_pictures(predictions),
        revealed=revealed,
    )
    listings = by_listing(cards)
    return {
        "run": run,
        "progress": selectors.run_progress(run, predictions),
        "cards": cards,
        "listings": listings,
        "judged": judged,
        "revealed": revealed,
        "comparison": compared(run, listings) if revealed else None,
    }


def _advanced(run_id: str) -> PredictionRun:
    try:
        return services.run_advance(run_id=run_id)
    except PredictionRun.DoesNotExist:
        raise Http404(_("There is no such run.")) from None


def _run_or_404(run_id: str) -> PredictionRun:
    try:
        return PredictionRun.objects.get(id=run_id)
    except PredictionRun.DoesNotExist:
        raise Http404(_("There is no such run.")) from None
