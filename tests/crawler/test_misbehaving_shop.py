"""A shop that does everything wrong, through the whole search: no cached data is lost, no worker hangs, no disk fills.

Each test crawls a page while all is well, then once more while the shop misbehaves.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from crawler import addresses, fetching, raw_pages
from crawler.demo_shop.misconduct import bomb
from crawler.demo_shop.server import running_shop
from crawler.fetching import MAX_TRIES
from crawler.models import ErrorKind, ImageState, Source
from tests.crawler.conftest import good_of
from tests.crawler.unharmed import failed

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        pytest.param({"failure": "hang"}, "took too long to answer", id="timeout"),
        pytest.param({"failure": "drip"}, "took too long to answer", id="a byte at a time"),
        pytest.param({"failure": "reset"}, "broke off the connection", id="reset before the answer"),
        pytest.param({"failure": "cut"}, "broke off the connection", id="reset in the middle of the body"),
        pytest.param({"status": 429, "retry_after": "3600"}, "asks for fewer requests (429)", id="429 for an hour"),
        pytest.param({"status": 429}, "asks for fewer requests (429)", id="429"),
        pytest.param({"status": 500}, "500 Internal Server Error", id="500"),
        pytest.param({"status": 502}, "502 Bad Gateway", id="502"),
        pytest.param({"status": 503}, "503 Service Unavailable", id="503"),
        pytest.param({"status": 504}, "504 Gateway Timeout", id="504"),
        pytest.param({"status": 403}, "403 Forbidden", id="403"),
    ],
)
def test_a_shop_that_does_not_answer_is_given_up(before, hurried, again, behave, how, told):
    behave(fail_next=1000, applies_to="search", **how)
    failed(again(), ErrorKind.FETCH, told)
    before.is_served_unchanged()
    assert before.new_files() == set()


def test_a_shop_that_hangs_is_given_up_at_the_deadline_though_each_read_might_wait_longer(
    before, again, behave, monkeypatch, requests_seen
):
    monkeypatch.setattr(fetching, "READ_SECONDS", 60.0)
    behave(fail_next=1000, failure="hang", applies_to="search")
    seen = requests_seen("search")
    failed(again(), ErrorKind.FETCH, "took too long to answer")
    assert requests_seen("search") == seen + 1
    before.is_served_unchanged()


@pytest.mark.parametrize(
    "how",
    [
        {"failure": "hang"},
        {"failure": "reset"},
        {"failure": "cut"},
        {"status": 429, "retry_after": "1"},
        {"status": 503},
    ],
    ids=lambda how: how.get("failure") or str(how["status"]),
)
def test_a_shop_that_stumbles_is_asked_again_within_the_crawl(before, hurried, again, behave, requests_seen, how):
    behave(fail_next=1, applies_to="search", **how)
    seen = requests_seen("search")
    began = time.monotonic()
    result = again()
    assert (result.state, result.error, len(result.listings)) == ("ready", "", 20)
    assert requests_seen("search") == seen + 2
    assert result.search_page.fetched_at > before.result.search_page.fetched_at
    assert "retry_after" not in how or time.monotonic() - began >= 1
    assert before.new_files() == set()


def test_a_burst_of_errors_is_outlived(before, again, behave, requests_seen):
    behave(fail_next=MAX_TRIES - 1, status=502, applies_to="search")
    seen = requests_seen("search")
    assert again().state == "ready"
    assert requests_seen("search") == seen + MAX_TRIES


@pytest.mark.parametrize(
    ("how", "kind", "told"),
    [
        pytest.param({"search": "endless"}, ErrorKind.FETCH, "more than 4096 kilobytes", id="endless body"),
        pytest.param({"search": "binary"}, ErrorKind.FETCH, "sent “application/pdf” instead of", id="wrong type"),
        *(
            pytest.param({"redirect_to": target}, ErrorKind.FORBIDDEN, told, id=target)
            for target, told in (
                ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, which is not a public address"),
                ("http://localhost:1/", "which is not a public address"),
                ("//10.0.0.1/", "10.0.0.1, which is not a public address"),
                ("http://[::1]/", "::1, which is not a public address"),
                ("file:///etc/passwd", "is not a web address"),
            )
        ),
    ],
)
def test_what_is_no_page_is_not_taken(before, again, behave, how, kind, told):
    behave(**how)
    failed(again(), kind, told)
    before.is_served_unchanged()
    assert before.new_files() == set()


def test_a_page_that_changed_shape_is_told_and_kept_for_the_operator(before, again, behave):
    behave(search="no-cards")
    result = again()
    assert (result.state, result.crawl.error_kind) == ("failed", ErrorKind.LAYOUT)
    assert result.error == "The page no longer matches: “ol.results” (results) found nothing."
    with raw_pages.opened(result.crawl.raw_page) as page:
        assert b"Are you human?" in page.read()
    assert before.new_files() == {result.crawl.raw_page}
    before.is_served_unchanged()


def test_it_is_kept_once_for_each_crawl_whatever_it_holds(before, again, behave, monkeypatch):
    """And when it cannot be kept, the outcome is the same."""
    behave(search="no-cards")
    again()
    again()
    assert len(before.new_files()) == 2

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(raw_pages.default_storage, "save", full)
    result = again()
    failed(result, ErrorKind.LAYOUT, "no longer matches")
    assert result.crawl.raw_page == ""
    assert len(before.new_files()) == 2
    before.is_served_unchanged()


@pytest.mark.parametrize("mode", ["gbk", "gbk-undeclared"])
def test_a_page_in_gbk_is_read(before, again, behave, goods, mode):
    behave(search=mode)
    result = again("橙汁 果汁")
    assert (result.state, len(result.listings)) == ("ready", 20)
    for one in result.listings:
        good = good_of(goods, one.item_id)
        assert (one.title, one.shop_name, one.price) == (good.title, good.shop.name, good.price)
    before.is_served_unchanged()


def test_a_page_with_bytes_that_are_no_text_is_read_as_far_as_it_can_be(before, again, behave, goods):
    behave(search="invalid-utf8")
    result = again("橙汁 果汁")
    assert (result.state, len(result.listings)) == ("ready", 20)
    for one in result.listings:
        assert one.title == f"\ufffd\ufffd{good_of(goods, one.item_id).title}"
    before.is_served_unchanged()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        pytest.param({"pictures": "missing"}, "404", id="missing"),
        pytest.param({"pictures": "truncated"}, "The picture is damaged.", id="truncated"),
        pytest.param({"pictures": "bomb"}, "more than 25 megapixels", id="bomb"),
        pytest.param({"pictures": "html"}, "not a JPEG, PNG or WebP", id="markup under the name of a picture"),
        pytest.param({"pictures": "endless"}, "more than 8192 kilobytes", id="endless"),
        pytest.param({"fail_next": 1000, "failure": "hang"}, "took too long", id="timeout"),
        pytest.param({"fail_next": 1000, "failure": "drip"}, "instead of image/jpeg", id="a byte at a time"),
        pytest.param({"fail_next": 1000, "failure": "reset"}, "broke off", id="reset"),
        pytest.param({"fail_next": 1000, "status": 503}, "503", id="503"),
        pytest.param({"fail_next": 1000, "status": 429, "retry_after": "60"}, "fewer requests", id="429"),
    ],
)
def test_a_listing_whose_picture_fails_is_still_listed_with_the_reason(before, hurried, again, behave, how, told):
    bomb()  # takes a while the first time
    behave(applies_to="pictures", **how)
    result = again("hostile")
    assert result.state == "ready"
    (one,) = result.listings
    assert (one.image_state, one.image_sha256) == (ImageState.FAILED, "")
    assert told in one.image_error
    assert before.new_files() == set()
    before.is_served_unchanged()
    behave()
    assert again("hostile").listings[0].image_state == ImageState.DONE


def test_of_many_pictures_only_some_fail(before, again, behave):
    behave(fail_next=3, status=404, applies_to="pictures")
    result = again("juice")
    states = [one.image_state for one in result.listings]
    assert (len(states), states.count(ImageState.FAILED)) == (20, 3)


@contextlib.contextmanager
def resolver(monkeypatch, answers: Iterator[str]) -> Iterator[list[str]]:
    """`shop.test` has another address each time it is asked for; yields what was answered."""
    real, given = socket.getaddrinfo, []

    def answer(host, port, *args, **kwargs):
        if host != "shop.test":
            return real(host, port, *args, **kwargs)
        given.append(next(answers))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (given[-1], port))]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        # The shop is on this machine: it plays a public one, at the first of two addresses.
        patch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")
        yield given


def test_a_host_that_resolves_differently_the_second_time_reaches_nothing_of_ours(
    before, again, shop, goods, source, monkeypatch
):
    """The address that was checked is the one connected to; a name that leads into our network later is refused."""
    port = urlsplit(shop.address).port
    Source.objects.filter(id=source.id).update(base_url=f"http://shop.test:{port}")
    with running_shop(goods, host="127.0.0.2", port=port) as internal:
        with resolver(monkeypatch, iter(["127.0.0.1", "127.0.0.2"])) as given:
            rebound = again("hostile")
        # One look for the page and one for its picture: each request is resolved once, and the second was refused.
        assert given == ["127.0.0.1", "127.0.0.2"]
        assert rebound.state == "ready"
        assert "127.0.0.2, which is not a public address" in rebound.listings[0].image_error
        with resolver(monkeypatch, iter(["127.0.0.2"])):
            failed(again(), ErrorKind.FORBIDDEN, "127.0.0.2, which is not a public address")
        assert internal.conduct.stats()["requests"] == {}
    before.is_served_unchanged()
    assert before.new_files() == set()
