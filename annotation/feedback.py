"""What reviewers said to an annotator: the page of one's own rejected labels."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from annotation.models import Label, Review
from mmproject.roles import needs

PER_PAGE = 24
SEEN = "feedback_seen_at"  # in the session: what came later is new


@require_GET
@needs("annotation.add_submission")
def feedback(request: HttpRequest) -> HttpResponse:
    """One's own rejected labels, the newest rejection first; a page that is not there shows the nearest one."""
    labels = Label.objects.filter(annotator_id=request.user.pk, review=Review.REJECTED).order_by("-reviewed_at", "-id")
    page = Paginator(labels, PER_PAGE).get_page(request.GET.get("page"))
    request.session[SEEN] = timezone.now().isoformat()
    return render(request, "annotation/feedback.html", {"page": page})
