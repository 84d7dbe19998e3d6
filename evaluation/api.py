"""`/api/predictions`, `/api/judgments`, `/api/statistics`: asking models, judging what they say, and how well they do.

For evaluators.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import api_view, parser_classes
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from crawler.models import WorkState
from crawler.uploads import listing_of_upload
from evaluation import serializers as shapes
from evaluation.models import Prediction, PredictionRun, RunKind
from evaluation.selectors import listed
from evaluation.selectors.runs import run_predictions
from evaluation.selectors.statistics import BREAKDOWNS, Row, statistics
from evaluation.services import days_refresh
from evaluation.services.asking import listings_ask, run_wait
from evaluation.services.judgments import Answer, predictions_judge
from evaluation.services.runs import OPEN_STATES
from mmproject.problems import Conflict
from mmproject.queries import checked, query_values

POLL_SECONDS = 1
JUDGES, ASKS = "evaluation.add_judgment", "evaluation.add_predictionrun"

_PROBLEM = OpenApiResponse(description="RFC 9457 problem document")
_PROBLEMS = {400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM}


@extend_schema(
    methods=["GET"],
    parameters=[shapes.PredictionQuery],
    responses={200: shapes.PredictionPage, **_PROBLEMS},
    summary="Predictions, the newest first",
)
@extend_schema(
    methods=["POST"],
    request={"application/json": shapes.PredictionsAsk, "multipart/form-data": shapes.PredictionsAsk},
    responses={
        200: OpenApiResponse(shapes.JobState, description="All is answered"),
        202: OpenApiResponse(shapes.JobState, description="Not yet: poll the Location"),
        **_PROBLEMS,
        409: _PROBLEM,
    },
    summary="Ask which products listings or pictures show",
)
@api_view(["GET", "POST"])
@parser_classes([JSONParser, MultiPartParser, FormParser])
def predictions(request: Request) -> Response:
    """POST: 200 with the answers when they come within `wait` seconds, else 202: poll its Location. GET: a page."""
    if request.method == "POST":
        return _ask(request)
    _require(request, JUDGES)
    found, cursor = _page(request, shapes.PredictionQuery, listed.predictions_page)
    return Response(shapes.PredictionPage({"next_cursor": cursor, "predictions": found}).data)


def _ask(request: Request) -> Response:
    _require(request, ASKS)
    values = checked(shapes.PredictionsAsk(data=_question(request)))
    pictures = values.get("picture", [])
    try:
        ids = _uploaded(pictures, values["title"]) if pictures else values["listings"]
        kind = str(RunKind.UPLOAD if pictures else RunKind.LISTINGS)
        run = listings_ask(
            listing_ids=ids, user=request.user, model_id=values["model"], kind=kind, run_id=values["job"]
        )
    except ValidationError as error:
        raise _refusal(error) from error
    return _job(run_wait(run_id=run.id, seconds=values["wait"]))


def _question(request: Request) -> dict[str, Any]:
    """What was sent, also as a form, whose lists are fields that occur several times."""
    if not isinstance(request.data, QueryDict):
        return request.data
    lists = {"listings", "picture", "title"}
    return {name: request.data.getlist(name) if name in lists else value for name, value in request.data.items()}


def _uploaded(pictures: list[Any], titles: list[str]) -> list[str]:
    """The listings of what was sent. Raises ValidationError, which says the number of the picture among several."""
    ids = []
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True), start=1):
        try:
            ids.append(listing_of_upload(picture=picture.read(), title=title).id)
        except ValidationError as error:
            place = _("Picture %(number)d, “%(name)s”: ") % {"number": number, "name": picture.name[:100]}
            raise ValidationError(
                {field: [place + text for text in texts] for field, texts in error.message_dict.items()}
            ) from error
    return ids


def _refusal(error: ValidationError) -> Exception:
    """The service's errors under the names that the API's fields have."""
    messages = error.message_dict
    return Conflict(" ".join(messages["run"])) if "run" in messages else Refused(messages)


@extend_schema(
    responses={200: shapes.JobState, **_PROBLEMS, 404: _PROBLEM}, summary="Poll a question, or look at a test"
)
@api_view(["GET"])
def job(request: Request, run_id: str) -> Response:
    """Where a job stands, with the answers that are there."""
    _require(request, JUDGES)
    try:
        run = run_wait(run_id=run_id, seconds=0)
    except PredictionRun.DoesNotExist:
        raise NotFound from None
    response = _job(run)
    response.status_code = status.HTTP_200_OK
    return response


def _job(run: PredictionRun) -> Response:
    rows = run_predictions(run)
    is_open = run.state in OPEN_STATES
    poll = reverse("evaluation_api:job", args=[run.id])
    data = {
        "job": run.id,
        "state": "pending" if is_open else run.state,
        "poll": poll,
        "model": run.model_id,
        "model_name": run.model_name,
        "answered": sum(row.state != WorkState.PENDING for row in rows),
        "total": run.total,
        "error": run.error,
        "predictions": rows,
    }
    body = shapes.JobState(data).data
    if not is_open:
        return Response(body)
    headers = {"Location": poll, "Retry-After": str(POLL_SECONDS)}
    return Response(body, status=status.HTTP_202_ACCEPTED, headers=headers)


@extend_schema(responses={200: shapes.PredictionData, **_PROBLEMS, 404: _PROBLEM}, summary="A prediction")
@api_view(["GET"])
def prediction(request: Request, prediction_id: str) -> Response:
    """One prediction, with the model version that made it."""
    _require(request, JUDGES)
    found = Prediction.objects.filter(id=prediction_id).first()
    if found is None:
        raise NotFound
    return Response(shapes.PredictionData(found).data)


@extend_schema(
    methods=["GET"],
    parameters=[shapes.JudgmentQuery],
    responses={200: shapes.JudgmentPage, **_PROBLEMS},
    summary="Judgments, the newest first",
)
@extend_schema(
    methods=["POST"],
    request=shapes.JudgmentsCreate,
    responses={200: shapes.JudgmentsSaved, **_PROBLEMS},
    summary="Judge predictions",
)
@api_view(["GET", "POST"])
def judgments(request: Request) -> Response:
    """POST saves your word on predictions, all or none; said again, it replaces what you said before."""
    _require(request, JUDGES)
    if request.method == "POST":
        return _judge(request)
    found, cursor = _page(request, shapes.JudgmentQuery, listed.judgments_page)
    return Response(shapes.JudgmentPage({"next_cursor": cursor, "judgments": found}).data)


def _judge(request: Request) -> Response:
    said = checked(shapes.JudgmentsCreate(data=request.data))["judgments"]
    answers = {
        one["prediction"]: Answer(
            position=place,
            verdict=one["verdict"],
            right_product_id="" if one["absent"] else one["right_product"],
            absent=one["absent"],
        )
        for place, one in enumerate(said)
    }
    if len(answers) < len(said):
        raise Refused({"judgments": [_("A prediction is judged twice in one request: say one verdict of each.")]})
    try:
        saved = predictions_judge(answers=answers, evaluator=request.user)
    except ValidationError as error:
        problems = [f"“{key}”: {text}" for key, texts in error.message_dict.items() for text in texts]
        raise Refused({"judgments": problems}) from error
    return Response(shapes.JudgmentsSaved({"judgments": saved}).data)


@extend_schema(
    parameters=[shapes.StatisticsQuery],
    responses={200: shapes.StatisticsData, **_PROBLEMS},
    summary="How often models are right",
)
@api_view(["GET"])
def statistics_data(request: Request) -> Response:
    """The figures of the statistics page, under its filters."""
    _require(request, JUDGES)
    values = query_values(shapes.StatisticsQuery, request)
    days_refresh()
    figures = statistics(filters=values["filters"], by=BREAKDOWNS)
    data = {
        "fresh": _figures(figures.fresh),
        "trained_on": _figures(figures.trained_on),
        "mix_ups": figures.mix_ups,
        **{f"by_{name}": [_figures(row) for row in rows] for name, rows in figures.groups.items()},
    }
    return Response(shapes.StatisticsData(data).data)


def _figures(row: Row) -> dict[str, Any]:
    shares = {}
    for name in ("product", "brand"):
        share = getattr(row, name)
        percents = {part: getattr(share, part) if share.of else None for part in ("percent", "low", "high")}
        shares[name] = {"right": share.right, "of": share.of, **percents}
    return {"key": row.key, "name": row.name, "judged": row.judged, "unsure": row.unsure, **shares}


def _page(request: Request, query: type, rows_page: Any) -> tuple[list[Any], str]:
    values = query_values(query, request)
    after, size = values.pop("cursor"), values.pop("page_size")
    try:
        return rows_page(filters=values, after=after, size=size)
    except ValueError as error:
        message = _("“%(cursor)s” is not a cursor of this list.") % {"cursor": after}
        raise Refused({"cursor": [message]}) from error


def _require(request: Request, permission: str) -> None:
    """403 for people who do not have `permission`."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
