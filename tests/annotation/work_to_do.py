"""Tasks and what was submitted for them, for the tests of work queues."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from annotation.models import Claim, Submission, Task
from annotation.task_plan import NewTask
from annotation.work import tasks_create
from mmproject.ids import new_id

SOURCE = "demo-shop"


def new_task(keyword: str = "juice", **fields: Any) -> NewTask:
    values = {"product_id": "juice", "product_name": "Juice", "keyword": keyword, "source": SOURCE} | fields
    return NewTask(**values)


def make_task(keyword: str = "juice", *, assignee: AbstractBaseUser | None = None, **fields: Any) -> Task:
    """A task as a reviewer makes it."""
    if assignee:
        fields |= {"assignee_id": assignee.pk, "assignee_name": assignee.get_username()}
    wanted = new_task(keyword, **fields)
    tasks_create(tasks=[wanted], created_by="reviewer")
    return Task.objects.get(id=Task.make_id(product_id=wanted.product_id, source=wanted.source, keyword=wanted.keyword))


def make_submission(
    task: Task, annotator: AbstractBaseUser, *, at: datetime | None = None, **fields: Any
) -> Submission:
    """What `annotator` submitted for `task`, without its labels; nothing has followed from it yet."""
    values: dict[str, Any] = {
        "id": new_id(),
        "product_id": task.product_id,
        "product_name": task.product_name,
        "keyword": task.keyword,
        "source": task.source,
        "pages": 1,
        "task_id": task.id,
        "annotator_id": annotator.pk,
        "annotator_name": annotator.get_username(),
        "created_at": at or timezone.now(),
    } | fields
    submission = Submission(**values)
    submission.save(force_insert=True)
    return submission


def make_claim(task: Task, annotator: AbstractBaseUser, *, until: datetime, submission_id: str = "") -> Claim:
    slot = Claim.objects.filter(task_id=task.id).count()
    claim = Claim(
        id=Claim.make_id(task_id=task.id, slot=slot),
        task_id=task.id,
        slot=slot,
        product_id=task.product_id,
        product_name=task.product_name,
        keyword=task.keyword,
        source=task.source,
        annotator_id=annotator.pk,
        annotator_name=annotator.get_username(),
        claimed_at=timezone.now(),
        expires_at=until,
        submission_id=submission_id,
    )
    claim.save(force_insert=True)
    return claim
