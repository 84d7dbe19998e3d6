"""The statistics tab: how often the model is right, and every judgment behind that."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from evaluation.models import Verdict
from evaluation.selectors import statistics as selectors
from mmproject.roles import needs


@require_GET
@needs("evaluation.add_judgment")
def statistics_page(request: HttpRequest) -> HttpResponse:
    """Figures, charts and the table; `model` and `verdict` filter, `page` pages. With htmx the filtered part alone."""
    models = selectors.judged_models()
    model_id = request.GET.get("model", "")
    model_id = model_id if model_id in {model.id for model in models} else ""
    verdict = request.GET.get("verdict", "")
    verdict = verdict if verdict in Verdict.values else ""
    figures = selectors.statistics(model_id=model_id)
    context = {
        "models": models,
        "model_id": model_id,
        "verdict": verdict,
        "verdicts": Verdict.choices,
        "figures": figures,
        "chart": selectors.chart(figures),
        "judgments": selectors.judgment_page(number=request.GET.get("page", "1"), model_id=model_id, verdict=verdict),
        "query": urlencode({"model": model_id, "verdict": verdict}),
    }
    return render(request, "evaluation/statistics.html", context)
