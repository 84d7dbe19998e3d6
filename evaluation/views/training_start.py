"""The page of all trainings: what there is to train on, the form that starts one, the queue, the last ones."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from crawler.models import WorkState
from evaluation import services
from evaluation.forms import TrainingForm
from evaluation.selectors import training as selectors
from evaluation.selectors.models import model_versions
from ml.training import available_configs
from mmproject.ids import new_id
from mmproject.roles import needs


@require_GET
@needs("evaluation.view_trainingrun")
def training_page(request: HttpRequest) -> HttpResponse:
    """All of it; `config`, `dataset_of` and `start_from` in the address are chosen already."""
    chosen = {"config": services.CONFIG, "run_id": new_id()} | request.GET.dict()
    return render(request, "evaluation/training.html", _overview(TrainingForm(initial=chosen)))


@require_POST
@needs("evaluation.add_trainingrun")
def training_start(request: HttpRequest) -> HttpResponse:
    """Queue a training and lead to its page; 422 with the reasons, and all that was typed, when that cannot be."""
    form = TrainingForm(request.POST)
    if form.is_valid():
        try:
            run = services.training_start(user=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("evaluation:training_run", run.id)
    return render(request, "evaluation/training.html", _overview(form), status=422)


def _overview(form: TrainingForm) -> dict:
    counts, runs = selectors.label_counts(), selectors.training_runs()
    waiting = [run.id for run in reversed(runs) if run.state == WorkState.PENDING]
    return {
        "form": form,
        "configs": available_configs(),
        "datasets": selectors.trainings_with_datasets(),
        "models": model_versions(),
        "counts": counts,
        "labels": sum(row.labels for row in counts),
        "most": max((row.labels for row in counts), default=0),
        "judgments": selectors.usable_judgments(),
        "min_labels": selectors.MIN_LABELS,
        "min_products": selectors.MIN_PRODUCTS,
        "enough": selectors.enough_labels(counts),
        "runs": [(run, waiting.index(run.id) + 1 if run.id in waiting else None) for run in runs],
    }
