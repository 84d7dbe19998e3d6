"""What the statistics tab loads after itself: calibration and threshold, agreement, versions, speed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from evaluation import services
from evaluation.selectors.models import model_named
from evaluation.selectors.statistics import judged_models
from evaluation.selectors.statistics_curves import curves
from evaluation.selectors.statistics_filters import filters_from
from evaluation.selectors.statistics_pairs import agreement, compare_versions
from evaluation.selectors.statistics_speed import speed
from evaluation.statistics_charts import precision_chart, reliability_chart
from mmproject.roles import needs

may_see = needs("evaluation.add_judgment")


@require_GET
@may_see
def statistics_curves(request: HttpRequest) -> HttpResponse:
    """Reliability and precision by coverage; of one version with the threshold to choose."""
    filters, problems = filters_from(request.GET.dict())
    found = curves(filters=filters)
    context = {
        "filters": filters,
        "curves": found,
        "table": [point for point in found.points if not point.threshold % 5],
        "reliability": reliability_chart(found),
        "precision": precision_chart(found),
        "model": model_named(filters.model) if filters.model else None,
    }
    return _part(request, "curves", context, problems)


@require_POST
@needs("evaluation.change_modelversion")
def statistics_threshold(request: HttpRequest) -> HttpResponse:
    """Set the threshold of a version, in per cent; empty: it always names a product."""
    model_id, typed = request.POST.get("model", ""), request.POST.get("threshold", "").strip().replace(",", ".")
    back = f"{reverse('evaluation:statistics')}?model={model_id}#curves"
    try:
        threshold = float(typed) / 100 if typed else None
    except ValueError:
        return _refused(request, _("“%(value)s” is not a number of per cent.") % {"value": typed[:50]})
    try:
        model = services.threshold_set(model_id=model_id, threshold=threshold, username=request.user.get_username())
    except ValidationError as error:
        return _refused(request, " ".join(error.messages))
    if threshold is None:
        messages.success(request, _("“%(name)s” always names a product.") % {"name": model.name})
    else:
        said = {"name": model.name, "threshold": f"{100 * threshold:g}"}
        messages.success(request, _("“%(name)s” says “not in our catalogue” below %(threshold)s %%.") % said)
    return redirect(back)


@require_GET
@may_see
def statistics_pairs(request: HttpRequest) -> HttpResponse:
    """Agreement of evaluators, and the version of the filters against `other` on the same listings."""
    filters, problems = filters_from(request.GET.dict())
    other = request.GET.get("other", "")
    models = judged_models()
    context = {
        "filters": filters,
        "models": models,
        "other": other,
        "agreement": agreement(filters=filters),
        "first": next((model for model in models if model.id == filters.model), None),
        "second": next((model for model in models if model.id == other), None),
    }
    if filters.model and other and filters.model != other:
        context["comparison"] = compare_versions(first=filters.model, second=other, filters=filters)
    return _part(request, "pairs", context, problems)


@require_GET
@may_see
def statistics_speed(request: HttpRequest) -> HttpResponse:
    """How many predictions are made, and how long they take."""
    filters, problems = filters_from(request.GET.dict())
    context = {"rows": speed(model_id=filters.model)}
    return _part(request, "speed", context, problems)


def _part(request: HttpRequest, name: str, context: dict[str, Any], problems: dict[str, str]) -> HttpResponse:
    """A part of the tab; opened by itself with a page around it. 400 where a filter is wrong."""
    status = 400 if problems else 200
    fragment = f"evaluation/statistics_{name}.html"
    if "HX-Request" in request.headers:
        return render(request, fragment, context, status=status)
    return render(
        request, "evaluation/statistics_part.html", {**context, "part": fragment, "problems": problems}, status=status
    )


def _refused(request: HttpRequest, problem: str) -> HttpResponse:
    context = {
        "problem": problem,
        "typed": request.POST.get("threshold", ""),
        "model": model_named(request.POST.get("model", "")),
    }
    return render(request, "evaluation/statistics_threshold.html", context, status=400)
