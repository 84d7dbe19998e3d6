"""Links that came from outside."""

from django import template

from mmproject.links import is_web_link as check

register = template.Library()


@register.filter
def is_web_link(url: str | None) -> bool:
    """Whether `url` may stand in an href: http or https only, never `javascript:` or `data:`."""
    return check(url or "")
