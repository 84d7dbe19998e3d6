"""Writes of tasks: made in bulk, given to people, closed; and what follows for a task from a submission."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Submission, Task
from annotation.task_plan import NewTask
from crawler.models import WorkState
from crawler.services import checked_keyword

BATCH = 1000
MAX_OVERLAP = 10
MAX_PRIORITY = 1000


@dataclass(frozen=True)
class Created:
    new: int
    existing: int


def tasks_create(*, tasks: Iterable[NewTask], created_by: str) -> Created:
    """Make the tasks that are not there yet; those that are stay as they are.

    A task's key comes from product, source and keyword, so whoever asks twice, or at the same time, makes none twice.
    Raises ValidationError, keyed by field, for a keyword that cannot be searched, a number out of range and an
    assigned task that several annotators shall do. Nothing is written then.
    """
    documents: dict[str, Task] = {}
    for task in (_task(one, created_by=created_by) for one in tasks):
        documents.setdefault(task.id, task)
    now = timezone.now()
    new = 0
    for batch in _batches(list(documents)):
        for document in (documents[one] for one in batch):
            document.created_at = now
        new += _insert([documents[one] for one in batch])
    return Created(new, len(documents) - new)


def _task(wanted: NewTask, *, created_by: str) -> Task:
    keyword, _key = checked_keyword(wanted.keyword)
    check_overlap(wanted.overlap, assigned=wanted.assignee_id is not None)
    check_priority(wanted.priority)
    return Task(id=task_key(wanted), created_by=created_by, **vars(wanted) | {"keyword": keyword})


def task_key(wanted: NewTask) -> str:
    """The key of the task that `wanted` is, or will be."""
    keyword = " ".join(wanted.keyword.split())  # as searches write it
    return Task.make_id(product_id=wanted.product_id, source=wanted.source, keyword=keyword)


def check_overlap(overlap: int, *, assigned: bool) -> None:
    """Raises ValidationError, keyed `overlap`."""
    if not 1 <= overlap <= MAX_OVERLAP:
        message = _("From 1 to %(max)d annotators can do a task, not %(value)s.")
        raise ValidationError({"overlap": message % {"max": MAX_OVERLAP, "value": overlap}})
    if assigned and overlap > 1:
        message = _("A task for %(value)s annotators is open to all: it cannot be assigned to one.")
        raise ValidationError({"overlap": message % {"value": overlap}})


def check_priority(priority: int) -> None:
    """Raises ValidationError, keyed `priority`."""
    if abs(priority) > MAX_PRIORITY:
        message = _("A priority is from -%(max)d to %(max)d, not %(value)s.")
        raise ValidationError({"priority": message % {"max": MAX_PRIORITY, "value": priority}})


def _insert(documents: Sequence[Task]) -> int:
    """Write those that are not there; returns how many that were."""
    while True:  # a try that fails has met a task that somebody else has just made, so fewer are left for the next
        known = set(Task.objects.filter(id__in=[one.id for one in documents]).values_list("id", flat=True))
        missing = [one for one in documents if one.id not in known]
        try:
            Task.objects.bulk_create(missing)
        except IntegrityError:
            continue
        return len(missing)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def tasks_assign(*, task_ids: Sequence[str], assignee: AbstractBaseUser | None) -> int:
    """Give open tasks to somebody, or with None to everybody; returns how many that were.

    A task that several annotators shall do is left open to all.
    """
    to = {"assignee_id": assignee.pk, "assignee_name": assignee.get_username()} if assignee else _NOBODY
    only = {"overlap": 1} if assignee else {}
    return sum(_open(batch).filter(**only).update(**to) for batch in _batches(task_ids))


_NOBODY = {"assignee_id": None, "assignee_name": ""}


def tasks_prioritise(*, task_ids: Sequence[str], priority: int) -> int:
    """Set the priority of tasks; returns how many. Raises ValidationError, keyed `priority`."""
    check_priority(priority)
    return sum(Task.objects.filter(id__in=batch).update(priority=priority) for batch in _batches(task_ids))


def tasks_close(*, task_ids: Sequence[str]) -> int:
    """Take open tasks out of the queue, done or not; returns how many."""
    closed = {"state": WorkState.CANCELLED, "finished_at": timezone.now()}
    return sum(_open(batch).update(**closed) for batch in _batches(task_ids))


def tasks_reopen(*, task_ids: Sequence[str]) -> int:
    """Put closed tasks back: into the queue, or among the done ones where enough have done them; returns how many."""
    count = 0
    for batch in _batches(task_ids):
        rows = list(Task.objects.filter(id__in=batch, state=WorkState.CANCELLED).values_list("id", "done", "overlap"))
        enough = [task_id for task_id, done, overlap in rows if done >= overlap]
        closed = Task.objects.filter(state=WorkState.CANCELLED)
        count += closed.filter(id__in=enough).update(state=WorkState.DONE)
        rest = [task_id for task_id, _done, _overlap in rows if task_id not in set(enough)]
        count += closed.filter(id__in=rest).update(state=WorkState.PENDING, finished_at=None)
    return count


def _open(task_ids: Sequence[str]) -> QuerySet[Task]:
    return Task.objects.filter(id__in=list(task_ids), state=WorkState.PENDING)


def follow_submission(submission: Submission) -> None:
    """Bring the submission's task up to date: how many annotators have done it, and whether these are enough.

    Skipping is doing, too; what was taken back is not. A closed task stays closed.
    """
    if not submission.task_id:
        return
    while True:
        done = _annotators_done(submission.task_id)
        # Two at the same moment may write in either order: whoever has written counts once more.
        if _set_done(submission.task_id, done) and done == _annotators_done(submission.task_id):
            return


def _annotators_done(task_id: str) -> int:
    counting = Submission.objects.filter(task_id=task_id, cancelled_at__isnull=True)
    return len(set(counting.values_list("annotator_id", flat=True)))


def _set_done(task_id: str, done: int) -> bool:
    """False when the task was closed or reopened meanwhile, so that nothing is written."""
    task = Task.objects.filter(id=task_id).first()
    if task is None:
        return True
    changes: dict = {"done": done}
    if task.state != WorkState.CANCELLED:
        enough = done >= task.overlap
        changes["state"] = WorkState.DONE if enough else WorkState.PENDING
        changes["finished_at"] = (task.finished_at or timezone.now()) if enough else None
    return Task.objects.filter(id=task_id, state=task.state).update(**changes) > 0
