import pytest
from rest_framework.authtoken.models import Token

from crawler.models import Crawl
from crawler.services import crawl_run
from tests.shop import HOSTILE_TITLE

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
    ],
)
def test_bad_input_is_a_problem_document(client, query, field):
    response = client.get(URL, query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert field in response.json()["errors"]
    assert not Crawl.objects.exists()


@pytest.mark.parametrize("url", [URL, "/api/goodslist/crawls/x"])
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
