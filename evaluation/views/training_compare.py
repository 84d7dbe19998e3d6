"""Several trainings in one chart, and what was different between them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from evaluation.selectors import training as selectors
from evaluation.training_charts import MAX_RUNS, as_json, charts_of_runs, curve_choices, default_curves
from evaluation.training_figures import differences
from mmproject.roles import needs


@require_GET
@needs("evaluation.view_trainingrun")
def training_compare(request: HttpRequest) -> HttpResponse:
    """`run` and `curve`, each any number of times, choose what is drawn; what is not there is left out."""
    runs = selectors.training_runs()
    asked = request.GET.getlist("run")
    chosen = [run for run in reversed(runs) if run.id in asked][:MAX_RUNS]
    journals = selectors.journals_of(chosen)
    choices = curve_choices([journals[run.id].curves for run in chosen])
    known = {choice.key for choice in choices}
    curves = [key for key in request.GET.getlist("curve") if key in known] or default_curves(known)
    charts = charts_of_runs([(run, journals[run.id].curves) for run in chosen], curves)
    context = {
        "runs": runs,
        "chosen": chosen,
        "chosen_ids": [run.id for run in chosen],
        "too_many": len(set(asked) & {run.id for run in runs}) > MAX_RUNS,
        "max_runs": MAX_RUNS,
        "choices": choices,
        "curves": curves,
        "charts": charts,
        "chart_data": as_json(charts),
        "differences": differences([(run, journals[run.id].manifest) for run in chosen]),
    }
    return render(request, "evaluation/training_compare.html", context)
