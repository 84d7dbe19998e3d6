"""The statistics tab: accuracy, its breakdown, the table of judgments, and what is loaded after it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from evaluation.selectors import statistics as selectors
from evaluation.selectors.statistics_export import FORMATS, table_file
from evaluation.selectors.statistics_filters import Filters, filters_from
from evaluation.selectors.statistics_form import form_values, names_like
from evaluation.selectors.statistics_pictures import pictured
from evaluation.selectors.statistics_table import NEWEST, ORDERS, table_page
from evaluation.services import days_refresh
from evaluation.statistics_charts import days_chart, groups_chart
from mmproject.roles import needs

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHOWN = 100  # groups in the breakdown
may_see = needs("evaluation.add_judgment")


@require_GET
@may_see
def statistics_page(request: HttpRequest) -> HttpResponse:
    """Figures, charts and the first page of the table, under the filters in the address; 400 where one is wrong."""
    context, filters, problems = _begin(request)
    by = request.GET.get("by") or "model"
    if by not in selectors.BREAKDOWNS:
        problems["by"] = _("“%(value)s” is none of: %(choices)s.") % {
            "value": by,
            "choices": ", ".join(selectors.BREAKDOWNS),
        }
        by = "model"
    figures = selectors.statistics(filters=filters, by={by, "day"})
    rows = list(reversed(figures.by_day))[:SHOWN] if by == "day" else figures.groups[by][:SHOWN]
    context |= {
        "figures": figures,
        "by": by,
        "breakdowns": selectors.BREAKDOWNS,
        "rows": rows,
        "more": figures.found[by] - len(rows),
        "days": days_chart(figures.by_day),
        "groups": groups_chart(rows),
        "mix_ups": pictured(figures.mix_ups),
        **_table(request, filters, problems),
    }
    return render(request, "evaluation/statistics.html", context, status=400 if problems else 200)


@require_GET
@may_see
def statistics_judgments(request: HttpRequest) -> HttpResponse:
    """The table of judgments alone, any page of it; with htmx without the page around it."""
    context, filters, problems = _begin(request)
    context |= _table(request, filters, problems)
    part = request.headers.get("HX-Target") == "judgments"
    template = "judgments_table" if part else "statistics_judgments"
    return render(request, f"evaluation/{template}.html", context, status=400 if problems else 200)


@require_GET
@may_see
def statistics_export(request: HttpRequest, format: str) -> HttpResponseBase:
    """All judgments under the filters as a file, streamed; 404 for another format, 400 for a wrong filter."""
    if format not in FORMATS:
        raise Http404(_("There is no such format."))
    context, filters, problems = _begin(request)
    if problems:
        return render(
            request, "evaluation/statistics_judgments.html", context | _table(request, filters, problems), status=400
        )
    response = StreamingHttpResponse(table_file(filters, format=format), content_type=CONTENT_TYPES[format])
    name = f"judgments-{timezone.localtime():%Y%m%d-%H%M}.{format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
@may_see
def statistics_names(request: HttpRequest, dimension: str) -> HttpResponse:
    """Options for a filter that somebody types in."""
    names = names_like(dimension, request.GET.get(dimension, ""))
    if names is None:
        raise Http404
    return render(request, "evaluation/statistics_names.html", {"names": names})


def _begin(request: HttpRequest) -> tuple[dict[str, Any], Filters, dict[str, str]]:
    """What every part of the tab needs: the filters, and all judgments counted that somebody can wait for."""
    filters, problems = filters_from(request.GET.dict())
    waiting = days_refresh()
    context = {"filters": filters, "problems": problems, "waiting": waiting, "form": form_values(filters, request.GET)}
    return context, filters, problems


def _table(request: HttpRequest, filters: Filters, problems: dict[str, str]) -> dict[str, Any]:
    number, order = request.GET.get("page") or "1", request.GET.get("order") or NEWEST
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        problems["page"] = _("“%(value)s” is not the number of a page.") % {"value": number[:50]}
        number = "1"
    if order not in ORDERS:
        problems["order"] = _("“%(value)s” is none of: %(choices)s.") % {
            "value": order[:50],
            "choices": ", ".join(ORDERS),
        }
        order = NEWEST
    return {"table": table_page(filters=filters, number=int(number), order=order), "order": order}
