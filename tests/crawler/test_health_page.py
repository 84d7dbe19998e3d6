"""/admin/crawler/crawl/health/: what it shows, and the alerts that come when they should."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crawler import health
from crawler.models import Source
from crawler.wording import age, seconds
from mmproject.heartbeat import heartbeat_note
from tests.crawler.past_crawls import make_crawl, make_source

URL = "/admin/crawler/crawl/health/"
NOW_URL = "/admin/crawler/crawl/health/now/"
pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("nothing_counted"),
]
CHANGED = "The page no longer matches: “li.card” (card) found nothing."


def test_the_list_of_crawls_leads_to_it(sign_in):
    assert f'href="{URL}"' in sign_in("operator").get("/admin/crawler/crawl/").content.decode()


# --- alerts ----------------------------------------------------------------------------------------------------------


def test_a_page_that_changed_shape_is_an_alert_with_its_crawl_and_its_page(sign_in):
    make_source()
    make_crawl(minutes_ago=9)
    crawl = make_crawl(minutes_ago=3, state="failed", error_kind="layout", error=CHANGED, raw_page="raw-pages/x.txt")
    page = sign_in("operator").get(URL).content.decode()
    assert 'class="alert bad"' in page
    assert CHANGED in page
    assert f"/admin/crawler/crawl/{crawl.id}/change/" in page
    assert f"/admin/crawler/crawl/{crawl.id}/raw-page/" in page


@pytest.mark.parametrize(
    "after",
    [{}, {"state": "failed", "error_kind": "fetch", "error": "503"}],
    ids=["a success", "a failure of another kind"],
)
def test_it_is_none_any_more_after(sign_in, after):
    make_source()
    make_crawl(minutes_ago=5, state="failed", error_kind="layout", error=CHANGED)
    make_crawl(minutes_ago=3, **after)
    assert CHANGED not in sign_in("operator").get(URL).content.decode()


def test_it_is_none_for_a_source_that_is_switched_off(sign_in):
    make_source(enabled=False)
    make_crawl(state="failed", error_kind="layout", error=CHANGED)
    assert CHANGED not in sign_in("operator").get(URL).content.decode()


def test_what_waits_while_no_worker_takes_anything_is_an_alert():
    make_source()
    make_crawl(minutes_ago=3, wait_s=None, state="pending")
    assert health.health().workers_silent
    make_crawl(minutes_ago=5, wait_s=280)  # a worker has just taken another one
    assert not health.health().workers_silent


def test_what_was_asked_for_a_moment_ago_is_none():
    make_crawl(minutes_ago=0.5, wait_s=None, state="pending")
    make_crawl(minutes_ago=30)
    assert not health.health().workers_silent


def test_a_worker_that_runs_something_asked_for_long_ago_is_not_silent():
    make_crawl(minutes_ago=30 * 60, wait_s=30 * 3600 - 10, took_s=None, state="running")
    make_crawl(minutes_ago=3, wait_s=None, state="pending")
    assert not health.health().workers_silent


def test_the_page_tells_when_a_worker_was_seen(sign_in):
    client = sign_in("operator")
    assert "never seen" in client.get(URL).content.decode()
    heartbeat_note(queue="crawl")
    assert re.search(r"last seen \d s ago", client.get(URL).content.decode())


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_and_what_is_polled_show_the_same(sign_in):
    make_source()
    make_crawl()
    make_crawl(state="failed", error="503")
    client = sign_in("operator")
    for url in (URL, NOW_URL):
        page = client.get(url, {"window": "7d", "source": "shop"}).content.decode()
        assert "50.0 %" in page
        assert "2.0 s / 2.0 s / 2.0 s" in page
        chart = json.loads(re.search(r'<script id="chart-data"[^>]*>(.*?)</script>', page, re.S)[1])
        assert (sum(chart["outcomes"]["done"]), sum(chart["outcomes"]["failed"])) == (1, 1)
        assert len(chart["labels"]) == len(chart["durations"]["p95"])
    assert "hx-swap-oob" in page
    assert "<html" not in page


@pytest.mark.parametrize("query", [{"window": "1y"}, {"window": ""}, {"source": '{"$ne": ""}'}, {"source": "x" * 500}])
def test_odd_choices_are_the_default(sign_in, query):
    make_source()
    answer = sign_in("operator").get(URL, query)
    assert answer.status_code == 200
    assert '<option value="24h" selected>' in answer.content.decode()


def test_hostile_errors_are_text(sign_in):
    hostile = "</script><script>alert(1)</script>"
    make_source(name="shop")
    Source.objects.update(name=hostile)
    make_crawl(state="failed", error_kind="layout", error=hostile, keyword=hostile)
    for url in (URL, NOW_URL):
        assert "<script>alert" not in sign_in("operator").get(url).content.decode()


def test_the_number_of_queries_does_not_grow(sign_in):
    client = sign_in("operator")
    counts = set()
    for size in (1, 12):
        for number in range(Source.objects.count(), size):
            make_source(f"shop-{number}")
            for state in ("done", "failed", "pending", "running"):
                make_crawl(source=f"shop-{number}", state=state, error_kind="layout")
        for url in (URL, NOW_URL):
            with CaptureQueriesContext(connections["mongo"]) as queries:
                client.get(url)
            counts.add(len(queries))
    assert len(counts) == 1


def test_the_lists_and_the_index_lead_to_it(sign_in):
    client = sign_in("operator")
    for url in ("/admin/", "/admin/crawler/crawl/"):
        assert URL in client.get(url).content.decode()
    assert URL not in sign_in("reviewer").get("/admin/").content.decode()


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer"])
def test_others_may_not(sign_in, role):
    assert sign_in(role).get(URL).status_code in {302, 403}
    assert sign_in(role).get(NOW_URL).status_code == 401


def test_whoever_was_signed_out_is_sent_to_the_whole_page(client, sign_in):
    answer = client.get(NOW_URL, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (401, "true", b"")


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0.0, "0 ms"),
        (0.0123, "12 ms"),
        (0.9996, "1.0 s"),
        (99.9, "99.9 s"),
        (240, "4 min"),
        (36000, "10 h"),
    ],
)
def test_durations_are_short(value, words):
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        ({"seconds": 12}, "12 s ago"),
        ({"minutes": 5}, "5 min ago"),
        ({"hours": 30}, "30 h ago"),
        ({"days": 3}, "3 days ago"),
        ({"seconds": -9}, "0 s ago"),
    ],
)
def test_ages_are_in_one_unit(passed, words):
    assert age(timezone.now() - timedelta(**passed)) == words
