"""One real search from the admin: an operator sees what comes, and nothing is written."""

import pytest

from crawler.breakers import _failed, breaker_state
from crawler.models import Crawl, Listing, SearchPage, Source
from tests.shop import HOSTILE_TITLE

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
TRY = "/admin/crawler/source/demo-shop/try/"


def trial(client, **values):
    answer = client.post(TRY, {"keyword": "honey", "page": 1} | values)
    assert answer.status_code == 200
    return answer.context["trial"], answer.content.decode()


def test_one_real_search_shows_the_first_listings_and_writes_nothing(sign_in, shop, requests_seen):
    found, page = trial(sign_in("operator"))
    assert (found.count, len(found.listings), found.has_next, found.error) == (20, 10, True, "")
    assert found.listings[0].item_id in page
    assert "20 listings on this page" in page
    assert (requests_seen("search"), requests_seen("pictures")) == (1, 0)
    assert not Listing.objects.exists()
    assert not SearchPage.objects.exists()
    assert not Crawl.objects.exists()


def test_a_selector_that_finds_nothing_is_named_with_what_was_sent(sign_in, shop, behave):
    behave(search="no-cards")
    found, page = trial(sign_in("operator"))
    assert "The page no longer matches: “ol.results” (results) found nothing." in page.replace("&quot;", '"')
    assert found.error_kind == "layout"
    assert "Are you human?" in page


def test_the_exact_error_of_the_shop_is_shown(sign_in, shop, behave):
    behave(fail_next=9, status=403)
    assert "answered 403 Forbidden" in trial(sign_in("operator"))[1]


def test_trying_passes_the_breaker_by_and_does_not_count(sign_in, shop, behave):
    for _ in range(6):
        _failed("demo-shop", "503")
    client = sign_in("operator")
    assert trial(client)[0].count == 20
    behave(fail_next=9, status=403)
    trial(client)
    assert breaker_state("demo-shop").failures == 6


def test_a_source_that_is_switched_off_or_cannot_be_used_is_tried_too(sign_in, shop, source):
    client = sign_in("operator")
    Source.objects.update(enabled=False)
    assert trial(client)[0].count == 20
    Source.objects.update(config={})
    assert "search_url=None should be a text" in trial(client)[1]


def test_a_slow_shop_is_not_waited_for_longer_than_the_limit(sign_in, shop, behave, monkeypatch):
    monkeypatch.setattr("crawler.trying.TRY_S", 1)
    behave(delay_s=5)
    found, _page = trial(sign_in("operator"))
    assert "took too long" in found.error
    assert found.seconds < 4


def test_hostile_titles_are_text(sign_in, shop):
    page = trial(sign_in("operator"), keyword="hostile")[1]
    assert HOSTILE_TITLE not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("values", [{"keyword": " "}, {"keyword": "a\x00b"}, {"page": 0}, {"page": "x"}])
def test_what_cannot_be_searched_asks_nobody(sign_in, shop, requests_seen, values):
    found, page = trial(sign_in("operator"), **values)
    assert found is None
    assert "errorlist" in page
    assert requests_seen("search") == 0


def test_looking_at_the_page_asks_nobody(sign_in, shop, requests_seen):
    assert sign_in("operator").get(TRY).status_code == 200
    assert requests_seen("search") == 0
    assert sign_in("operator").get("/admin/crawler/source/nowhere/try/").status_code == 404


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer"])
def test_others_may_not(sign_in, shop, requests_seen, role):
    client = sign_in(role)
    assert client.get(TRY).status_code in {302, 403}
    assert client.post(TRY, {"keyword": "honey", "page": 1}).status_code in {302, 403}
    assert requests_seen("search") == 0
