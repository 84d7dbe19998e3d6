"""Scheduled searches: due ones are queued once, whatever beats, crashes or operators do at the same time."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from crawler import schedules
from crawler.models import Crawl, ScheduledSearch, SearchPage, Source
from crawler.schedules import CLAIM, scheduled_crawl_now, scheduled_crawls_queue
from crawler.tasks import queue_scheduled_crawls

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
ADD = "/admin/crawler/scheduledsearch/add/"
LIST = "/admin/crawler/scheduledsearch/"


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch, source) -> None:
    """The crawls are made; no worker takes them."""
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: None)


def make_search(keyword="honey", *, due_in=-timedelta(seconds=1), **values) -> ScheduledSearch:
    return ScheduledSearch.objects.create(
        source="demo-shop", keyword=keyword, next_at=timezone.now() + due_in, **{"every_hours": 24, **values}
    )


def next_in(search: ScheduledSearch) -> timedelta:
    return ScheduledSearch.objects.get(id=search.id).next_at - timezone.now()


def asked() -> list[tuple[str, int]]:
    return sorted(Crawl.objects.values_list("keyword", "page"))


def test_what_is_due_is_crawled_page_by_page():
    make_search(pages=3)
    queue_scheduled_crawls()
    assert asked() == [("honey", 1), ("honey", 2), ("honey", 3)]
    assert set(Crawl.objects.values_list("reason", "requested_by", "state")) == {("scheduled", "schedule", "pending")}


def test_what_is_fresh_in_the_cache_is_crawled_all_the_same(shop, crawled):
    crawled("honey")
    make_search()
    assert scheduled_crawls_queue() == 1
    assert Crawl.objects.filter(state="pending").count() == 1


def test_what_is_not_due_or_switched_off_waits():
    make_search(due_in=timedelta(minutes=1))
    make_search("milk", enabled=False)
    assert scheduled_crawls_queue() == 0
    assert asked() == []


def test_the_second_beat_queues_nothing():
    make_search()
    assert (scheduled_crawls_queue(), scheduled_crawls_queue()) == (1, 0)
    assert len(asked()) == 1


def test_of_two_beats_at_the_same_moment_one_queues(monkeypatch):
    """The other one comes between the look and the claim; by then the first one's crawl may even be done."""
    make_search()
    real, others = schedules._search_pages, []

    def search_pages(scheduled):
        pages = real(scheduled)
        Crawl.objects.update(state="done")
        others.append(scheduled_crawls_queue())
        return pages

    monkeypatch.setattr(schedules, "_search_pages", search_pages)
    assert scheduled_crawls_queue() == 1
    assert others == [0]
    assert len(asked()) == 1


def test_a_claim_taken_meanwhile_is_not_taken_again(monkeypatch):
    search = make_search()
    real, taken = ScheduledSearch.objects.filter, []

    def other_beat_first(*args, **values):
        if "next_at" in values and not taken:
            taken.append(real(id=search.id).update(next_at=timezone.now() + CLAIM))
        return real(*args, **values)

    monkeypatch.setattr(ScheduledSearch.objects, "filter", other_beat_first)
    assert scheduled_crawls_queue() == 0
    assert asked() == []


def test_a_beat_that_dies_loses_no_turn(monkeypatch):
    search = make_search(pages=2)

    class Killed(BaseException):
        pass

    def die(**values):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(schedules, "search", die)
        with pytest.raises(Killed):
            scheduled_crawls_queue()
    assert next_in(search) <= CLAIM
    ScheduledSearch.objects.update(next_at=timezone.now() - timedelta(seconds=1))  # the claim passes at once
    assert scheduled_crawls_queue() == 1
    assert asked() == [("honey", 1), ("honey", 2)]


def test_missed_turns_are_not_made_up_for_and_the_time_of_day_stays():
    search = make_search(due_in=-timedelta(days=3, minutes=10), every_hours=24)
    assert scheduled_crawls_queue() == 1
    assert len(asked()) == 1
    assert timedelta(hours=23, minutes=49) < next_in(search) < timedelta(hours=23, minutes=50, seconds=1)


def test_an_operators_time_is_not_overwritten(monkeypatch):
    search = make_search()
    wanted = timezone.now().replace(microsecond=0) + timedelta(days=9)

    def search_pages(scheduled):
        ScheduledSearch.objects.filter(id=search.id).update(next_at=wanted)
        return 1

    monkeypatch.setattr(schedules, "_search_pages", search_pages)
    scheduled_crawls_queue()
    assert ScheduledSearch.objects.get().next_at == wanted


def test_pages_after_the_last_one_are_not_asked_for():
    now = timezone.now()
    SearchPage.objects.create(
        id=SearchPage.make_id(source="demo-shop", normalized_keyword="honey", page=2),
        source="demo-shop",
        keyword="Honey",
        page=2,
        has_next=False,
        fetched_at=now,
        fresh_until=now,
    )
    make_search("HONEY", pages=5)
    scheduled_crawls_queue()
    assert [page for _keyword, page in asked()] == [1, 2]


def test_a_source_that_is_switched_off_is_left_out_and_the_turn_passes():
    search = make_search()
    Source.objects.update(enabled=False)
    assert scheduled_crawls_queue() == 0
    assert asked() == []
    assert next_in(search) > timedelta(hours=23)


def test_crawling_now_counts_the_time_from_here():
    search = make_search(due_in=timedelta(hours=5), enabled=False, pages=2)
    assert scheduled_crawl_now(scheduled=search) == 2
    assert next_in(search) > timedelta(hours=23)


# --- the admin ------------------------------------------------------------------------------------------------------


def form(**values) -> dict:
    base = {"source": "demo-shop", "keyword": "honey", "pages": 1, "every_hours": 24, "enabled": "on"}
    return base | {"next_at_0": "2026-01-01", "next_at_1": "00:00:00"} | values


def test_an_operator_schedules_a_search(sign_in):
    answer = sign_in("operator").post(ADD, form(keyword="  green   tea "))
    assert answer.status_code == 302, answer.content.decode()
    assert ScheduledSearch.objects.get().keyword == "green tea"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"keyword": "  "}, "This field is required"),
        ({"keyword": "a\x07b"}, "holds characters that are not text"),
        ({"pages": 0}, "greater than or equal to 1"),
        ({"pages": 21}, "less than or equal to 20"),
        ({"every_hours": 0}, "greater than or equal to 1"),
        ({"every_hours": 721}, "less than or equal to 720"),
        ({"source": "nowhere"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_searched_is_refused(sign_in, values, message):
    answer = sign_in("operator").post(ADD, form(**values))
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not ScheduledSearch.objects.exists()


def test_the_form_starts_with_now_and_offers_enabled_sources_only(sign_in, source):
    source.id, source.enabled = "asleep", False
    source.save()
    page = sign_in("operator").get(ADD).content.decode()
    assert 'value="demo-shop"' in page
    assert "asleep" not in page
    assert f'value="{timezone.now():%Y-%m-%d}"' in page


def test_a_search_of_a_source_that_was_switched_off_can_still_be_edited(sign_in):
    search = make_search()
    Source.objects.update(enabled=False)
    url = f"{LIST}{search.id}/change/"
    client = sign_in("operator")
    assert "demo-shop (switched off)" in client.get(url).content.decode()
    assert client.post(url, form(keyword="milk")).status_code == 302
    assert ScheduledSearch.objects.get().keyword == "milk"


def act(client, action: str) -> str:
    ids = list(ScheduledSearch.objects.values_list("id", flat=True))
    return client.post(LIST, {"action": action, "_selected_action": ids}, follow=True).content.decode()


def test_searches_are_crawled_now_and_switched(sign_in):
    make_search(pages=2, due_in=timedelta(hours=1))
    make_search("milk", due_in=timedelta(hours=1))
    client = sign_in("operator")
    assert "3 pages are being crawled." in act(client, "crawl_now")
    assert "3 pages are being crawled." in act(client, "crawl_now")  # joins the crawls that wait
    assert len(asked()) == 3
    assert "2 searches are disabled now." in act(client, "disable")
    assert not ScheduledSearch.objects.filter(enabled=True).exists()
    assert "2 searches are enabled now." in act(client, "enable")
    for source in Source.objects.all():
        source.enabled = False
        source.save()
    assert "is its source switched off?" in act(client, "crawl_now")


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer"])
def test_others_may_not(sign_in, role):
    make_search()
    client = sign_in(role)
    assert client.get(LIST).status_code in {302, 403}
    assert client.post(ADD, form()).status_code in {302, 403}
    assert ScheduledSearch.objects.count() == 1
