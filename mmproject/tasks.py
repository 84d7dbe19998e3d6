"""The project's own Celery tasks."""

from celery import shared_task

from mmproject.heartbeat import heartbeat_note


@shared_task(name="mmproject.tasks.heartbeat")
def heartbeat(queue: str) -> None:
    heartbeat_note(queue=queue)
