"""Fetching from strangers: politely (rate, retries, Retry-After), bounded (time, bytes, hops), only public hosts."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import tenacity
from django.conf import settings
from django.utils.translation import gettext as _

from crawler.addresses import checked_addresses, host_and_port
from crawler.connections import BoundedTransport, deadline_of_thread
from crawler.errors import FetchError, ForbiddenAddressError
from crawler.rates import wait_for_turn

MAX_TRIES = 4
MAX_REDIRECTS = 5
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
_RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_backoff = tenacity.wait_random_exponential(multiplier=0.3, max=8)  # full jitter


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A complete answer with status 200. `url` is the one after redirects, `content_type` has no parameters."""

    url: str
    content_type: str
    charset: str
    body: bytes

    def text(self) -> str:
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:  # a charset that does not exist
            return self.body.decode("utf-8", errors="replace")


class _PassingError(FetchError):
    """May go away by itself: worth another try, after `retry_after` seconds at least."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Fetcher:
    """Fetches for one source. Safe to share between threads; close it when done.

    `rate` (like "20/second") is per host and shared by all workers. `private_hosts` are the only `host:port` that may
    have a private address. `hosts`, when given, are the only host names that may be asked at all.
    """

    def __init__(
        self, *, rate: str = "20/second", private_hosts: Collection[str] = (), hosts: Collection[str] = ()
    ) -> None:
        self._rate = rate
        self._private_hosts = frozenset(private_hosts)
        self._hosts = frozenset(hosts)
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

    def get(self, url: str, *, accept: Collection[str], max_bytes: int, total_seconds: float) -> Fetched:
        """GET `url`, at most `total_seconds` for everything: waiting for the rate, retries, redirects, the body.

        `accept` holds the content types that are taken. Raises FetchError (ForbiddenAddressError for addresses that
        may not be asked) with a message for users.
        """
        deadline = time.monotonic() + total_seconds
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_PassingError),
            stop=tenacity.stop_after_attempt(MAX_TRIES) | tenacity.stop_before_delay(total_seconds),
            wait=_pause,
            reraise=True,
        )
        with deadline_of_thread(deadline):
            return retrying(self._follow, url, accept=accept, max_bytes=max_bytes, deadline=deadline)

    def _follow(self, url: str, *, accept: Collection[str], max_bytes: int, deadline: float) -> Fetched:
        """Redirects by hand, so that every hop is checked like the first."""
        for _hop in range(MAX_REDIRECTS + 1):
            target = _parsed(url)
            with self._opened(target, accept=accept, deadline=deadline) as response:
                if response.is_redirect and (location := response.headers.get("Location")):
                    url = str(_joined(target, location))
                    continue
                _check_status(response, target)
                return _read(response, target, accept=accept, max_bytes=max_bytes, deadline=deadline)
        raise FetchError(_("%(host)s redirects in circles.") % {"host": target.host})

    @contextmanager
    def _opened(self, url: httpx2.URL, *, accept: Collection[str], deadline: float) -> Iterator[httpx2.Response]:
        """The response to a GET of `url`, sent to the address that was checked; Host and SNI stay those of `url`."""
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        where = host_and_port(url.host, port)
        if self._hosts and url.host not in self._hosts:
            raise ForbiddenAddressError(
                _("%(host)s is not a host of this source: it was not fetched.") % {"host": where}
            )
        wait_for_turn(where, rate=self._rate, deadline=deadline)
        addresses = checked_addresses(url.host, port, private_hosts=self._private_hosts)
        if time.monotonic() >= deadline:
            raise FetchError(_("%(host)s took too long to answer.") % {"host": where})
        try:
            response = self._send(url, where, addresses, accept=accept)
        except httpx2.TransportError as error:
            raise _PassingError(_told(error, where)) from error
        try:
            yield response
        except httpx2.TransportError as error:  # while the body was read
            raise _PassingError(_told(error, where)) from error
        finally:
            response.close()

    def _send(self, url: httpx2.URL, where: str, addresses: list[str], *, accept: Collection[str]) -> httpx2.Response:
        """Ask the first of the addresses that can be connected to."""
        client = self._client(where)
        for number, address in enumerate(addresses, start=1):
            request = client.build_request(
                "GET",
                url.copy_with(host=address, fragment=None),
                headers={"Host": url.netloc.decode("ascii"), "Accept": ", ".join(accept)},
                extensions={"sni_hostname": url.host},  # the certificate is checked against it, too
            )
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
    asked = error.retry_after if isinstance(error, _PassingError) else 0.0
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


def _check_status(response: httpx2.Response, url: httpx2.URL) -> None:
    if response.status_code == 200:
        return
    values = {"host": url.host, "status": response.status_code, "reason": response.reason_phrase}
    if response.status_code in _RETRIED_STATUS:
        wait = _retry_after_seconds(response.headers.get("Retry-After", ""))
        if response.status_code == 429:
            raise _PassingError(
                _("%(host)s asks for fewer requests (429): try again later.") % values, retry_after=wait
            )
        raise _PassingError(_("%(host)s answered %(status)s %(reason)s.") % values, retry_after=wait)
    raise FetchError(_("%(host)s answered %(status)s %(reason)s.") % values)


def _retry_after_seconds(value: str) -> float:
    """The Retry-After header (RFC 9110 section 10.2.3: seconds or a date) as seconds from now; 0 when it is silent."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _read(
    response: httpx2.Response, url: httpx2.URL, *, accept: Collection[str], max_bytes: int, deadline: float
) -> Fetched:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in accept:
        message = _("%(host)s sent “%(type)s” instead of %(wanted)s.")
        values = {"host": url.host, "type": content_type[:100], "wanted": ", ".join(sorted(accept))}
        raise FetchError(message % values)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise FetchError(_("%(host)s sent a compressed answer that was not asked for.") % {"host": url.host})
    too_large = _("%(host)s sent more than %(max)d kilobytes.") % {"host": url.host, "max": max_bytes // 1024}
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > max_bytes:
        raise FetchError(too_large)
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise FetchError(too_large)
        if time.monotonic() > deadline:
            raise FetchError(_("%(host)s took too long to answer.") % {"host": url.host})
    return Fetched(url=str(url), content_type=content_type, charset=response.charset_encoding or "", body=bytes(body))


def _told(error: httpx2.TransportError, where: str) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return _("%(host)s took too long to answer.") % {"host": where}
    if isinstance(error, httpx2.ConnectError):
        return _("%(host)s cannot be reached.") % {"host": where}
    return _("%(host)s broke off the connection.") % {"host": where}
