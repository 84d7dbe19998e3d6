"""Handing work over without a broker: told soon, raised to nobody."""

import time

import pytest
from redis import Redis
from redis.exceptions import RedisError

from mmproject import queue
from mmproject.stack.server import free_port


def test_a_broker_that_is_away_is_noticed_at_once(monkeypatch):
    nowhere = Redis(port=free_port(), socket_connect_timeout=1)
    monkeypatch.setattr(queue, "impatient_redis", lambda: nowhere)
    started = time.monotonic()
    assert queue.nudge("crawler.tasks.run_crawl", "some-id") is False
    assert time.monotonic() - started < 5  # Celery's own client goes on trying for 6 to 50


def test_a_broker_that_goes_away_in_between_is_no_error(monkeypatch):
    class Away:
        def send_task(self, *args: object, **options: object) -> None:
            raise RedisError("gone")

    monkeypatch.setattr(queue, "current_app", Away())
    assert queue.nudge("crawler.tasks.run_crawl", "some-id") is False


@pytest.mark.parametrize("ids", [(), ("one",)])
def test_a_task_is_sent_by_name_with_its_ids(monkeypatch, ids):
    sent = []

    class Broker:
        def send_task(self, name: str, *, args: tuple, **options: object) -> None:
            sent.append((name, args))

    monkeypatch.setattr(queue, "current_app", Broker())
    assert queue.nudge("crawler.tasks.run_crawl", *ids) is True
    assert sent == [("crawler.tasks.run_crawl", ids)]
