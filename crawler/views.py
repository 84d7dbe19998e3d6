"""The pictures of the store."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.views.decorators.http import require_safe

from crawler.images import image_file


@require_safe
@login_required
def image(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """A stored picture. Its name is its content, so browsers keep it for good."""
    try:
        file = image_file(sha256)
    except (FileNotFoundError, ValueError):
        raise Http404("no such picture") from None
    etag = f'"{sha256}"'
    response: HttpResponseBase
    if etag in request.headers.get("If-None-Match", ""):
        file.close()
        response = HttpResponseNotModified()
    else:
        response = FileResponse(file, content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
