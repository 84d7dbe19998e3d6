"""`/api/tasks`: work for annotators. They see their own tasks and the open ones; reviewers make and change all."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import pages, work
from annotation import task_serializers as shapes
from annotation.models import Product, Task
from annotation.task_plan import NewTask
from annotation.work_queue import annotators
from crawler.models import Source, WorkState
from mmproject.problems import Conflict
from mmproject.queries import checked, query_values

SUBMITS, SEES_ALL = "annotation.add_submission", "annotation.view_task"
ADDS, CHANGES = "annotation.add_task", "annotation.change_task"

_PROBLEM = OpenApiResponse(description="RFC 9457 problem document")
_PROBLEMS = {400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM}


@extend_schema(
    methods=["GET"],
    parameters=[shapes.TaskQuery],
    responses={200: shapes.TaskPage, **_PROBLEMS},
    summary="Tasks, the newest first",
)
@extend_schema(
    methods=["POST"],
    request=shapes.TasksCreate,
    responses={
        200: OpenApiResponse(shapes.TasksMade, description="All of them were there already"),
        201: shapes.TasksMade,
        **_PROBLEMS,
    },
    summary="Add tasks",
)
@api_view(["GET", "POST"])
def tasks(request: Request) -> Response:
    """One's own tasks and the open ones, or everybody's for reviewers; POST adds one or many."""
    if request.method == "POST":
        return _tasks_add(request)
    _require(request, SEES_ALL, SUBMITS)
    values = query_values(shapes.TaskQuery, request)
    after, size = values.pop("cursor"), values.pop("page_size")
    mine = request.user.pk if values.pop("mine") else None
    try:
        found, cursor = pages.tasks_page(
            filters=values, assignee_id=mine, visible_to=_visible_to(request), after=after, size=size
        )
    except ValueError as error:
        message = _("“%(cursor)s” is not a cursor of this list.") % {"cursor": after}
        raise Refused({"cursor": [message]}) from error
    return Response(shapes.TaskPage({"next_cursor": cursor, "tasks": found}).data)


def _tasks_add(request: Request) -> Response:
    _require(request, ADDS)
    wanted = [_new_task(one) for one in _known(checked(shapes.TasksCreate(data=request.data))["tasks"])]
    try:
        made = work.tasks_create(tasks=wanted, created_by=request.user.get_username())
    except ValidationError as error:
        raise Refused(error.message_dict) from error
    ids = [work.task_key(one) for one in wanted]
    found = {task.id: task for task in Task.objects.filter(id__in=ids)}
    data = {"new": made.new, "existing": made.existing, "tasks": [found[one] for one in dict.fromkeys(ids)]}
    answer = status.HTTP_201_CREATED if made.new else status.HTTP_200_OK
    return Response(shapes.TasksMade(data).data, status=answer)


def _known(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with the documents for what they name; three queries. Raises for names of nothing."""
    products = Product.objects.in_bulk({one["product"] for one in wanted})
    sources = set(Source.objects.filter(id__in={one["source"] for one in wanted}).values_list("id", flat=True))
    people = {user.username: user for user in _assignees({one["assignee"] for one in wanted} - {""})}
    for one in wanted:
        product = products.get(one["product"])
        if product is None or not product.active:
            raise Refused({"product": [_("There is no active product “%(id)s”.") % {"id": one["product"]}]})
        if one["source"] not in sources:
            raise Refused({"source": [_("There is no source “%(id)s”.") % {"id": one["source"]}]})
        if one["assignee"] and one["assignee"] not in people:
            raise _no_annotator(one["assignee"])
        one |= {"product": product, "assignee": people.get(one["assignee"])}
    return wanted


def _new_task(one: dict[str, Any]) -> NewTask:
    product, assignee = one["product"], one["assignee"]
    return NewTask(
        product_id=product.id,
        product_name=product.name,
        brand_name=product.brand_name,
        keyword=one["keyword"],
        source=one["source"],
        overlap=one["overlap"],
        priority=one["priority"],
        assignee_id=assignee.pk if assignee else None,
        assignee_name=assignee.username if assignee else "",
    )


@extend_schema(methods=["GET"], responses={200: shapes.TaskData, **_PROBLEMS, 404: _PROBLEM}, summary="A task")
@extend_schema(
    methods=["PATCH"],
    request=shapes.TaskChange,
    responses={200: shapes.TaskData, **_PROBLEMS, 404: _PROBLEM, 409: _PROBLEM},
    summary="Change a task",
)
@api_view(["GET", "PATCH"])
def task(request: Request, task_id: str) -> Response:
    """One task; PATCH gives it to somebody, sets its priority, closes or reopens it."""
    _require(request, *([CHANGES] if request.method == "PATCH" else [SEES_ALL, SUBMITS]))
    found = _task(request, task_id)
    if request.method == "PATCH":
        _change(found, checked(shapes.TaskChange(data=request.data, partial=True)))
        found.refresh_from_db()
    return Response(shapes.TaskData(found).data)


def _change(found: Task, changes: dict[str, Any]) -> None:
    """All of it or, for what is refused, nothing."""
    state = changes.get("state", found.state)
    if ("state" in changes and found.state == WorkState.DONE) or ("assignee" in changes and state != WorkState.PENDING):
        raise Conflict(_("This task is not open: it is “%(state)s”.") % {"state": found.get_state_display()})
    assignee = None
    if name := changes.get("assignee"):
        assignee = _assignees({name}).first()
        if assignee is None:
            raise _no_annotator(name)
        if found.overlap > 1:
            message = _("A task for %(value)s annotators is open to all: it cannot be assigned to one.")
            raise Refused({"assignee": [message % {"value": found.overlap}]})
    if changes.get("state") == WorkState.CANCELLED:
        work.tasks_close(task_ids=[found.id])
    elif changes.get("state"):
        work.tasks_reopen(task_ids=[found.id])
    if "assignee" in changes:
        work.tasks_assign(task_ids=[found.id], assignee=assignee)
    if "priority" in changes:
        work.tasks_prioritise(task_ids=[found.id], priority=changes["priority"])


def _assignees(names: set[str]) -> QuerySet[User]:
    return annotators().filter(username__in=names)


def _no_annotator(name: str) -> Refused:
    return Refused({"assignee": [_("There is no annotator “%(name)s”.") % {"name": name}]})


def _task(request: Request, task_id: str) -> Task:
    found = Task.objects.filter(id=task_id).first()
    if found is None or (_visible_to(request) is not None and found.assignee_id not in (None, request.user.pk)):
        raise NotFound
    return found


def _visible_to(request: Request) -> int | None:
    """The id of a user who sees only his own tasks and the open ones."""
    return None if request.user.has_perm(SEES_ALL) else request.user.pk


def _require(request: Request, *permissions: str) -> None:
    """403 for people who have none of `permissions`."""
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied
