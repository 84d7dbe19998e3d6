"""Crawl health: the figures are those of a naive recount."""

import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import RedisError

from crawler import figures, health, traffic
from crawler.breakers import _failed, breaker_reset, breaker_states
from crawler.figures import Figures, Percentiles
from crawler.models import Crawl, Source
from crawler.outcomes import Outcomes, outcomes_by_source
from crawler.wording import breaker_words
from tests.crawler.past_crawls import crawl_of, make_crawl, make_source

URL = "/admin/crawler/crawl/health/"
NOW_URL = "/admin/crawler/crawl/health/now/"
pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("nothing_counted"),
]
CHANGED = "The page no longer matches: “li.card” (card) found nothing."


# --- every aggregation against a slow, obvious one -------------------------------------------------------------------

crawls = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["shop", "other", "gone"]),
            "state": st.sampled_from(["pending", "running", "done", "failed", "cancelled"]),
            "error_kind": st.sampled_from(["", "fetch", "layout"]),
            "attempts": st.integers(0, 3),
            "minutes_ago": st.one_of(st.floats(0, 24 * 60), st.floats(0, 9 * 24 * 60)),
            "wait_s": st.one_of(st.none(), st.floats(0, 100)),
            "took_s": st.one_of(st.none(), st.floats(0, 100)),
        }
    ),
    max_size=40,
)


def percentiles(values: list[float]) -> Percentiles:
    if not values:
        return Percentiles()
    ordered = sorted(values)
    picked = {f"p{p}": ordered[math.ceil(p / 100 * len(ordered)) - 1] for p in (50, 95, 99)}
    return Percentiles(count=len(values), **picked)


def recount(rows: list[Crawl]) -> Figures:
    durations = [
        (row.finished_at - row.started_at).total_seconds()
        for row in rows
        if row.state in ("done", "failed") and row.started_at and row.finished_at
    ]
    waits = [(row.started_at - row.created_at).total_seconds() for row in rows if row.started_at and row.attempts <= 1]
    states = [row.state for row in rows]
    return Figures(
        done=states.count("done"),
        failed=states.count("failed"),
        cancelled=states.count("cancelled"),
        unfinished=states.count("pending") + states.count("running"),
        durations=percentiles(durations),
        waits=percentiles(waits),
    )


def same(one: Figures, other: Figures) -> bool:
    for name in ("durations", "waits"):
        left, right = getattr(one, name), getattr(other, name)
        values = [(getattr(left, p), getattr(right, p)) for p in ("count", "p50", "p95", "p99")]
        if not all(a == b or (a is not None and b is not None and abs(a - b) < 0.002) for a, b in values):
            return False
    return all(getattr(one, name) == getattr(other, name) for name in ("done", "failed", "cancelled", "unfinished"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crawls, st.sampled_from(["24h", "7d"]), st.sampled_from(["", "shop", "nowhere"]))
def test_the_figures_are_those_of_a_recount(drawn, window, source):
    Crawl.objects.all().delete()
    Source.objects.all().delete()
    make_source("shop")
    make_source("other")
    Crawl.objects.bulk_create([crawl_of(**values) for values in drawn])
    found = health.health(window=window, source=source)
    hours, step = {"24h": (24, 1), "7d": (168, 6)}[window]
    rows = [row for row in Crawl.objects.all() if row.created_at >= found.at - timedelta(hours=hours)]
    for one in found.sources:
        assert same(one.figures, recount([row for row in rows if row.source == one.source.id]))
    of_source = [row for row in rows if source != "shop" or row.source == source]
    seen = 0
    for moment, step_figures in found.series:
        members = [row for row in of_source if moment <= row.created_at < moment + timedelta(hours=step)]
        seen += len(members)
        assert same(step_figures, recount(members))
    assert seen == len(of_source)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crawls)
def test_queues_and_outcomes_are_those_of_a_recount(drawn):
    Crawl.objects.all().delete()
    Source.objects.all().delete()
    make_source("shop")
    make_source("other")
    Crawl.objects.bulk_create([crawl_of(**values) for values in drawn])
    found = health.health()
    rows = list(Crawl.objects.all())
    for one in found.sources:
        mine = [row for row in rows if row.source == one.source.id]
        pending = [row.created_at for row in mine if row.state == "pending"]
        assert (one.queue.pending, one.queue.running) == (len(pending), sum(row.state == "running" for row in mine))
        assert one.queue.oldest_pending_at == min(pending, default=None)
        for state, outcome in (("done", one.outcomes.last_success), ("failed", one.outcomes.last_failure)):
            newest = max((row for row in mine if row.state == state), key=lambda row: row.created_at, default=None)
            assert (newest and newest.created_at) == (outcome and outcome.created_at)
    waiting = [row.created_at for row in rows if row.state == "pending"]
    assert found.queue.pending == len(waiting)
    assert found.queue.oldest_pending_at == min(waiting, default=None)


def test_percentiles_are_by_nearest_rank():
    """The example of NIST/SEMATECH's and Wikipedia's nearest-rank method: of five values p50 is the third."""
    for took in (15, 20, 35, 40, 50):
        make_crawl(took_s=took)
    make_source()
    durations = health.health().sources[0].figures.durations
    assert (durations.count, durations.p50, durations.p95, durations.p99) == (5, 35, 50, 50)


def test_only_so_many_crawls_are_looked_at_and_the_page_says_so(monkeypatch, sign_in):
    make_source()
    for minute in range(5):
        make_crawl(minutes_ago=minute, took_s=minute)
    monkeypatch.setattr(figures, "MAX_CRAWLS", 3)
    monkeypatch.setattr(health, "MAX_CRAWLS", 3)
    found = health.health()
    assert (found.sources[0].figures.done, found.truncated) == (3, True)
    assert found.sources[0].figures.durations.p99 == 2
    assert "only the newest are counted" in sign_in("operator").get(URL).content.decode()


# --- the cache, the breaker ------------------------------------------------------------------------------------------


def test_the_hit_rate_leaves_forced_crawls_out():
    make_source()
    for answer, times in (("hit", 5), ("stale", 1), ("miss", 2), ("forced", 9)):
        for _ in range(times):
            traffic.count("shop", answer)
    found = health.health().sources[0]
    assert found.hit_percent == 75
    assert found.answers == {"hit": 5, "stale": 1, "miss": 2, "forced": 9}
    assert traffic.answers("shop", hours=1) == found.answers


def test_without_searches_and_crawls_there_are_no_percentages():
    make_source()
    found = health.health().sources[0]
    assert (found.hit_percent, found.figures.success_percent) == (None, None)


def test_breakers_of_several_sources_are_read_at_once():
    for _ in range(6):
        _failed("shop", "503")
    _failed("other", "504")
    states = breaker_states(["shop", "other", "third"])
    assert breaker_words(states["shop"]).startswith("paused until ")
    assert breaker_words(states["other"]) == "failed 1 time in a row"
    assert breaker_words(states["third"]) == "closed"
    breaker_reset("shop")
    assert breaker_states([]) == {}
    assert not breaker_states(["shop"])["shop"].is_open


def test_without_redis_the_page_still_opens(monkeypatch, sign_in):
    make_source()
    client = sign_in("operator")

    def away(*args, **values):
        raise RedisError

    monkeypatch.setattr(health, "answers_by_source", away)
    monkeypatch.setattr(health, "last_seen", away)
    assert "never seen" in client.get(URL).content.decode()


def test_no_outcomes_are_none():
    make_source()
    assert outcomes_by_source() == {"shop": Outcomes()}
    assert Outcomes().last is None
