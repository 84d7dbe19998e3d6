"""How many rejections an annotator has not seen, for the navigation."""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any

from django import template

from annotation.feedback import SEEN
from annotation.models import Label, Review
from mmproject.remembered import remembered

register = template.Library()


@register.simple_tag(takes_context=True)
def new_feedback(context: MutableMapping[str, Any]) -> int:
    """The rejections of one's own labels since the page of them was last open in this session; half a minute old."""
    request = context["request"]
    seen = request.session.get(SEEN)
    labels = Label.objects.filter(annotator_id=request.user.pk, review=Review.REJECTED)
    if seen:
        labels = labels.filter(reviewed_at__gt=datetime.fromisoformat(seen))
    return remembered(("feedback", request.user.pk, seen), labels.count, seconds=30)
