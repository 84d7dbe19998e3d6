"""The way in, and whether every part answers."""

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import RedisError

from mmproject.heartbeat import QUEUES, last_seen


def home(request: HttpRequest) -> HttpResponse:
    """Send people to the page where their work is."""
    if not request.user.is_authenticated:
        return redirect("login")
    if request.user.has_perm("annotation.add_submission"):
        return redirect("annotation:search")
    if request.user.has_perm("evaluation.add_judgment"):
        return redirect("evaluation:predict")
    if request.user.has_perm("evaluation.view_trainingrun"):
        return redirect("evaluation:training")
    return redirect("admin:index")


def healthz(request: HttpRequest) -> JsonResponse:
    """Each part by name, "ok" or what is wrong with it; 503 when a store does not answer.

    `workers` says of each queue when a worker last took its heartbeat. A missing worker fails nothing here: this
    process serves all the same, and restarting it would bring no worker back.
    """
    parts = {"default": _database("default"), "mongo": _database("mongo"), "redis": _redis()}
    healthy = all(state == "ok" for state in parts.values())
    workers = _workers() if parts["redis"] == "ok" else dict.fromkeys(QUEUES, "unknown without Redis")
    return JsonResponse({**parts, "workers": workers}, status=200 if healthy else 503)


def _database(alias: str) -> str:
    try:
        connection = connections[alias]
        connection.ensure_connection()
        if connection.vendor in {"sqlite", "postgresql"}:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        else:
            connection.get_database_version()
    except (DatabaseError, PyMongoError) as error:
        return f"does not answer: {type(error).__name__}"
    return "ok"


def _redis() -> str:
    try:
        Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2).ping()
    except RedisError as error:
        return f"does not answer: {type(error).__name__}"
    return "ok"


def _workers() -> dict[str, str]:
    try:
        seen = last_seen()
    except RedisError as error:
        return dict.fromkeys(QUEUES, f"unknown: {type(error).__name__}")
    now = timezone.now()
    return {
        queue: "never seen" if at is None else f"last seen {max(0, round((now - at).total_seconds()))} s ago"
        for queue, at in seen.items()
    }
