"""Real Celery workers as child processes of the tests, on the session's own Redis and databases."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mmproject.environment import BASE_DIR
from mmproject.stack.server import die_with_parent

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, timeout: float = 60, what: str = "it") -> T:
    """Ask `probe` until it answers something true; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout:.0f} s")
        time.sleep(0.05)
    return answer


@contextmanager
def worker(queues: str, *, pool: str = "solo", concurrency: int = 1) -> Iterator[subprocess.Popen]:
    """A Celery worker on `queues` (comma-separated) as its own process; killed on leaving.

    It is not waited for: what is queued waits in Redis, and a solo worker that found work at once answers no ping.
    """
    name = f"{queues.replace(',', '-')}-{os.getpid()}-{time.monotonic_ns()}@tests"
    command = [
        *(sys.executable, "-m", "celery", "--quiet", "-A", "mmproject", "worker", "--queues", queues),
        *("--hostname", name, "--pool", pool, "--concurrency", str(concurrency)),
        *("--without-gossip", "--without-mingle"),
        *("--loglevel", os.environ.get("WORKER_LOG_LEVEL", "WARNING")),
    ]
    process = subprocess.Popen(command, cwd=BASE_DIR, start_new_session=True, preexec_fn=die_with_parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
