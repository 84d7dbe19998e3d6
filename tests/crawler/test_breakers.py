"""The circuit breaker: a source that fails again and again is left alone, and tried again by one crawl at a time."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from crawler import breakers
from crawler.breakers import FAILURES, breaker, breaker_reset, breaker_state
from crawler.errors import (
    BusyError,
    ConfigError,
    FetchError,
    ForbiddenAddressError,
    LayoutError,
    PausedError,
    RobotsError,
)
from crawler.models import ErrorKind
from mmproject.queue import impatient_redis

SOURCE = "shop-of-the-breaker-tests"


@pytest.fixture(autouse=True)
def _closed():
    breaker_reset(SOURCE)
    yield
    breaker_reset(SOURCE)


def ask(error: BaseException | None = None) -> None:
    """One crawl of the source, which ends like this."""
    with breaker(SOURCE):
        if error is not None:
            raise error


def fail(times: int = 1) -> None:
    for number in range(times):
        with pytest.raises(FetchError):
            ask(FetchError(f"503 number {number + 1}"))


def end_pause() -> None:
    """The pause is over, without waiting for it."""
    impatient_redis().hset(breakers._key(SOURCE), "paused_until", str(time.time() - 1))


def is_paused() -> bool:
    asked = []
    try:
        with breaker(SOURCE):
            asked.append(1)
    except PausedError:
        return not asked
    return False


def test_it_stays_closed_below_so_many_failures():
    fail(FAILURES - 1)
    state = breaker_state(SOURCE)
    assert (state.failures, state.is_open, state.paused_until) == (FAILURES - 1, False, None)
    assert not is_paused()


def test_it_opens_after_so_many_failures_in_a_row():
    fail(FAILURES)
    assert is_paused()
    state = breaker_state(SOURCE)
    assert (state.failures, state.is_open, state.error) == (FAILURES, True, f"503 number {FAILURES}")
    left = state.paused_until - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=breakers.PAUSE_S)


def test_who_asks_is_told_how_often_it_failed_and_why():
    fail(FAILURES)
    with pytest.raises(PausedError, match=f"failed {FAILURES} times in a row .* The last time: 503 number 5"):
        ask()


def test_being_paused_is_no_failure():
    fail(FAILURES)
    assert is_paused()
    assert breaker_state(SOURCE).failures == FAILURES


def test_a_success_in_between_starts_counting_anew():
    fail(FAILURES - 1)
    ask()
    fail(FAILURES - 1)
    assert not is_paused()


@pytest.mark.parametrize(
    "error",
    [RobotsError("no"), ForbiddenAddressError("no"), BusyError("no"), ConfigError("no"), RuntimeError("a bug of ours")],
)
def test_what_says_nothing_of_the_source_does_not_count(error):
    fail(FAILURES - 1)
    for _ in range(3):
        with pytest.raises(type(error)):
            ask(error)
    assert breaker_state(SOURCE).failures == FAILURES - 1


@pytest.mark.parametrize("error", [FetchError("slow"), LayoutError("changed")])
def test_what_the_source_is_to_blame_for_counts(error):
    with pytest.raises(type(error)):
        ask(error)
    assert breaker_state(SOURCE).failures == 1


def test_after_the_pause_a_success_closes_it():
    fail(FAILURES)
    end_pause()
    ask()
    assert breaker_state(SOURCE) == breakers.BreakerState()
    assert not is_paused()


def test_after_the_pause_a_failure_opens_it_again():
    fail(FAILURES)
    end_pause()
    fail()
    assert breaker_state(SOURCE).failures == FAILURES + 1
    assert is_paused()
    end_pause()
    ask()
    assert not is_paused()


def test_after_the_pause_only_one_tries_however_many_ask_at_once():
    fail(FAILURES)
    end_pause()
    outcomes: list[str] = []
    meeting, done = threading.Barrier(8), threading.Event()

    def ask_at_once():
        meeting.wait()
        try:
            with breaker(SOURCE):
                outcomes.append("asked")
                done.wait(timeout=10)
        except PausedError:
            outcomes.append("paused")
        if outcomes.count("paused") == 7:
            done.set()

    threads = [threading.Thread(target=ask_at_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["asked"] + ["paused"] * 7
    assert not is_paused()


@pytest.mark.parametrize("error", [RobotsError("no"), RuntimeError("a bug of ours"), KeyboardInterrupt()])
def test_a_trial_that_taught_nothing_leaves_it_to_the_next(error):
    """Otherwise nobody could try until the trial's own time is over, a minute later."""
    fail(FAILURES)
    end_pause()
    with pytest.raises(type(error)):
        ask(error)
    assert not is_paused()


def test_a_worker_that_dies_in_the_middle_of_counting_pauses_nothing_for_good(monkeypatch):
    fail(FAILURES - 1)
    with monkeypatch.context() as patch:
        patch.setattr(redis.client.Pipeline, "execute", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ask(FetchError("503"))
    assert breaker_state(SOURCE).failures == FAILURES - 1
    fail()
    assert breaker_state(SOURCE).paused_until is not None


def test_a_reset_lets_everybody_ask_at_once():
    fail(FAILURES)
    breaker_reset(SOURCE)
    assert not is_paused()
    assert breaker_state(SOURCE).failures == 0


def test_failures_are_forgotten_after_a_day():
    fail()
    assert 0 < impatient_redis().ttl(breakers._key(SOURCE)) <= 24 * 3600


def test_a_long_error_is_cut():
    with pytest.raises(FetchError):
        ask(FetchError("x" * 100_000))
    assert len(breaker_state(SOURCE).error) == 500


def test_without_redis_nothing_is_counted_or_paused(monkeypatch):
    nowhere = redis.Redis(port=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    fail(FAILURES)
    monkeypatch.setattr(breakers, "impatient_redis", lambda: nowhere)
    assert not is_paused()
    fail()
    ask()
    assert breaker_state(SOURCE) == breakers.BreakerState()
    with pytest.raises(redis.exceptions.ConnectionError):
        breaker_reset(SOURCE)
    monkeypatch.undo()
    assert breaker_state(SOURCE).failures == FAILURES


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
def test_a_crawl_of_a_paused_source_asks_nothing_of_the_shop(shop, source, crawled, behave, requests_seen):
    behave(fail_next=1000, status=403, applies_to="search")
    for number in range(FAILURES):
        assert crawled(f"honey {number}").crawl.error_kind == ErrorKind.FETCH
    assert requests_seen("search") == FAILURES
    behave()
    result = crawled("honey")
    assert (result.state, result.crawl.error_kind, result.crawl.requests) == ("failed", ErrorKind.PAUSED, 0)
    assert "403 Forbidden" in result.error
    assert requests_seen("search") == FAILURES
    breaker_reset(source.id)
    assert crawled("honey").state == "ready"
