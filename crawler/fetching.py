"""Fetching from strangers: politely (robots.txt, rate, retries, Retry-After), bounded (time, bytes, hops), publicly."""

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import tenacity
from django.conf import settings
from django.utils.translation import gettext as _

from crawler.addresses import checked_addresses, host_and_port
from crawler.connections import BoundedTransport, deadline_of_thread
from crawler.errors import FetchError, ForbiddenAddressError
from crawler.rates import wait_for_turn
from crawler.responses import Fetched, PassingError, check_status, read_body
from crawler.robots import MAX_BYTES as ROBOTS_BYTES
from crawler.robots import HostRules, host_rules

MAX_TRIES = 4
MAX_REDIRECTS = 5
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}
_backoff = tenacity.wait_random_exponential(multiplier=0.3, max=8)  # full jitter


class Fetcher:
    """Fetches for one source. Safe to share between threads; close it when done.

    `rate` (like "20/second") is per host and shared by all workers. `private_hosts` are the only `host:port` that may
    have a private address. `hosts`, when given, are the only host names that may be asked at all ("*.shop.example" is
    every name under it). `headers` go to the host `home` alone, over redirects as well: they may hold a session.
    With `robots` every address is looked up in its host's robots.txt.
    """

    def __init__(
        self,
        *,
        rate: str = "20/second",
        private_hosts: Collection[str] = (),
        hosts: Collection[str] = (),
        home: str = "",
        headers: Mapping[str, str] | None = None,
        robots: bool = False,
    ) -> None:
        self.requests = 0  # sent so far, redirects, retries and robots.txt included
        self._rate = rate
        self._private_hosts = frozenset(private_hosts)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._home = home.lower()
        self._headers = dict(headers or {})
        self._robots = robots
        self._rules: dict[str, HostRules] = {}
        self._clients: dict[str, httpx2.Client] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def get(
        self, url: str, *, accept: Collection[str], max_bytes: int, total_seconds: float, json: Any = None
    ) -> Fetched:
        """GET `url`, or POST `json` to it, in `total_seconds` at most: the rate, retries, redirects and the body.

        `accept` holds the content types that are taken. What is posted may be posted several times and is not sent on
        after a redirect. Raises FetchError (ForbiddenAddressError for addresses that may not be asked, RobotsError,
        BusyError) with a message for users.
        """
        deadline = time.monotonic() + total_seconds
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingError),
            stop=tenacity.stop_after_attempt(MAX_TRIES) | tenacity.stop_before_delay(total_seconds),
            wait=_pause,
            reraise=True,
        )
        with deadline_of_thread(deadline):
            return retrying(self._follow, url, json, self._robots, accept, max_bytes, deadline)

    def _follow(
        self, url: str, json: Any, robots: bool, accept: Collection[str], max_bytes: int, deadline: float
    ) -> Fetched:
        """Redirects by hand, so that every hop is checked like the first."""
        for _hop in range(MAX_REDIRECTS + 1):
            target = _parsed(url)
            rate = self._asked_rate(target, deadline) if robots else self._rate
            with self._opened(target, json=json, rate=rate, accept=accept, deadline=deadline) as response:
                if response.is_redirect and (location := response.headers.get("Location")):
                    if json is not None:
                        raise FetchError(_("%(host)s redirects what was posted.") % {"host": target.host})
                    url = str(_joined(target, location))
                    continue
                check_status(response, target)
                return read_body(response, target, accept=accept, max_bytes=max_bytes, deadline=deadline)
        raise FetchError(_("%(host)s redirects in circles.") % {"host": target.host})

    def _asked_rate(self, url: httpx2.URL, deadline: float) -> str:
        """The rate at which the host of `url` wants to be asked. Raises RobotsError when it does not want this."""
        self._check_host(url)
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        rules = self._rules.get(origin)
        if rules is None:
            fetch = lambda robots: self._follow(robots, None, False, (), ROBOTS_BYTES, deadline).text()  # noqa: E731
            rules = self._rules[origin] = host_rules(origin, host=url.host, fetch=fetch)
        rules.check(str(url))
        return rules.slower(self._rate)

    def _check_host(self, url: httpx2.URL) -> None:
        names = {url.host, *(f"*.{url.host.split('.', n)[-1]}" for n in range(1, url.host.count(".") + 1))}
        if self._hosts and not names & self._hosts:
            where = host_and_port(url.host, url.port or _PORTS[url.scheme])
            raise ForbiddenAddressError(
                _("%(host)s is not a host of this source: it was not fetched.") % {"host": where}
            )

    @contextmanager
    def _opened(
        self, url: httpx2.URL, *, json: Any, rate: str, accept: Collection[str], deadline: float
    ) -> Iterator[httpx2.Response]:
        """The response of `url`, asked at the address that was checked; Host and SNI stay those of `url`."""
        port = url.port or _PORTS[url.scheme]
        where = host_and_port(url.host, port)
        self._check_host(url)
        wait_for_turn(where, rate=rate, deadline=deadline)
        addresses = checked_addresses(url.host, port, private_hosts=self._private_hosts)
        if time.monotonic() >= deadline:
            raise FetchError(_("%(host)s took too long to answer.") % {"host": where})
        try:
            response = self._send(url, where, addresses, json=json, accept=accept)
        except httpx2.TransportError as error:
            raise PassingError(_told(error, where)) from error
        try:
            yield response
        except httpx2.TransportError as error:  # while the body was read
            raise PassingError(_told(error, where)) from error
        finally:
            response.close()

    def _send(
        self, url: httpx2.URL, where: str, addresses: list[str], *, json: Any, accept: Collection[str]
    ) -> httpx2.Response:
        """Ask the first of the addresses that can be connected to."""
        client = self._client(where)
        headers = httpx2.Headers({"Accept": ", ".join(accept) or "*/*"})
        headers.update(self._headers if where == self._home else {})
        headers["Host"] = url.netloc.decode("ascii")
        for number, address in enumerate(addresses, start=1):
            request = client.build_request(
                "GET" if json is None else "POST",
                url.copy_with(host=address, fragment=None),
                json=json,
                headers=headers,
                extensions={"sni_hostname": url.host},  # the certificate is checked against it, too
            )
            with self._lock:
                self.requests += 1
            try:
                return client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError("checked_addresses returned none")

    def _client(self, where: str) -> httpx2.Client:
        """One client a host: connections of two hosts that share an address are never mixed up."""
        with self._lock:
            if where not in self._clients:
                self._clients[where] = httpx2.Client(
                    # No compression: the byte cap then counts what is held in memory. No proxy from the environment.
                    headers={"User-Agent": settings.CRAWLER_USER_AGENT, "Accept-Encoding": "identity"},
                    transport=BoundedTransport(),
                    timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                    follow_redirects=False,
                    trust_env=False,
                )
            return self._clients[where]


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds before the next try: what the host asked for, or more."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, PassingError) else 0.0
    return asked + _backoff(state)


def _parsed(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError(_("“%(url)s” is not an address.") % {"url": url[:200]}) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ForbiddenAddressError(_("“%(url)s” is not a web address.") % {"url": url[:200]})
    return parsed


def _joined(base: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return base.join(location)
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError(_("“%(url)s” is not an address.") % {"url": location[:200]}) from error


def _told(error: httpx2.TransportError, where: str) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return _("%(host)s took too long to answer.") % {"host": where}
    if isinstance(error, httpx2.ConnectError):
        return _("%(host)s cannot be reached.") % {"host": where}
    return _("%(host)s broke off the connection.") % {"host": where}
