"""Connections that end at a deadline, however slowly the other side drips its bytes.

The timeouts of an HTTP client hold for each read; a server that sends a byte now and then never runs into them.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpcore2
import httpx2

_of_thread = threading.local()


@contextmanager
def deadline_of_thread(deadline: float) -> Iterator[None]:
    """Until the block ends, no read or write of this thread's requests goes on beyond `deadline` (monotonic clock)."""
    before = getattr(_of_thread, "deadline", None)
    _of_thread.deadline = deadline
    try:
        yield
    finally:
        _of_thread.deadline = before


def _bounded(timeout: float | None, error: type[Exception]) -> float | None:
    """The shorter of `timeout` and what is left. Raises `error` when nothing is."""
    deadline = getattr(_of_thread, "deadline", None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the deadline of the whole request has passed")
    return left if timeout is None else min(timeout, left)


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _bounded(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _bounded(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        timeout = _bounded(timeout, httpcore2.ConnectTimeout)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _BoundedBackend(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        timeout = _bounded(timeout, httpcore2.ConnectTimeout)
        return _BoundedStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """One for all: reading the certificate authorities takes longer than fetching a page."""
    return httpx2.create_ssl_context(trust_env=False)


class BoundedTransport(httpx2.HTTPTransport):
    """HTTP/1.1 over connections that keep to `deadline_of_thread`."""

    def __init__(self) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        # httpx offers no way to hand its pool a network backend; `test_a_dripping_server_…` holds this in place.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=5.0,
            network_backend=_BoundedBackend(),
        )
