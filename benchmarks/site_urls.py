"""The product's addresses, and an empty view to compare with."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def empty(request: HttpRequest) -> HttpResponse:
    """What any view costs: the server, the middleware, and the look at who asks."""
    return HttpResponse(status=200 if request.user.is_authenticated else 401)


urlpatterns = [path("empty", empty), path("", include("mmproject.urls"))]
