"""Whom a fetcher asks, and what it tells them: hosts, headers, what is posted."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crawler.errors import FetchError, ForbiddenAddressError
from crawler.fetching import Fetcher

SESSION = {"Cookie": "session=s3cr3t", "X-Api-Key": "k"}


class Host(ThreadingHTTPServer):
    """Keeps what it was sent, and redirects to wherever the path says: `/to/http://…`."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), _Request)

    def at(self, name: str = "127.0.0.1") -> str:
        return f"{name}:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        _, to, target = self.path.partition("/to/")
        status = self.server.answers.pop(0) if self.server.answers else 302 if to else 200
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", target)
        self.send_header("Set-Cookie", "visitor=1; Path=/")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def hosts():
    """Two of them; the second plays the stranger."""
    with Host() as home, Host() as other:
        for server in (home, other):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield home, other
        home.shutdown()
        other.shutdown()


@contextmanager
def fetcher_for(servers, **options):
    names = [server.at(name) for server in servers for name in ("127.0.0.1", "localhost")]
    with Fetcher(**{"rate": "5000/second", "private_hosts": names, **options}) as fetcher:
        yield fetcher


def get(fetcher, url, **options):
    return fetcher.get(url, **{"accept": ("text/html",), "max_bytes": 1000, "total_seconds": 10, **options})


def sent(server: Host) -> list[dict[str, str]]:
    return [{name: headers[name] for name in SESSION if name in headers} for _, _, headers, _ in server.seen]


def test_the_headers_go_to_the_host_of_the_source(hosts):
    home, _ = hosts
    with fetcher_for(hosts, home=home.at(), headers=SESSION) as fetcher:
        get(fetcher, f"http://{home.at()}/to/http://{home.at()}/x")
    assert sent(home) == [SESSION, SESSION]


def test_and_over_a_redirect_to_nobody_else(hosts):
    home, other = hosts
    with fetcher_for(hosts, home=home.at(), headers=SESSION) as fetcher:
        get(fetcher, f"http://{home.at()}/to/http://{other.at()}/to/http://{home.at()}/x")
    assert sent(home) == [SESSION, SESSION]
    assert sent(other) == [{}]


@pytest.mark.parametrize("same_port", [True, False])
def test_another_name_or_port_is_another_host(hosts, same_port):
    """A session is not told to whoever listens beside the shop, or has its address by another name."""
    home, other = hosts
    stranger = home.at("localhost") if same_port else other.at()
    with fetcher_for(hosts, home=home.at(), headers=SESSION) as fetcher:
        get(fetcher, f"http://{stranger}/")
    assert sent(home if same_port else other) == [{}]


def test_a_cookie_that_a_host_sets_is_not_kept_for_others(hosts):
    home, other = hosts
    with fetcher_for(hosts) as fetcher:
        for _ in range(2):
            get(fetcher, f"http://{home.at()}/")
        get(fetcher, f"http://{other.at()}/")
    assert sent(home) == [{}, {"Cookie": "visitor=1"}]
    assert sent(other) == [{}]


@pytest.mark.parametrize("name", ["Host", "host"])
def test_the_headers_cannot_change_whom_it_asks(hosts, name):
    home, _ = hosts
    with fetcher_for(hosts, home=home.at(), headers={name: "evil.example"}) as fetcher:
        get(fetcher, f"http://{home.at()}/")
    assert home.seen[0][2]["Host"] == home.at()


@pytest.mark.parametrize(
    ("allowed", "host", "asked"),
    [
        ([], "shop.example", True),
        (["shop.example"], "shop.example", True),
        (["SHOP.example"], "Shop.Example", True),
        (["shop.example"], "www.shop.example", False),
        (["*.shop.example"], "www.shop.example", True),
        (["*.shop.example"], "a.b.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "evilshop.example", False),
        (["*.shop.example"], "shop.example.evil.example", False),
        (["shop.example", "*.shop.example"], "shop.example", True),
        (["*"], "shop.example", False),
    ],
)
def test_a_star_stands_for_every_name_under_a_host(allowed, host, asked, monkeypatch):
    looked_up = []

    def look_up(name, *args, **kwargs):
        looked_up.append(name)
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    with Fetcher(hosts=allowed) as fetcher, pytest.raises(FetchError) as error:
        get(fetcher, f"http://{host}/")
    assert isinstance(error.value, ForbiddenAddressError) == (not asked)
    assert looked_up == ([host.lower()] if asked else [])


def test_a_redirect_leads_to_no_host_that_is_not_allowed(hosts):
    home, other = hosts
    told = pytest.raises(ForbiddenAddressError, match=r"localhost:\d+ is not a host of this source")
    with fetcher_for(hosts, hosts=["127.0.0.1"]) as fetcher, told:
        get(fetcher, f"http://{home.at()}/to/http://{other.at('localhost')}/")
    assert other.seen == []


def test_what_is_posted_arrives_as_json(hosts):
    home, _ = hosts
    with fetcher_for(hosts, home=home.at(), headers=SESSION) as fetcher:
        get(fetcher, f"http://{home.at()}/search", json={"q": "绿茶", "page": 2})
    ((method, path, headers, body),) = home.seen
    assert (method, path, headers["Content-Type"]) == ("POST", "/search", "application/json")
    assert json.loads(body) == {"q": "绿茶", "page": 2}


@pytest.mark.parametrize("body", [{}, [], "", 0, False])
def test_an_empty_body_is_posted_as_well(hosts, body):
    home, _ = hosts
    with fetcher_for(hosts) as fetcher:
        get(fetcher, f"http://{home.at()}/", json=body)
    assert home.seen[0][0] == "POST"
    assert json.loads(home.seen[0][3]) == body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_was_posted_is_not_sent_on_after_a_redirect(hosts, status):
    home, other = hosts
    home.answers = [status]
    with fetcher_for(hosts) as fetcher, pytest.raises(FetchError, match=r"127\.0\.0\.1 redirects what was posted"):
        get(fetcher, f"http://{home.at()}/to/http://{other.at()}/", json={"q": "x"})
    assert (len(home.seen), other.seen) == (1, [])


def test_every_request_is_counted(hosts):
    """Redirects, retries and robots.txt included: it is what the shop sees of us."""
    home, other = hosts
    home.answers = [200, 503, 503, 302, 200]
    with fetcher_for(hosts, robots=True) as fetcher:
        get(fetcher, f"http://{home.at()}/to/http://{other.at()}/")
        assert fetcher.requests == len(home.seen) + len(other.seen) == 6
        assert [path for _, path, _, _ in other.seen] == ["/robots.txt", "/"]
