"""Test prediction: start a run, watch it, judge what the model says."""

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from annotation.product_parts import render_options
from crawler.images import MAX_BYTES
from crawler.selectors import enabled_sources
from evaluation import services
from evaluation.cards import cards_posted, cards_saved
from evaluation.forms import STARTED_HERE, RunForm, answers_in
from evaluation.models import PredictionRun, RunKind
from evaluation.selectors import runs as selectors
from evaluation.selectors.models import active_model, models_to_choose
from mmproject.roles import needs

may_judge = needs("evaluation.add_judgment")
STOP_POLLING = 286  # htmx: the answer is shown and polling ends


@require_http_methods(["GET", "POST"])
@may_judge
def predict_page(request: HttpRequest) -> HttpResponse:
    """The form and the user's last runs; POST starts a run and leads to its page."""
    posted = request.method == "POST"
    form = RunForm(request.POST, request.FILES) if posted else RunForm(initial=request.GET.dict())
    if posted and form.is_valid():
        try:
            run = _started(form.cleaned_data, request.user)
        except ValidationError as error:
            _add_errors(form, error)
        else:
            address = reverse("evaluation:run", args=[run.id])
            return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    return render(request, "evaluation/predict.html", _start_context(request, form), status=422 if posted else 200)


@require_GET
@may_judge
def run_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The whole page of a run."""
    return render(request, "evaluation/run.html", _run_context(request, _advanced(run_id)))


@require_GET
@may_judge
def run_progress(request: HttpRequest, run_id: str) -> HttpResponse:
    """What the run page polls: the status, and only cards that the page does not show yet, so no tick is ever wiped.

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
    """Save the answers. With htmx only marks and messages change: what is ticked stays, also when it is refused."""
    run = _run_or_404(run_id)
    try:
        saved = services.judgments_save(run=run, answers=answers_in(request.POST), evaluator=request.user)
    except ValidationError as error:
        return _refused(request, run, error)
    text = ngettext("Saved: %(count)d judgment.", "Saved: %(count)d judgments.", len(saved))
    messages.success(request, text % {"count": len(saved)})
    if not request.htmx:
        return redirect("evaluation:run", run.id)
    context = _run_context(request, run)
    context["judged"] = sum(card.saved for card in context["cards"])
    return render(request, "evaluation/judged.html", context)


@require_GET
@may_judge
def product_options(request: HttpRequest) -> HttpResponse:
    """What can be named as the right product: the same list as annotators choose from."""
    return render_options(request)


def _started(values: dict, user: AbstractBaseUser) -> PredictionRun:
    """The run of a valid form. Raises ValidationError, keyed by field."""
    versions: services.Versions = {
        "model_id": values["model"],
        "other_model_id": values["other_model"],
        "blind": values["blind"],
    }
    force = values["force_update"]
    if values["kind"] == RunKind.ADDRESS:
        return services.run_start_address(address=values["address"], force_update=force, user=user, **versions)
    if values["kind"] == RunKind.UPLOAD:
        picture = values["picture"].read(MAX_BYTES + 1)  # a byte too many is enough to be refused
        return services.run_start_upload(picture=picture, title=values["title"], user=user, **versions)
    search = {name: values[name] for name in ("keyword", "source", "page")}
    return services.run_start(**search, force_update=force, user=user, **versions)


def _start_context(request: HttpRequest, form: RunForm) -> dict:
    recent = selectors.recent_runs(user_id=request.user.pk)
    return {
        "form": form,
        "kinds": STARTED_HERE,
        "kind": form["kind"].value() or RunKind.SEARCH,
        "problems": [text for texts in form.errors.values() for text in texts],
        "model": active_model(),
        "versions": models_to_choose(),
        "sources": enabled_sources(),
        "example": selectors.example_keyword(),
        "recent": recent,
        "unfinished": [row for row in recent if row.is_unfinished][:5],
    }


def _refused(request: HttpRequest, run: PredictionRun, error: ValidationError) -> HttpResponse:
    errors = {key: texts[0] for key, texts in error.message_dict.items()}
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
    predictions = [card.prediction for card in context["cards"]]
    context["cards"] = cards_posted(predictions, request.POST, errors)
    template = "evaluation/judged.html" if request.htmx else "evaluation/run.html"
    return render(request, template, context | {"refused": True}, status=422)


def _run_context(request: HttpRequest, run: PredictionRun) -> dict:
    predictions = selectors.run_predictions(run)
    judgments = selectors.own_judgments(run_id=run.id, evaluator_id=request.user.pk)
    return {
        "run": run,
        "progress": selectors.run_progress(run, predictions),
        "cards": cards_saved(predictions, judgments),
        "judged": len(judgments),
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


def _add_errors(form: RunForm, error: ValidationError) -> None:
    for key, texts in error.message_dict.items():
        form.add_error(key if key in form.fields else None, texts)
