"""The page of one's own work."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.figures import DAYS, chart, work_of
from mmproject.roles import needs


@require_GET
@needs("annotation.add_submission")
def mine(request: HttpRequest) -> HttpResponse:
    """What one did in the last thirty days and what reviewers said of it; nobody else's."""
    work = work_of(annotator_id=request.user.pk)
    return render(request, "annotation/mine.html", {"work": work, "chart": chart(work), "days": DAYS})
