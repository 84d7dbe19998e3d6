"""Workers prove that they consume, queue by queue."""

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from mmproject.heartbeat import QUEUES, heartbeat_note, last_seen
from mmproject.queue import impatient_redis
from tests.workers import eventually, worker


@pytest.fixture(autouse=True)
def _nobody_was_seen() -> None:
    impatient_redis().delete(*(f"heartbeat:{queue}" for queue in QUEUES))


def test_a_worker_that_was_never_there_was_never_seen():
    assert last_seen() == dict.fromkeys(QUEUES)


def test_each_queue_has_its_own_time():
    heartbeat_note(queue="predict")
    seen = last_seen()
    assert timezone.now() - seen["predict"] < timedelta(seconds=5)
    assert (seen["crawl"], seen["train"]) == (None, None)


def test_an_unknown_queue_is_refused():
    with pytest.raises(ValueError, match="'mail' is none of the queues crawl, predict, train"):
        heartbeat_note(queue="mail")


def test_every_queue_is_asked_by_beat_and_no_beat_outlives_the_next():
    beats = {name: entry for name, entry in settings.CELERY_BEAT_SCHEDULE.items() if name.startswith("heartbeat-")}
    assert {entry["options"]["queue"] for entry in beats.values()} == set(QUEUES)
    for entry in beats.values():
        assert entry["args"] == [entry["options"]["queue"]]
        assert entry["options"]["expires"] <= entry["schedule"]


def test_every_task_of_the_schedule_exists():
    current_app.loader.import_default_modules()
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks <= set(current_app.tasks)


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
def test_a_real_worker_answers_the_beat():
    entry = settings.CELERY_BEAT_SCHEDULE["heartbeat-train"]
    with worker("train"):
        options = entry["options"] | {"expires": 60}
        current_app.send_task(entry["task"], args=entry["args"], ignore_result=True, **options)
        eventually(lambda: last_seen()["train"], what="the heartbeat")
    assert last_seen()["crawl"] is None
