"""robots.txt (RFC 9309): what a host does not want fetched is not fetched, and it is asked as slowly as it wants."""

import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError

from crawler import robots
from crawler.errors import FetchError, RobotsError
from crawler.fetching import MAX_TRIES, Fetcher
from crawler.models import ErrorKind, ImageState
from crawler.robots import HostRules
from crawler.services import search
from mmproject.queue import impatient_redis

NOTHING = "User-agent: *\nDisallow: /\n"


@pytest.fixture(autouse=True)
def forget(shop):
    """`forget()`: the robots.txt that was read is read anew; so does every test begin and end."""

    def delete():
        port = urlsplit(shop.address).port
        cache.delete_many([f"robots:http://{host}:{port}" for host in ("127.0.0.1", "localhost")])

    delete()
    yield delete
    delete()


@contextmanager
def fetcher_for(shop, **options):
    where = urlsplit(shop.address).netloc
    with Fetcher(**{"rate": "5000/second", "private_hosts": [where], "robots": True, **options}) as fetcher:
        yield fetcher


def get(fetcher, url, **options):
    return fetcher.get(url, **{"accept": ("text/html",), "max_bytes": 500_000, "total_seconds": 10, **options})


def asked(shop) -> dict[str, int]:
    return {name: count for name, count in shop.conduct.stats()["requests"].items() if not name.startswith("refused")}


def test_what_is_allowed_is_fetched(shop, behave):
    behave(robots="User-agent: *\nDisallow: /search?q=honey\nAllow: /\n")
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body
        with pytest.raises(RobotsError):
            get(fetcher, f"{shop.address}/search?q=honey")
    assert asked(shop) == {"robots": 1, "search": 1}


def test_what_is_disallowed_is_not_even_asked_for(shop, behave):
    behave(robots=NOTHING)
    with fetcher_for(shop) as fetcher:
        with pytest.raises(RobotsError, match=r"127\.0\.0\.1 does not want this fetched \(robots\.txt\)"):
            get(fetcher, f"{shop.address}/search?q=juice")
        assert fetcher.requests == 1
    assert asked(shop) == {"robots": 1}


def test_a_host_without_one_allows_everything(shop):
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body
    assert asked(shop) == {"robots": 1, "search": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_any_other_4xx_is_none_as_well(shop, behave, status):
    """RFC 9309 section 2.3.1.3: "unavailable" means that everything may be fetched."""
    behave(fail_next=1, status=status, applies_to="robots")
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body


@pytest.mark.parametrize(
    ("how", "told", "tries"),
    [
        ({"status": 503}, "503", MAX_TRIES),
        ({"status": 500}, "500", MAX_TRIES),
        ({"status": 429}, "fewer requests", MAX_TRIES),
        ({"status": 501}, "501", 1),
        ({"failure": "reset"}, "broke off", MAX_TRIES),
        ({"failure": "cut"}, "broke off", MAX_TRIES),
    ],
)
def test_while_it_cannot_be_read_nothing_may_be_fetched(shop, behave, how, told, tries):
    """RFC 9309 section 2.3.1.4: "unreachable" means that nothing may."""
    behave(fail_next=100, applies_to="robots", **how)
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match=told) as error:
        get(fetcher, f"{shop.address}/search?q=juice")
    assert not isinstance(error.value, RobotsError)
    assert asked(shop) == {"robots": tries}


def test_one_that_stumbles_is_asked_for_again(shop, behave):
    behave(fail_next=1, status=503, applies_to="robots", robots=NOTHING)
    with fetcher_for(shop) as fetcher, pytest.raises(RobotsError):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert asked(shop) == {"robots": 2}


def test_a_failure_is_not_remembered(shop, behave):
    behave(fail_next=MAX_TRIES, status=503, applies_to="robots")
    with fetcher_for(shop) as fetcher:
        with pytest.raises(FetchError, match="503"):
            get(fetcher, f"{shop.address}/search?q=juice")
        assert get(fetcher, f"{shop.address}/search?q=juice").body


def test_it_is_kept_for_an_hour_and_shared_by_all_workers(shop, behave):
    behave(robots="User-agent: *\nAllow: /\n")
    for _ in range(2):
        with fetcher_for(shop) as fetcher:
            get(fetcher, f"{shop.address}/search?q=juice")
            get(fetcher, f"{shop.address}/search?q=honey")
    assert asked(shop) == {"robots": 1, "search": 4}
    assert 3500 < impatient_redis().ttl(cache.make_key(f"robots:{shop.address}")) <= 3600


def test_without_redis_it_is_asked_for_each_time(shop, behave, monkeypatch):
    def away(*args, **kwargs):
        raise RedisError("away")

    behave(robots=NOTHING)
    monkeypatch.setattr(robots.cache, "get", away)
    monkeypatch.setattr(robots.cache, "set", away)
    for _ in range(2):
        with fetcher_for(shop) as fetcher, pytest.raises(RobotsError):
            get(fetcher, f"{shop.address}/search?q=juice")
    assert asked(shop) == {"robots": 2}


def test_switched_off_nothing_is_asked(shop, behave):
    behave(robots=NOTHING)
    with fetcher_for(shop, robots=False) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body
    assert asked(shop) == {"search": 1}


@pytest.mark.parametrize(
    ("agent", "allowed"),
    [("mmproject-crawler", False), ("MMPROJECT-crawler", False), ("otherbot", True), ("googlebot", True)],
)
def test_the_group_of_our_own_name_counts_more_than_that_of_all(shop, behave, settings, agent, allowed):
    assert settings.CRAWLER_USER_AGENT.startswith("mmproject-crawler/")
    behave(robots=f"User-agent: *\nAllow: /\n\nUser-agent: {agent}\nDisallow: /search\n")
    with fetcher_for(shop) as fetcher:
        if allowed:
            assert get(fetcher, f"{shop.address}/search?q=juice").body
        else:
            with pytest.raises(RobotsError):
                get(fetcher, f"{shop.address}/search?q=juice")


def test_a_redirect_is_looked_up_where_it_leads(shop, behave):
    """Another host has rules of its own; here it is the same shop by another name, which forbids its pages."""
    port = urlsplit(shop.address).port
    behave(redirect_to=f"http://localhost:{port}/items/1", robots="User-agent: *\nDisallow: /items/\n")
    hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
    told = pytest.raises(RobotsError, match="localhost does not want")
    with fetcher_for(shop, private_hosts=hosts) as fetcher, told:
        get(fetcher, f"{shop.address}/search?q=juice")
    assert asked(shop) == {"robots": 2, "search": 1}


def test_a_redirect_within_the_host_is_looked_up_too(shop, behave):
    behave(redirect_to="/items/1", robots="User-agent: *\nDisallow: /items/\n")
    with fetcher_for(shop) as fetcher, pytest.raises(RobotsError):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert asked(shop) == {"robots": 1, "search": 1}


def test_what_is_posted_is_looked_up_too(shop, behave):
    behave(robots="User-agent: *\nDisallow: /api/\n")
    with fetcher_for(shop) as fetcher, pytest.raises(RobotsError):
        get(fetcher, f"{shop.address}/api/search", json={"keyword": "x"})
    assert asked(shop) == {"robots": 1}


def test_a_crawl_delay_slows_down(shop, behave):
    behave(robots="User-agent: *\nCrawl-delay: 1\n")
    began = time.monotonic()
    with fetcher_for(shop) as fetcher:
        for _ in range(3):
            get(fetcher, f"{shop.address}/search?q=juice")
    assert time.monotonic() - began > 2


@pytest.mark.parametrize(
    ("delay", "rate", "slower"),
    [
        ("0", "2/second", "2/second"),
        ("0.1", "20/second", "1/1 second"),
        ("0.1", "10/second", "10/second"),
        ("5", "2/second", "1/5 second"),
        ("2.5", "2/second", "1/3 second"),
        ("5", "1/minute", "1/minute"),
        ("9999", "2/second", "1/60 second"),
        ("nan", "2/second", "2/second"),
        ("inf", "2/second", "2/second"),
        ("-1", "2/second", "2/second"),
        ("soon", "2/second", "2/second"),
    ],
)
def test_the_slower_of_rate_and_crawl_delay_counts(delay, rate, slower):
    text = f"User-agent: *\nCrawl-delay: {delay}\n"
    assert HostRules(host="shop.example", parsed=robots.Protego.parse(text)).slower(rate) == slower


@pytest.mark.parametrize(
    "text", ["\0\xff", "Disallow", "User-agent\n" * 5, "User-agent: *\nDisallow: /%zz[*(\n", "<html>"]
)
def test_whatever_it_holds_is_read(shop, behave, text):
    behave(robots=text)
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body


def test_one_with_many_stars_is_read_in_no_time(shop, behave):
    stars = "*a" * 500
    behave(robots=f"User-agent: *\nDisallow: {stars}b\n")
    began = time.monotonic()
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q={'a' * 1000}").body
    assert time.monotonic() - began < 5


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
class TestCrawl:
    @pytest.fixture(autouse=True)
    def _polite(self, source):
        source.robots = True
        source.save()

    def test_a_search_that_is_disallowed_fails_and_says_so(self, shop, behave, crawled):
        behave(robots=NOTHING)
        result = crawled("honey")
        assert (result.state, result.crawl.error_kind) == ("failed", ErrorKind.ROBOTS)
        assert "does not want this fetched (robots.txt)" in result.error
        assert asked(shop) == {"robots": 1}

    def test_pictures_are_looked_up_as_well(self, shop, behave, crawled):
        behave(robots="User-agent: *\nDisallow: /pictures/\n")
        result = crawled("honey")
        assert (result.state, len(result.listings)) == ("ready", 20)
        assert {one.image_state for one in result.listings} == {ImageState.FAILED}
        assert "robots.txt" in result.listings[0].image_error
        assert asked(shop) == {"robots": 1, "search": 1}

    def test_what_was_crawled_before_stays(self, behave, crawled, forget):
        before = crawled("honey")
        forget()
        behave(robots=NOTHING)
        assert crawled("honey", force_update=True).state == "failed"
        assert search(keyword="honey").search_page.fetched_at == before.search_page.fetched_at
