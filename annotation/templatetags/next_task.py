"""The next task, where a page offers it."""

from collections.abc import MutableMapping
from typing import Any

from django import template

from annotation.work_queue import WaitingTask, next_tasks

register = template.Library()


@register.simple_tag(takes_context=True)
def next_task(context: MutableMapping[str, Any]) -> WaitingTask | None:
    """One query, seldom two: what is next for whoever is signed in."""
    return next(iter(next_tasks(context["request"].user)), None)
