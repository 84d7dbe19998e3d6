"""Training and the models that came of it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crawler.models import WorkState
from evaluation import services
from evaluation.models import TrainingRun
from evaluation.selectors import training as selectors
from evaluation.selectors.models import active_model, model_versions
from evaluation.views.runs import STOP_POLLING
from mmproject.roles import needs

STAGES = {
    "dataset": gettext_lazy("writing the examples"),
    "features": gettext_lazy("looking at the pictures"),
    "training": gettext_lazy("training"),
    "evaluating": gettext_lazy("measuring"),
    "saving": gettext_lazy("saving the model"),
}

may_see = needs("evaluation.view_trainingrun")
may_train = needs("evaluation.add_trainingrun")
may_see_models = needs("evaluation.view_modelversion")
may_activate = needs("evaluation.change_modelversion")


@require_GET
@may_see
def training_page(request: HttpRequest) -> HttpResponse:
    """What there is to train on, the start button, and the last trainings."""
    return render(request, "evaluation/training.html", _overview())


@require_POST
@may_train
def training_start(request: HttpRequest) -> HttpResponse:
    """Queue a training and lead to its page; 422 with the reason when that cannot be."""
    try:
        run = services.training_start(user=request.user)
    except ValidationError as error:
        return render(request, "evaluation/training.html", _overview() | {"problems": error.messages}, status=422)
    return redirect("evaluation:training_run", run.id)


@require_GET
@may_see
def training_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """One training, live."""
    return render(request, "evaluation/training_run.html", _run_context(run_id))


@require_GET
@may_see
def training_progress(request: HttpRequest, run_id: str) -> HttpResponse:
    """What the training's page polls; 286 ends it."""
    context = _run_context(run_id)
    return render(
        request, "evaluation/training_status.html", context, status=STOP_POLLING if context["finished"] else 200
    )


@require_POST
@may_train
def training_cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    """Ask for an end; asked again, or too late, it changes nothing."""
    run = _run_or_404(run_id)
    services.training_cancel(run_id=run.id)
    return redirect("evaluation:training_run", run.id)


@require_GET
@may_see_models
def models_page(request: HttpRequest) -> HttpResponse:
    """All versions with their figures."""
    return render(request, "evaluation/models.html", {"versions": model_versions(), "active": active_model()})


@require_POST
@may_activate
def model_activate(request: HttpRequest, model_id: str) -> HttpResponse:
    """Have new runs use this version."""
    try:
        model = services.model_activate(model_id=model_id, username=request.user.get_username())
    except ValidationError as error:
        raise Http404(error.message) from None
    messages.success(request, _("New tests use “%(name)s” from now on.") % {"name": model.name})
    return redirect("evaluation:models")


def _overview() -> dict:
    counts = selectors.label_counts()
    return {
        "counts": counts,
        "labels": sum(row.labels for row in counts),
        "most": max((row.labels for row in counts), default=0),
        "judgments": selectors.usable_judgments(),
        "min_labels": selectors.MIN_LABELS,
        "min_products": selectors.MIN_PRODUCTS,
        "enough": selectors.enough_labels(counts),
        "under_way": selectors.training_under_way(),
        "runs": selectors.training_runs(),
    }


def _run_context(run_id: str) -> dict:
    run = _run_or_404(run_id)
    return {
        "run": run,
        "finished": run.state not in (WorkState.PENDING, WorkState.RUNNING),
        "waits": selectors.waits_for_worker(run),
        "active": active_model(),
        "chart": {"curve": run.curve},
        "stage": STAGES.get(run.progress.get("stage", ""), _("starting")),
        "time_left": _time_left(run),
        "took": _time_taken(run),
        "val_percent": _val_percent(run),
        "figures": _figures(run),
    }


def _time_left(run: TrainingRun) -> str:
    seconds = run.progress.get("seconds_left")
    return "" if run.state != WorkState.RUNNING or seconds is None else _clock(seconds)


def _time_taken(run: TrainingRun) -> str:
    return _clock((run.finished_at - run.started_at).total_seconds()) if run.started_at and run.finished_at else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _val_percent(run: TrainingRun) -> float | None:
    """Of the finished model, or as far as the training has come."""
    accuracy = run.progress.get("val_product_accuracy")
    return run.val_percent if run.val_percent is not None else None if accuracy is None else 100 * accuracy


def _figures(run: TrainingRun) -> list[tuple[str, str]]:
    """The metrics that are plain figures, for the table."""
    flat: dict[str, object] = {}
    for name, value in run.metrics.items():
        flat |= {f"{name}: {key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
    return [
        (name, f"{value:.4g}" if isinstance(value, float) else str(value))
        for name, value in flat.items()
        if isinstance(value, int | float | str)
    ]


def _run_or_404(run_id: str) -> TrainingRun:
    run = TrainingRun.objects.filter(id=run_id).first()
    if run is None:
        raise Http404(_("There is no such training."))
    return run
