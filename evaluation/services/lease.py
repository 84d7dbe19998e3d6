"""A training's lease, renewed for as long as its worker lives: a step, a dataset or a last measuring may take long."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from django.db import DatabaseError, connections
from django.utils import timezone
from pymongo.errors import PyMongoError

from crawler.models import WorkState
from evaluation.models import TrainingRun

logger = logging.getLogger(__name__)


@contextmanager
def kept_lease(run: TrainingRun, *, lease: timedelta) -> Iterator[None]:
    """Renew `run`'s lease from a thread of its own, as long as it is ours; a killed process renews nothing more."""
    done = Event()

    def renew() -> None:
        try:
            while not done.wait(lease.total_seconds() / 4):
                _renew(run, lease=lease)
        finally:
            connections.close_all()  # those of this thread

    thread = Thread(target=renew, name=f"lease of training {run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(run: TrainingRun, *, lease: timedelta) -> None:
    ours = TrainingRun.objects.filter(id=run.id, lease_token=run.lease_token, state=WorkState.RUNNING)
    try:
        ours.update(leased_until=timezone.now() + lease)
    except (DatabaseError, PyMongoError) as error:  # the next time may do
        logger.warning("the lease of training %s could not be renewed: %s", run.id, error)
