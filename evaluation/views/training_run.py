"""One training, live: where it stands, its curves and log, what came of it; cancelled and resumed from here."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crawler.models import WorkState
from evaluation import services
from evaluation.models import TrainingRun
from evaluation.selectors import training as selectors
from evaluation.selectors.models import active_model, model_named
from evaluation.training_charts import as_json, charts_of_run
from evaluation.training_figures import accuracies, confusion, parameters, plain_figures
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


@require_GET
@may_see
def training_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """The whole page."""
    run = _run_or_404(run_id)
    live = _live(run)
    return render(request, "evaluation/training_run.html", live | _results(run, live["journal"].manifest))


@require_GET
@may_see
def training_progress(request: HttpRequest, run_id: str) -> HttpResponse:
    """What the page polls; at the end 286, and the page loads anew with the results."""
    context = _live(_run_or_404(run_id))
    status = STOP_POLLING if context["finished"] else 200
    response = render(request, "evaluation/training_progress.html", context, status=status)
    if context["finished"]:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@may_train
def training_cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    """Ask for an end; asked again, or too late, it changes nothing."""
    run = _run_or_404(run_id)
    services.training_cancel(run_id=run.id)
    return redirect("evaluation:training_run", run.id)


@require_POST
@may_train
def training_resume(request: HttpRequest, run_id: str) -> HttpResponse:
    """Queue an ended training again; asked again, or of one that is finished, it changes nothing."""
    run = _run_or_404(run_id)
    if services.training_resume(run_id=run.id):
        messages.success(request, _("The training goes on from its last checkpoint as soon as its turn comes."))
    return redirect("evaluation:training_run", run.id)


def _live(run: TrainingRun) -> dict:
    journal = selectors.journal_of(run)
    charts = charts_of_run(journal.curves)
    return {
        "run": run,
        "journal": journal,
        "finished": run.state not in selectors.OPEN_STATES,
        "resumable": run.state in (WorkState.FAILED, WorkState.CANCELLED),
        "waits": selectors.waits_for_worker(run),
        "before": selectors.place_in_queue(run) if run.state == WorkState.PENDING else 0,
        "active": active_model(),
        "charts": charts,
        "chart_data": as_json(charts),
        "stage": STAGES.get(run.progress.get("stage", ""), _("starting")),
        "time_left": _time_left(run),
        "took": _time_taken(run),
        "val_percent": _val_percent(run),
    }


def _results(run: TrainingRun, manifest: dict) -> dict:
    """What does not change while it runs, and what there is only at its end."""
    return {
        "dataset_run": TrainingRun.objects.filter(id=run.dataset_of).first() if run.dataset_of else None,
        "start_model": model_named(run.start_from) if run.start_from else None,
        "accuracies": accuracies(run.metrics),
        "figures": plain_figures(run.metrics),
        "confusion": confusion(run.metrics),
        "manifest": manifest,
        "parameters": parameters(manifest),
    }


def _time_left(run: TrainingRun) -> str:
    seconds = run.progress.get("seconds_left")
    return "" if run.state != WorkState.RUNNING or seconds is None else _clock(seconds)


def _time_taken(run: TrainingRun) -> str:
    """Of all attempts where the trainer has counted it, else of the last one."""
    if minutes := run.metrics.get("minutes"):
        return _clock(60 * minutes)
    return _clock((run.finished_at - run.started_at).total_seconds()) if run.started_at and run.finished_at else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _val_percent(run: TrainingRun) -> float | None:
    """Of the finished model, or as far as the training has come."""
    accuracy = (run.progress.get("val") or {}).get("product")
    return run.val_percent if run.val_percent is not None else None if accuracy is None else 100 * accuracy


def _run_or_404(run_id: str) -> TrainingRun:
    run = TrainingRun.objects.filter(id=run_id).first()
    if run is None:
        raise Http404(_("There is no such training."))
    return run
