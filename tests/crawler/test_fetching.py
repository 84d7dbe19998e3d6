import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from crawler import connections, fetching, rates
from crawler.errors import FetchError, ForbiddenAddressError
from crawler.fetching import Fetcher

HTML = ("text/html",)


@contextmanager
def fetcher_for(shop, **options):
    with Fetcher(**{"rate": "5000/second", "private_hosts": [urlsplit(shop.address).netloc], **options}) as fetcher:
        yield fetcher


def get(fetcher, url, **options):
    return fetcher.get(url, **{"accept": HTML, "max_bytes": 500_000, "total_seconds": 10, **options})


def test_it_works(shop):
    with fetcher_for(shop) as fetcher:
        fetched = get(fetcher, f"{shop.address}/search?q=juice")
    assert fetched.content_type == "text/html"
    assert "Marovela" in fetched.text()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_passing_failures_are_tried_again(shop, behave, requests_seen, status):
    behave(fail_next=2, status=status)
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").body
    assert requests_seen("search") == 3


def test_it_gives_up_after_some_tries_and_says_what_the_answer_was(shop, behave, requests_seen):
    behave(fail_next=100, status=503)
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="503 Service Unavailable"):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert requests_seen("search") == fetching.MAX_TRIES


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_lasting_failures_are_not_tried_again(shop, behave, requests_seen, status):
    behave(fail_next=100, status=status)
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match=str(status)):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert requests_seen("search") == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_it_waits_as_long_as_retry_after_says(shop, behave, form):
    at = datetime.now(UTC) + timedelta(seconds=2)
    behave(fail_next=1, status=429, retry_after="1" if form == "seconds" else format_datetime(at, usegmt=True))
    began = time.monotonic()
    with fetcher_for(shop) as fetcher:
        get(fetcher, f"{shop.address}/search?q=juice")
    assert time.monotonic() - began >= 0.9


def test_it_does_not_wait_beyond_its_own_deadline(shop, behave, requests_seen):
    behave(fail_next=1, status=429, retry_after="3600")
    began = time.monotonic()
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="fewer requests"):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert time.monotonic() - began < 2
    assert requests_seen("search") == 1


def test_an_endless_body_is_cut_off(shop, behave):
    behave(search="endless")
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="more than 488 kilobytes"):
        get(fetcher, f"{shop.address}/search?q=juice")


def test_a_wrong_content_type_is_refused(shop, behave):
    behave(search="binary")
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="“application/pdf” instead of text/html"):
        get(fetcher, f"{shop.address}/search?q=juice")


def test_a_slow_answer_is_given_up_at_the_deadline(shop, behave):
    behave(delay_s=3)
    began = time.monotonic()
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="too long"):
        get(fetcher, f"{shop.address}/search?q=juice", total_seconds=0.5)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_dripping_server_is_given_up_at_the_deadline(part):
    """A byte every tenth of a second: no single read is slow, and it would go on for ever."""
    start = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + (b"\r\n" if part == "body" else b"X-Drip: ")
    stop = threading.Event()

    def drip(listener):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(start)
            while not stop.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        where = f"127.0.0.1:{listener.getsockname()[1]}"
        began = time.monotonic()
        with Fetcher(private_hosts=[where]) as fetcher, pytest.raises(FetchError, match="too long"):
            get(fetcher, f"http://{where}/", total_seconds=1)
        took = time.monotonic() - began
        stop.set()
    assert took < 3


def test_a_redirect_within_the_shop_is_followed(shop, behave):
    behave(redirect_to="/")
    with fetcher_for(shop) as fetcher:
        assert get(fetcher, f"{shop.address}/search?q=juice").url == f"{shop.address}/"


def test_redirects_in_circles_end(shop, behave, requests_seen):
    behave(redirect_to="/search?q=again")
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError, match="in circles"):
        get(fetcher, f"{shop.address}/search?q=juice")
    assert requests_seen("search") == fetching.MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:80/",
        "http://localhost/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://2130706433/",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(shop, behave, target):
    behave(redirect_to=target)
    with fetcher_for(shop) as fetcher, pytest.raises(ForbiddenAddressError):
        get(fetcher, f"{shop.address}/search?q=juice")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "", "http://", "http://[bad", "ftp://x/"])
def test_only_web_addresses_are_fetched(shop, url):
    with fetcher_for(shop) as fetcher, pytest.raises(FetchError):
        get(fetcher, url)


def test_only_the_hosts_of_the_source_are_asked(shop):
    with fetcher_for(shop, hosts=["shop.example"]) as fetcher, pytest.raises(ForbiddenAddressError, match="not a host"):
        get(fetcher, f"{shop.address}/search?q=juice")


def test_a_name_is_resolved_once_so_that_it_cannot_be_rebound(shop, monkeypatch):
    """The first answer is the one connected to; a second one, which leads elsewhere, is never asked for."""
    port, asked, real = urlsplit(shop.address).port, [], socket.getaddrinfo

    def rebinding(host, *args, **kwargs):
        if host != "shop.test":
            return real(host, *args, **kwargs)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with fetcher_for(shop, private_hosts=[f"shop.test:{port}"]) as fetcher:
        fetched = get(fetcher, f"http://shop.test:{port}/search?q=juice")
    assert asked == ["shop.test"]
    # The shop writes the Host header into its links: it stayed the name, though the connection went to the address.
    assert f"http://shop.test:{port}/items/" in fetched.text()


def test_the_next_address_is_tried_when_the_first_cannot_be_connected_to(shop, monkeypatch):
    port, real = urlsplit(shop.address).port, socket.getaddrinfo

    def two(host, *args, **kwargs):
        if host != "shop.test":
            return real(host, *args, **kwargs)
        both = ("127.0.0.9", "127.0.0.1")  # nothing listens on the first
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in both]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with fetcher_for(shop, private_hosts=[f"shop.test:{port}"]) as fetcher:
        assert get(fetcher, f"http://shop.test:{port}/search?q=juice").body


@pytest.mark.parametrize("trusted", [True, False])
def test_over_tls_the_certificate_must_be_that_of_the_name(tmp_path, monkeypatch, trusted):
    """The connection goes to an address, but SNI and the check of the certificate keep to the name."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.test"]
    make += ["-addext", "subjectAltName=DNS:shop.test", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    names = []

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

        def log_message(self, *args):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with Quiet(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port, real = server.server_address[1], socket.getaddrinfo
        here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *a, **k: here if host == "shop.test" else real(host, *a, **k)
        )
        if trusted:
            trusting = ssl.create_default_context(cafile=str(certificate))
            monkeypatch.setattr(connections, "_ssl_context", lambda: trusting)
        with Fetcher(private_hosts=[f"shop.test:{port}"]) as fetcher:
            if trusted:
                assert get(fetcher, f"https://shop.test:{port}/").text() == f"shop.test:{port}"
            else:
                with pytest.raises(FetchError, match="cannot be reached"):
                    get(fetcher, f"https://shop.test:{port}/")
        server.shutdown()
    assert set(names) == {"shop.test"}


def test_it_says_who_it_is_and_asks_for_no_compression(settings):
    seen = {}

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.update(self.headers)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"127.0.0.1:{server.server_address[1]}"
        with Fetcher(private_hosts=[where]) as fetcher, pytest.raises(FetchError, match="compressed"):
            get(fetcher, f"http://{where}/")
        server.shutdown()
    assert seen["User-Agent"] == settings.CRAWLER_USER_AGENT
    assert seen["Accept-Encoding"] == "identity"


def test_a_closed_port_is_told(shop):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{unused.getsockname()[1]}"
        with Fetcher(private_hosts=[where]) as fetcher, pytest.raises(FetchError, match="cannot be reached"):
            get(fetcher, f"http://{where}/")


def test_the_rate_is_shared_by_all_fetchers(shop, requests_seen):
    """Two fetchers, as in two workers: together they ask no more often than one may."""

    def ask_five():
        with fetcher_for(shop, rate="4/second") as fetcher:
            for _ in range(5):
                get(fetcher, f"{shop.address}/search?q=juice")

    began = time.monotonic()
    threads = [threading.Thread(target=ask_five) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert requests_seen("search") == 10
    assert time.monotonic() - began > 1.5  # 4 at once, 4 after one second, 2 after two


def test_a_turn_that_does_not_come_in_time_is_told():
    rates.wait_for_turn("busy.example", rate="1/hour", deadline=time.monotonic() + 1)
    with pytest.raises(FetchError, match=r"busy\.example is asked too often"):
        rates.wait_for_turn("busy.example", rate="1/hour", deadline=time.monotonic() + 0.1)
