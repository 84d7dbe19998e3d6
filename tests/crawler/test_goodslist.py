from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.authtoken.models import Token

from crawler.models import Crawl, Listing, SearchPage
from crawler.services import crawl_run, search
from tests.shop import HOSTILE_TITLE
from tests.workers import worker

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL = "/api/goodslist"


@pytest.fixture
def client(sign_in):
    return sign_in("annotator")


def test_it_works(client, shop):
    waiting = client.get(URL, {"keyword": "honey"})
    assert waiting.status_code == 202
    data = waiting.json()
    assert (data["state"], data["result"], data["error"]) == ("pending", None, "")
    assert waiting["Location"] == data["poll"] == f"/api/goodslist/crawls/{data['crawl']}"
    assert waiting["Retry-After"]
    assert client.get(data["poll"]).json()["state"] == "pending"
    crawl_run(crawl_id=data["crawl"])
    polled = client.get(data["poll"]).json()
    assert (polled["state"], polled["images_done"], polled["images_total"]) == ("ready", 20, 20)
    ready = client.get(URL, {"keyword": "honey"})
    assert ready.status_code == 200
    goods = ready.json()
    assert polled["result"]["listings"] == goods["listings"]
    assert (goods["keyword"], goods["page"], goods["source"], goods["from_cache"]) == ("honey", 1, "demo-shop", True)
    assert (goods["stale"], goods["has_next"], len(goods["listings"])) == (False, True, 20)
    first = goods["listings"][0]
    assert first["image"].startswith("/images/")
    assert client.get(first["image"]).status_code == 200
    assert first["url"].startswith(shop.address)
    assert isinstance(first["price"], float)


def test_a_second_call_joins_the_first(client, shop):
    one, other = client.get(URL, {"keyword": "honey"}).json(), client.get(URL, {"keyword": "honey"}).json()
    assert one["crawl"] == other["crawl"]
    assert Crawl.objects.count() == 1


def test_force_update_crawls_again_and_shows_what_there_was(client, shop, crawled):
    crawled("honey")
    response = client.get(URL, {"keyword": "honey", "force_update": "true"})
    assert response.status_code == 202
    assert len(response.json()["result"]["listings"]) == 20
    assert client.get(URL, {"keyword": "honey", "force_update": "false"}).status_code == 200


def test_a_failure_is_told_with_the_old_goods(client, shop, crawled, behave):
    crawled("honey")
    behave(fail_next=9, status=403)
    crawl = client.get(URL, {"keyword": "honey", "force_update": "1"}).json()
    crawl_run(crawl_id=crawl["crawl"])
    data = client.get(crawl["poll"]).json()
    assert data["state"] == "failed"
    assert "403" in data["error"]
    assert len(data["result"]["listings"]) == 20


def test_a_picture_that_failed_is_null_with_the_reason(client, shop, crawled, behave):
    behave(pictures="missing")
    crawled("hostile")
    listing = client.get(URL, {"keyword": "hostile"}).json()["listings"][0]
    assert listing["image"] is None
    assert "404" in listing["image_error"]
    assert listing["title"] == HOSTILE_TITLE


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "keyword"),
        ({"keyword": ""}, "keyword"),
        ({"keyword": "x" * 300}, "keyword"),
        ({"keyword": "a\0b"}, "keyword"),
        ({"keyword": "x", "page": "0"}, "page"),
        ({"keyword": "x", "page": "two"}, "page"),
        ({"keyword": "x", "page": "99999999999999999999"}, "page"),
        ({"keyword": "x", "source": "nowhere"}, "source"),
        ({"keyword": "x", "force_update": "perhaps"}, "force_update"),
        ({"keyword": "x", "wait": "26"}, "wait"),
        ({"keyword": "x", "wait": "-1"}, "wait"),
        ({"keyword": "x", "wait": "nan"}, "wait"),
    ],
)
def test_bad_input_is_a_problem_document(client, source, query, field):
    response = client.get(URL, query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert field in response.json()["errors"]
    assert not Crawl.objects.exists()


@pytest.mark.parametrize("url", [URL, "/api/goodslist/crawls", "/api/goodslist/crawls/x"])
def test_strangers_may_not(client, url):
    client.logout()
    response = client.get(url, {"keyword": "honey"})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


def test_a_token_is_enough(client, person, shop):
    client.logout()
    token = Token.objects.create(user=person("annotator"))
    response = client.get(URL, {"keyword": "honey"}, headers={"Authorization": f"Token {token.key}"})
    assert response.status_code == 202
    assert Crawl.objects.get().requested_by == "annotator"


def test_it_only_allows_get(client):
    assert client.post(URL, {"keyword": "honey"}).status_code == 405


def test_an_unknown_crawl_is_not_found(client):
    assert client.get("/api/goodslist/crawls/unknown").status_code == 404


def test_it_is_in_the_schema(client):
    schema = client.get("/api/schema", {"format": "json"})
    assert schema.status_code == 200
    assert "/api/goodslist" in schema.content.decode()


def test_a_stale_page_is_answered_at_once_and_says_why(client, shop, crawled):
    page = crawled("honey").search_page
    now = timezone.now()
    SearchPage.objects.filter(id=page.id).update(fresh_until=now, stale_until=now + timedelta(hours=1))
    response = client.get(URL, {"keyword": "honey"})
    assert response.status_code == 200
    assert response.json()["stale"] is True
    assert "is being fetched again" in response.json()["stale_reason"]
    assert Crawl.objects.filter(state="pending").count() == 1


def test_one_may_wait_for_the_crawl(client, shop):
    with worker("crawl"):
        response = client.get(URL, {"keyword": "honey", "wait": "25"})
    assert response.status_code == 200
    assert (len(response.json()["listings"]), response.json()["from_cache"]) == (20, False)


def test_waiting_ends_with_a_job_to_poll(client, shop):
    response = client.get(URL, {"keyword": "honey", "wait": "0.2"})
    assert response.status_code == 202
    assert response.json()["state"] == "pending"


def test_look_alikes_share_a_number(client, shop, crawled):
    listings = crawled("honey").listings
    Listing.objects.filter(id__in=[listings[1].id, listings[4].id]).update(phash="f" * 16)
    Listing.objects.exclude(id__in=[listings[1].id, listings[4].id]).update(phash="")
    found = client.get(URL, {"keyword": "honey"}).json()["listings"]
    assert [one["look_alikes"] for one in found] == [1 if n in (1, 4) else None for n in range(20)]


class TestHistory:
    URL = "/api/goodslist/crawls"

    def test_it_works(self, client, shop, crawled, behave):
        crawled("honey", requested_by="annotator")
        behave(fail_next=1, status=403)
        crawled("tea", requested_by="annotator")
        history = client.get(self.URL).json()
        assert (history["page"], history["has_next"]) == (1, False)
        assert [(one["keyword"], one["state"]) for one in history["crawls"]] == [("tea", "failed"), ("honey", "done")]
        assert (history["crawls"][0]["error_kind"], history["crawls"][1]["requests"]) == ("fetch", 21)
        assert [one["keyword"] for one in client.get(self.URL, {"state": "done"}).json()["crawls"]] == ["honey"]
        assert client.get(self.URL, {"keyword": "nothing"}).json()["crawls"] == []

    def test_people_see_their_own_and_operators_all(self, client, sign_in, shop, crawled):
        crawled("honey", requested_by="somebody else")
        assert client.get(self.URL).json()["crawls"] == []
        assert len(sign_in("operator").get(self.URL).json()["crawls"]) == 1

    def test_it_pages(self, client, source, monkeypatch):
        monkeypatch.setattr("crawler.api.HISTORY_PAGE", 2)
        for keyword in ("a", "b", "c"):
            search(keyword=keyword, requested_by="annotator")
        first, second = client.get(self.URL).json(), client.get(self.URL, {"page": "2"}).json()
        assert ([one["keyword"] for one in first["crawls"]], first["has_next"]) == (["c", "b"], True)
        assert ([one["keyword"] for one in second["crawls"]], second["has_next"]) == (["a"], False)

    @pytest.mark.parametrize("query", [{"page": "0"}, {"state": "lost"}, {"keyword": "x" * 201}])
    def test_bad_input_is_a_problem_document(self, client, query):
        response = client.get(self.URL, query)
        assert response.status_code == 400
        assert set(response.json()["errors"]) == set(query)

    def test_it_only_allows_get(self, client):
        assert client.post(self.URL).status_code == 405


def test_too_many_requests_are_refused_with_a_problem_document(client, source, monkeypatch):
    monkeypatch.setattr("mmproject.throttling.UserRate.THROTTLE_RATES", {"user": "2/min"})
    counted = f"throttle_user_{client.session['_auth_user_id']}"
    cache.delete(counted)
    codes = [client.get(URL, {"keyword": "honey"}).status_code for _ in range(3)]
    assert codes == [202, 202, 429]
    refused = client.get(URL, {"keyword": "honey"})
    assert refused["Content-Type"] == "application/problem+json"
    assert int(refused["Retry-After"]) > 0
    cache.delete(counted)


def test_without_redis_the_api_answers(client, shop, crawled, settings):
    crawled("honey")
    nowhere = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere, "sessions": settings.CACHES["sessions"] | {"LOCATION": nowhere["LOCATION"]}}
    assert client.get(URL, {"keyword": "honey"}).status_code == 200
