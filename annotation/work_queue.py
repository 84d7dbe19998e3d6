"""Reads of annotators: what is next for one, how far they are and how fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from annotation.models import Claim, Submission, Task
from crawler.models import WorkState
from mmproject.mongo.collections import collection

BREAK = timedelta(minutes=15)  # whoever is away for longer has not been at a task
NEAR = 50  # so many tasks of a queue are looked at before all of it is
MIN_PACED = 3
MAX_PACED = 1000


@dataclass(frozen=True)
class WaitingTask:
    """A task of somebody's queue. `others`: who is at it right now."""

    id: str
    product_name: str
    brand_name: str
    keyword: str
    source: str
    priority: int
    overlap: int
    done: int
    mine: bool
    others: Sequence[str]

    @property
    def address(self) -> str:
        """Where it is done."""
        where = {"product": self.product_name, "keyword": self.keyword, "source": self.source, "task": self.id}
        return f"{reverse('annotation:search')}?{urlencode(where)}"


def annotators() -> QuerySet[User]:
    """Who may be given tasks, by name."""
    backend = "django.contrib.auth.backends.ModelBackend"
    return User.objects.with_perm("annotation.add_submission", backend=backend).order_by("username")


def next_tasks(user: AbstractBaseUser, *, limit: int = 1) -> list[WaitingTask]:
    """What is next for `user`: first what is assigned to them, then what is open to all.

    Both by priority, then the oldest first. What they have done is not among it, nor an open task that as many others
    have done or are at as are wanted. One query; a second one where there is too little near the front of the queues.
    """
    found = _next(user, limit=limit, within=limit + NEAR)
    return found if len(found) == limit else _next(user, limit=limit, within=None)


def _next(user: AbstractBaseUser, *, limit: int, within: int | None) -> list[WaitingTask]:
    parts = {mine: _queue(user, mine=mine, limit=limit, within=within) for mine in (True, False)}
    both = [*parts[True], {"$unionWith": {"coll": Task._meta.db_table, "pipeline": parts[False]}}]
    found = [_waiting(row) for row in collection(Task).aggregate(both)]
    return sorted(found, key=lambda task: not task.mine)[:limit]


def _queue(user: AbstractBaseUser, *, mine: bool, limit: int, within: int | None) -> list[dict[str, Any]]:
    """The stages that find the first `limit` tasks among the first `within`, along an index."""
    by_me: list[dict[str, Any]] = [
        {"$match": {"annotator_id": user.pk, "cancelled_at": None}},
        {"$limit": 1},
        {"$project": {"id": 1}},
    ]
    claimed = {"annotator_id": {"$ne": user.pk}, "submission_id": "", "expires_at": {"$gt": timezone.now()}}
    by_others: list[dict[str, Any]] = [{"$match": claimed}, {"$project": {"annotator_name": 1}}]
    taken = {"$add": ["$done", {"$size": "$others"}]}
    return [
        {"$match": {"assignee_id": user.pk if mine else None, "state": str(WorkState.PENDING)}},
        {"$sort": {"priority": -1, "created_at": 1, "id": 1}},
        # Without a limit here MongoDB would read megabytes of the queue before it looks at the first task.
        *([{"$limit": within}] if within else []),
        {"$lookup": _of_task(Submission, by_me, "done_by_me")},
        {"$match": {"done_by_me": {"$size": 0}}},
        {"$lookup": _of_task(Claim, by_others, "others")},
        *([] if mine else [{"$match": {"$expr": {"$lt": [taken, "$overlap"]}}}]),
        {"$limit": limit},
        {"$set": {"mine": mine}},
    ]


def _of_task(model: type[Submission] | type[Claim], pipeline: list[dict[str, Any]], name: str) -> dict[str, Any]:
    table = model._meta.db_table
    return {"from": table, "localField": "id", "foreignField": "task_id", "pipeline": pipeline, "as": name}


def _waiting(row: dict[str, Any]) -> WaitingTask:
    names = ("id", "product_name", "brand_name", "keyword", "source", "priority", "overlap", "done", "mine")
    others = tuple(dict.fromkeys(claim["annotator_name"] for claim in row["others"]))
    return WaitingTask(**{name: row[name] for name in names}, others=others)


@dataclass(frozen=True)
class Progress:
    """How far somebody is. What was skipped is among what is done."""

    today: int
    today_skipped: int
    week: int
    week_skipped: int
    assigned: int
    assigned_done: int


def progress(user: AbstractBaseUser) -> Progress:
    """What `user` has submitted today and this week, and how many of their tasks are done; two queries."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    today = {"$cond": [{"$gte": ["$created_at", midnight]}, 1, 0]}
    skipped = {"$cond": [{"$gt": ["$skip_reason", ""]}, 1, 0]}
    sums = {"today": today, "week": 1, "today_skipped": {"$multiply": [today, skipped]}, "week_skipped": skipped}
    mine = {"annotator_id": user.pk, "created_at": {"$gte": monday}, "cancelled_at": None}
    group = {"_id": None} | {name: {"$sum": value} for name, value in sums.items()}
    counts: dict[str, Any] = next(collection(Submission).aggregate([{"$match": mine}, {"$group": group}]), {})
    states = collection(Task).aggregate(
        [{"$match": {"assignee_id": user.pk}}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
    )
    by_state = {row["_id"]: row["count"] for row in states}
    done = by_state.get(str(WorkState.DONE), 0)
    return Progress(
        **{name: counts.get(name, 0) for name in sums},
        assigned=done + by_state.get(str(WorkState.PENDING), 0),
        assigned_done=done,
    )


@dataclass(frozen=True)
class Pace:
    seconds: float  # the median from one submission to the next

    @property
    def per_hour(self) -> float:
        return 3600 / self.seconds


def last_day_pace(user: AbstractBaseUser) -> Pace | None:
    """How fast `user` was during the last 24 hours; None when too little was done to tell. One query."""
    since = timezone.now() - timedelta(days=1)
    mine = Submission.objects.filter(annotator_id=user.pk, created_at__gte=since, cancelled_at__isnull=True)
    return pace(list(mine.order_by("-created_at").values_list("created_at", flat=True)[:MAX_PACED]))


def pace(moments: Sequence[datetime]) -> Pace | None:
    """From when each task was submitted, in any order. Breaks and what was sent at the same moment say nothing."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(moments))]
    seconds = [gap.total_seconds() for gap in gaps if timedelta(0) < gap <= BREAK]
    return Pace(median(seconds)) if len(seconds) >= MIN_PACED else None
