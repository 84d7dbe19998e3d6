"""Redis or MongoDB goes away under a running worker and beat and comes back: crawling goes on by itself."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from crawler.models import Crawl, Listing, WorkState
from crawler.services import crawl_result, search
from mmproject.environment import BASE_DIR
from mmproject.stack.server import Server, die_with_parent
from tests import environment
from tests.workers import eventually, worker

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(not environment._OWN_STORES, reason="MONGO_URI and REDIS_URL name servers that are not ours"),
]
WITHIN_S = 30


@contextmanager
def beat(folder) -> Iterator[None]:
    """The real scheduler, whose `resume-crawls` queues what was lost."""
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "mmproject", "beat", "--loglevel", "ERROR"]
    command += ["--schedule", str(folder / "schedule")]
    process = subprocess.Popen(command, cwd=BASE_DIR, start_new_session=True, preexec_fn=die_with_parent)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def server() -> Callable[[str], Server]:
    """`server("redis")`, `server("mongod")`: the session's own."""
    return lambda name: next(one for one in environment._servers if one.name == name)


def ready(crawl: Crawl) -> bool:
    return crawl_result(crawl_id=crawl.id).state == "ready"


def crawl_of(keyword: str) -> Crawl:
    crawl = search(keyword=keyword).crawl
    assert crawl is not None
    return crawl


def test_after_redis_was_restarted_crawling_goes_on(shop, server, tmp_path):
    with worker("crawl", pool="threads", concurrency=4), beat(tmp_path):
        before = crawl_of("honey")
        eventually(lambda: ready(before), what="the crawl before the restart")
        server("redis").stop()
        meanwhile = crawl_of("oat drink")  # nobody can be told of it
        server("redis").start()
        afterwards = crawl_of("orange juice")
        eventually(lambda: ready(meanwhile) and ready(afterwards), timeout=WITHIN_S, what="crawling after the restart")
    assert Crawl.objects.exclude(state=WorkState.DONE).count() == 0


def test_a_crawl_during_which_redis_goes_away_is_finished(shop, behave, requests_seen, server, tmp_path):
    behave(delay_s=0.5, applies_to="pictures")
    with worker("crawl", pool="threads", concurrency=4), beat(tmp_path):
        crawl = crawl_of("honey")
        eventually(lambda: requests_seen("pictures"), what="the first picture")
        server("redis").stop()
        behave()
        server("redis").start()
        eventually(lambda: ready(crawl), timeout=WITHIN_S, what="the crawl")
    assert (Listing.objects.count(), Listing.objects.filter(image_state="done").count()) == (20, 20)


def test_after_mongo_was_restarted_crawling_goes_on(shop, behave, requests_seen, server, tmp_path):
    """It goes away in the middle of a crawl, and is away when others are due."""
    behave(delay_s=0.5, applies_to="pictures")
    with worker("crawl", pool="threads", concurrency=4), beat(tmp_path):
        during = crawl_of("honey")
        eventually(lambda: requests_seen("pictures"), what="the first picture")
        server("mongod").stop()
        behave()
        server("mongod").start()
        afterwards = crawl_of("orange juice")
        eventually(lambda: ready(during) and ready(afterwards), timeout=WITHIN_S, what="crawling after the restart")
    assert Listing.objects.filter(image_state="done").count() == Listing.objects.count() == 40
