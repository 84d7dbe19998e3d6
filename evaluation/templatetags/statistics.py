"""Addresses of the statistics with other filters."""

from functools import cache
from typing import Any

from django import template
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from evaluation.accuracy import Accuracy
from evaluation.columns import DIMENSIONS
from evaluation.selectors.statistics import Row
from evaluation.selectors.statistics_filters import Filters

register = template.Library()
_NONE = mark_safe('<span class="muted">–</span>')
_VERDICTS = {
    "right": {"verdict": "right", "refused": "no"},
    "wrong": {"verdict": "wrong", "refused": "no"},
    "unsure": {"verdict": "unsure"},
    "refused_right": {"verdict": "right", "refused": "yes"},
    "refused_wrong": {"verdict": "wrong", "refused": "yes"},
    "judged": {},
}


@register.simple_tag
def narrowed(filters: Filters, **changed: Any) -> str:
    """The query of these filters, changed."""
    return filters.query(**{name: str(value) for name, value in changed.items()})


@register.simple_tag
def rows_behind(filters: Filters, by: str, row: Row, figure: str) -> SafeString | str:
    """A figure of a row, as a link to the judgments that it counts."""
    count = getattr(row, figure)
    group = group_filters(by, row.key)
    if not count or group is None:
        return str(count)
    address = f"{_judgments_address()}?{filters.counted.query(**group, **_VERDICTS[figure])}"
    return format_html('<a href="{}">{}</a>', address, count)


@cache
def _judgments_address() -> str:
    return reverse("evaluation:statistics_judgments")


def group_filters(by: str, key: str) -> dict[str, str] | None:
    """The filters that leave just this group; None: there are none, because the value is empty."""
    if by == "day":
        return {"since": key, "until": key}
    if not by:
        return {}
    if not key:
        return None
    return {by: key} if by in DIMENSIONS or by == "confidence" else None


@register.simple_tag
def accuracy(share: Accuracy) -> SafeString:
    """A share with its interval. Written here, not in a template: a page shows hundreds."""
    if not share.of:
        return _NONE
    percent, low, high = (localize(round(value, 1)) for value in (share.percent, share.low, share.high))
    return format_html(
        '{}&nbsp;% <span class="muted small nowrap">{}–{} %, n = {}</span>', percent, low, high, share.of
    )


@register.simple_tag
def filter_value(filters: Filters, name: str) -> str:
    return getattr(filters, name)
