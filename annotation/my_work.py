"""The page of an annotator's own work: what is next, how far, how fast."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.bias import suggestion_shares
from annotation.work_queue import last_day_pace, next_tasks, progress
from crawler.selectors import enabled_sources
from mmproject.roles import needs

SHOWN = 20


@require_GET
@needs("annotation.add_submission")
def my_work(request: HttpRequest) -> HttpResponse:
    """The next tasks of whoever asks, with their progress and pace; a constant number of queries."""
    tasks = next_tasks(request.user, limit=SHOWN)
    names = {source.id: source.name for source in enabled_sources()}
    context = {
        "tasks": [(task, names.get(task.source, task.source)) for task in tasks],
        "first": tasks[0] if tasks else None,
        "progress": progress(request.user),
        "pace": last_day_pace(request.user),
        "shares": suggestion_shares(request.user),
    }
    return render(request, "annotation/work.html", context)
