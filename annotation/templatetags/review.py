"""Reviews in words."""

from collections.abc import Mapping

from django import template

from annotation.models import RejectReason, Review

register = template.Library()


@register.filter
def verdict(said: Mapping[str, str]) -> str:
    """What one side of a change in a label's history says: review, reason and note. It is text, not HTML."""
    words = str(dict(Review.choices).get(said.get("review", ""), ""))
    if reason := said.get("reject_reason"):
        words += f": {dict(RejectReason.choices).get(reason, reason)}"
    if note := said.get("review_note"):
        words += f" “{note}”"
    return words
