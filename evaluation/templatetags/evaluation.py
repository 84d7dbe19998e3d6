"""Figures as people read them."""

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> float | None:
    """0.25 as 25."""
    return None if share is None else 100 * share
