"""The demo shop misbehaves when it is told to, and is a crawl platform beside."""

import json
import re
import time

import httpx2
import pytest

from tests.crawler.test_demo_shop import get


def behave(shop, data):
    return httpx2.post(f"{shop.address}/_behave", content=data, trust_env=False)


def test_it_is_slow_fails_and_refuses_when_told_to(shop):
    assert behave(shop, '{"fail_next": 1, "status": 500, "delay_s": 0.3}').status_code == 200
    began = time.monotonic()
    assert get(shop, "/search?q=juice").status_code == 500
    assert time.monotonic() - began >= 0.3
    assert behave(shop, '{"rate_limit_per_s": 2, "retry_after": "7"}').status_code == 200
    answers = [get(shop, "/search?q=juice") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "7"
    assert behave(shop, "{}").status_code == 200
    assert get(shop, "/search?q=juice").status_code == 200
    stats = get(shop, "/_stats").json()
    assert stats["requests"] == {"search": 5, "refused_500": 1, "refused_429": 1}


@pytest.mark.parametrize(
    ("failure", "told", "timeout"),
    [
        ("hang", "ReadTimeout", 0.2),
        ("reset", "ReadError", 5),
        ("cut", "ReadError", 5),
        ("drip", "ReadTimeout", 0.05),
    ],
)
def test_it_breaks_off_or_says_nothing_when_told_to(shop, failure, told, timeout):
    behave(shop, json.dumps({"fail_next": 1, "failure": failure}))
    with pytest.raises(httpx2.TransportError) as error:
        get(shop, "/search?q=juice", timeout=timeout)
    assert type(error.value).__name__ == told
    assert get(shop, "/search?q=juice").status_code == 200
    assert get(shop, "/_stats").json()["requests"] == {"search": 2, f"refused_{failure}": 1}


@pytest.mark.parametrize(("mode", "charset"), [("gbk", "gbk"), ("gbk-undeclared", None)])
def test_it_speaks_gbk_when_told_to(shop, mode, charset):
    behave(shop, json.dumps({"search": mode}))
    page = get(shop, "/search?q=橙汁")
    assert page.charset_encoding == charset
    assert "橙汁" in page.content.decode("gb18030")
    assert b"utf-8" not in page.content


def test_its_pages_hold_bytes_that_are_no_utf_8_when_told_to(shop):
    behave(shop, '{"search": "invalid-utf8"}')
    with pytest.raises(UnicodeDecodeError):
        get(shop, "/search?q=橙汁").content.decode()


def test_it_has_no_robots_txt_unless_told_to(shop):
    assert get(shop, "/robots.txt").status_code == 404
    behave(shop, '{"robots": "User-agent: *\\nDisallow: /search\\n"}')
    robots = get(shop, "/robots.txt")
    assert (robots.text, robots.headers["Content-Type"]) == (
        "User-agent: *\nDisallow: /search\n",
        "text/plain; charset=utf-8",
    )
    assert get(shop, "/_stats").json()["requests"] == {"robots": 2}


def post(shop, data):
    return httpx2.post(f"{shop.address}/api/search", content=data, trust_env=False)


def test_it_answers_as_a_crawl_platform_does(shop, goods):
    by_get = get(shop, "/api/search?q=橙汁&page=2&size=5")
    by_post = post(shop, json.dumps({"keyword": "橙汁", "page": 2, "size": 5}))
    assert by_get.json() == by_post.json()
    assert by_get.headers["Content-Type"] == "application/json"
    data = by_get.json()["data"]
    first = data["items"][0]
    good = next(good for good in goods.goods if good.item_id == str(first["id"]))
    assert (len(data["items"]), data["page"], data["more"], data["total"]) == (5, 2, True, 60)
    assert (first["title"], first["price"], first["currency"]) == (good.title, f"{good.price:.2f}", good.currency)
    assert first["images"] == [f"//{shop.address.removeprefix('http://')}/pictures/{good.item_id}.jpg"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("[]", "JSON object"),
        ("{", "Expecting"),
        ("{}", "keyword should be a text"),
        ('{"keyword": 1}', "keyword should be a text"),
        ('{"keyword": "x", "page": 0}', "page=0"),
        ('{"keyword": "x", "page": "1"}', "page='1'"),
        ('{"keyword": "x", "size": 1000}', "size=1000"),
    ],
)
def test_a_wrong_query_is_refused(shop, data, told):
    answer = post(shop, data)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert told in answer.json()["message"]
    assert get(shop, "/api/search?q=x&page=none").status_code == 400


@pytest.mark.parametrize(
    ("mode", "status", "content_type", "text"),
    [
        ("error", 200, "application/json", "quota"),
        ("not-json", 200, "application/json", "callback("),
        ("html", 200, "text/html; charset=utf-8", "Sign in"),
        ("other-shape", 200, "application/json", "result"),
    ],
)
def test_it_is_a_platform_that_fails_when_told_to(shop, mode, status, content_type, text):
    behave(shop, json.dumps({"api": mode}))
    answer = get(shop, "/api/search?q=x")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
    assert text in answer.text


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("[]", "JSON object"),
        ("{", "delimiter|property name|Expecting"),
        ('{"speed": 1}', "speed is unknown"),
        ('{"delay_s": "1"}', "delay_s='1'"),
        ('{"fail_next": true}', "fail_next=True"),
        ('{"pictures": "ugly"}', "pictures='ugly' is unknown"),
        ('{"failure": "fire"}', "failure='fire' is unknown"),
        ('{"robots": 1}', "robots=1"),
    ],
)
def test_a_wrong_behaviour_is_refused(shop, data, told):
    answer = behave(shop, data)
    assert answer.status_code == 400
    assert re.search(told, answer.json()["error"])
