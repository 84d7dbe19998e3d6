"""Looking one page ahead while somebody ticks: its crawl runs and its pictures load before they are asked for."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.forms import NextPageForm
from crawler.services import crawl_result, search
from mmproject.roles import needs

MAX_ATTEMPTS = 20  # looks at a crawl, three seconds apart: then whoever wants the page asks for it


@require_GET
@needs("annotation.add_submission")
def next_page(request: HttpRequest) -> HttpResponse:
    """The pictures of a page for the browser to fetch, or what looks at its crawl again; never past the cache.

    An answer that the page cannot use is empty: nobody asked, so nobody is told.
    """
    form = NextPageForm(request.GET)
    if not form.is_valid() or request.headers.get("Save-Data") == "on":
        return HttpResponse(status=204)
    data = form.cleaned_data
    attempt = (data["attempt"] or 0) + 1
    try:
        if data["crawl"]:
            result = crawl_result(crawl_id=data["crawl"])
        else:
            name = request.user.get_username()
            where = {"page": data["page"], "source": data["source"] or None}
            result = search(keyword=data["keyword"], **where, requested_by=name)
    except ValidationError:
        return HttpResponse(status=204)
    context = {"result": result, "attempt": attempt, "looks_again": attempt < MAX_ATTEMPTS}
    return render(request, "annotation/next_page.html", context)
