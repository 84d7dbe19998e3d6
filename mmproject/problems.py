"""API errors as RFC 9457 problem documents."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Conflict(APIException):
    """What was asked for contradicts what is stored (RFC 9110 section 15.5.10)."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This contradicts what is stored.")
    default_code = "conflict"


def problem_json(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the usual answer, reshaped to `application/problem+json` (RFC 9457 section 3).

    `errors` lists what is wrong with which field; an exception DRF does not know stays a 500.
    """
    response = exception_handler(error, context)
    if response is None:
        return None
    title = getattr(error, "default_detail", None) or response.status_text
    problem: dict[str, Any] = {"type": "about:blank", "title": str(title), "status": response.status_code}
    if isinstance(error, ValidationError):
        problem["errors"] = response.data
    elif isinstance(response.data, dict) and "detail" in response.data:
        problem["detail"] = str(response.data["detail"])
    response.data = problem
    response.content_type = "application/problem+json"
    return response
