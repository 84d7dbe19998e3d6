"""How many listings are shown at first, and what is fetched ahead of them."""

import re
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import AnnotatorSettings
from annotation.preferences import preferences_change
from crawler.crawling import crawl_run
from crawler.models import Crawl, SearchPage, WorkState
from tests.annotation.factories import make_listing

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

HTMX = {"HTTP_HX_REQUEST": "true"}
MORE = {**HTMX, "HTTP_HX_TARGET": "more"}


@pytest.fixture
def annotator(person, source):
    return person("annotator")


@pytest.fixture
def client(sign_in, annotator) -> Client:
    return sign_in("annotator")


def cache_page(number: int, *, listings: int = 20, has_next: bool = True, fresh: bool = True) -> SearchPage:
    """A page of the search for tea, in the cache."""
    now = timezone.now()
    page = SearchPage(
        id=SearchPage.make_id(source="demo-shop", normalized_keyword="tea", page=number),
        source="demo-shop",
        keyword="tea",
        page=number,
        listing_ids=[make_listing(f"tea {number}-{n}").id for n in range(listings)],
        has_next=has_next,
        fetched_at=now,
        fresh_until=now + timedelta(hours=1 if fresh else -1),
        stale_until=now + timedelta(hours=2),
    )
    page.save()
    return page


def shown(answer) -> int:
    return answer.content.decode().count('name="shown"')


def search(client, **query):
    return client.get(reverse("annotation:search"), {"keyword": "tea", **query}, **HTMX)


def address(answer, name: str) -> str:
    """The address of the page `name` that the answer asks by itself."""
    found = re.search(rf'hx-get="({reverse(f"annotation:{name}")}\?[^"]*)"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


class TestPageSize:
    def test_a_page_of_the_shop_by_default(self, client):
        for number in (1, 2, 3):
            cache_page(number)
        assert shown(search(client)) == 20

    @pytest.mark.parametrize(("size", "count"), [(40, 40), (60, 60), (100, 80)])
    def test_as_many_pages_as_are_needed_come_out_of_the_cache(self, client, annotator, size, count):
        preferences_change(annotator=annotator, page_size=size)
        for number in (1, 2, 3, 4):
            cache_page(number, has_next=number < 4)
        page = search(client)
        assert shown(page) == count
        assert f'name="pages" value="{count // 20}"' in page.content.decode()
        assert not Crawl.objects.exists()

    @pytest.mark.parametrize("headers", [HTMX, {}])
    def test_the_number_of_queries_grows_neither_with_listings_nor_with_pages(self, client, annotator, headers):
        preferences_change(annotator=annotator, page_size=60)
        for number in (1, 2, 3):
            cache_page(number)
        search(client)
        with CaptureQueriesContext(connections["mongo"]) as queries:
            answer = client.get(reverse("annotation:search"), {"keyword": "tea"}, **headers)
        assert shown(answer) == 60
        assert len(queries) <= 8

    def test_a_page_that_is_not_cached_is_asked_for_by_itself_until_there_are_enough(self, client, annotator):
        preferences_change(annotator=annotator, page_size=60)
        cache_page(1)
        answer = search(client)
        assert shown(answer) == 20
        more = address(answer, "search")
        assert "page=2" in more
        assert "shown=20" in more
        waiting = client.get(more, **MORE)
        crawl = Crawl.objects.get()
        assert (crawl.page, crawl.state) == (2, WorkState.PENDING)
        cache_page(2)
        Crawl.objects.update(state=WorkState.DONE)
        poll = re.search(r'hx-get="([^"]*crawls[^"]*)"', waiting.content.decode())[1].replace("&amp;", "&")
        arrived = client.get(poll, **MORE)
        assert shown(arrived) == 20
        more = address(arrived, "search")
        assert "page=3" in more
        assert "shown=40" in more
        cache_page(3)
        last = client.get(more, **MORE)
        assert shown(last) == 20
        assert "shown=" not in last.content.decode()  # from here on somebody has to ask

    def test_what_somebody_asks_for_is_one_page(self, client, annotator):
        preferences_change(annotator=annotator, page_size=60)
        for number in (4, 5):
            cache_page(number)
        answer = client.get(reverse("annotation:search"), {"keyword": "tea", "page": "4"}, **MORE)
        assert shown(answer) == 20
        assert "shown=" not in answer.content.decode()

    def test_an_old_page_is_left_to_be_refreshed(self, client, annotator):
        preferences_change(annotator=annotator, page_size=60)
        cache_page(1)
        cache_page(2, fresh=False)
        cache_page(3)
        assert shown(search(client)) == 20

    def test_a_listing_that_moved_is_shown_once(self, client, annotator):
        preferences_change(annotator=annotator, page_size=40)
        first, second = cache_page(1), cache_page(2)
        SearchPage.objects.filter(id=second.id).update(listing_ids=[first.listing_ids[0], *second.listing_ids[1:]])
        assert shown(search(client)) == 39

    def test_a_shop_that_promises_more_and_shows_nothing_is_not_asked_for_ever(self, client, annotator):
        preferences_change(annotator=annotator, page_size=60)
        cache_page(1)
        cache_page(2, listings=0)
        answer = search(client, page=2, shown=20)
        assert "shown=" not in address(answer, "search")


class TestChoosing:
    def test_it_is_kept(self, client, annotator):
        answer = client.post(reverse("annotation:page_size"), {"page_size": "60"}, **HTMX)
        assert "60 listings are shown at first" in answer.content.decode()
        assert AnnotatorSettings.objects.get(id=str(annotator.pk)).page_size == 60
        assert '<option value="60" selected>' in client.get(reverse("annotation:search")).content.decode()

    def test_without_a_script_it_leads_back(self, client):
        answer = client.post(reverse("annotation:page_size"), {"page_size": "0"})
        assert answer["Location"] == reverse("annotation:search")

    @pytest.mark.parametrize("size", ["", "7", "-1", "many"])
    def test_another_size_is_refused_and_changes_nothing(self, client, size):
        answer = client.post(reverse("annotation:page_size"), {"page_size": size}, **HTMX)
        assert answer.status_code == 422
        assert "Show at first: " in answer.content.decode()
        assert not AnnotatorSettings.objects.exists()

    def test_it_changes_nothing_else(self, client, annotator):
        client.post(reverse("annotation:tour_seen"))
        client.post(reverse("annotation:page_size"), {"page_size": "40"})
        mine = AnnotatorSettings.objects.get()
        assert mine.page_size == 40
        assert mine.tour_seen_at is not None


class TestNextPage:
    """`/annotation/next/`: asked by the page once its grid stands."""

    def test_the_crawl_of_the_page_after_the_shown_one_is_queued_once(self, client):
        cache_page(1)
        ahead = address(search(client), "next_page")
        for _ in range(2):
            answer = client.get(ahead, **HTMX)
        crawl = Crawl.objects.get()
        assert (crawl.page, crawl.keyword, crawl.requested_by) == (2, "tea", "annotator")
        assert f"crawl={crawl.id}" in address(answer, "next_page")  # looks at it again

    def test_its_pictures_are_named_when_it_is_there(self, client, annotator):
        cache_page(1)
        ahead = address(search(client), "next_page")
        page = cache_page(2)
        text = client.get(ahead, **HTMX).content.decode()
        assert text.count('rel="prefetch" as="image"') == len(page.listing_ids)
        assert not Crawl.objects.exists()

    def test_it_looks_at_a_crawl_for_a_while_only(self, client):
        cache_page(1)
        client.get(address(search(client), "next_page"), **HTMX)
        crawl = Crawl.objects.get()
        answer = client.get(reverse("annotation:next_page"), {"crawl": crawl.id, "attempt": "19"}, **HTMX)
        assert answer.status_code == 200
        assert not address(answer, "next_page")

    def test_the_fresh_crawl_of_the_shown_page_does_not_make_the_next_one_fresh(self, client):
        cache_page(1)
        page = cache_page(2)
        client.get(reverse("annotation:next_page"), {"keyword": "tea", "page": "2", "spider": "true"}, **HTMX)
        assert not Crawl.objects.exists()
        assert SearchPage.objects.get(id=page.id).fetched_at

    def test_whoever_saves_data_gets_none(self, client):
        cache_page(1)
        ahead = address(search(client), "next_page")
        answer = client.get(reverse("annotation:search"), {"keyword": "tea"}, **HTMX, HTTP_SAVE_DATA="on")
        assert not address(answer, "next_page")
        assert client.get(ahead, **HTMX, HTTP_SAVE_DATA="on").status_code == 204
        assert not Crawl.objects.exists()

    def test_the_last_page_has_none(self, client):
        cache_page(1, has_next=False)
        assert not address(search(client), "next_page")

    @pytest.mark.parametrize("query", [{}, {"keyword": "x" * 201}, {"keyword": "tea", "source": "unknown"}])
    def test_what_cannot_be_searched_is_answered_by_nothing(self, client, query):
        answer = client.get(reverse("annotation:next_page"), query, **HTMX)
        assert (answer.status_code, answer.content) == (204, b"")

    def test_more_then_shows_it_without_a_crawl_of_its_own(self, client, shop):
        cache_page(1)
        client.get(address(search(client), "next_page"), **HTMX)
        crawl_run(crawl_id=Crawl.objects.get().id)
        answer = client.get(reverse("annotation:search"), {"keyword": "tea", "page": "2"}, **MORE)
        assert shown(answer)
        assert Crawl.objects.count() == 1
