"""A configured source, ready to be asked: its adapter, its fetcher, its circuit breaker."""

import os
import re
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from crawler.addresses import host_and_port
from crawler.breakers import breaker
from crawler.errors import ConfigError
from crawler.fetching import Fetcher
from crawler.models import Source, SourceKind
from crawler.rates import per_second
from crawler.responses import Fetched
from crawler.sources.base import Adapter, FoundPage
from crawler.sources.files import ImportedFiles
from crawler.sources.platform import Platform
from crawler.sources.storefront import Storefront

PICTURE_BYTES = 8 * 1024 * 1024
PICTURE_SECONDS = 20.0
# Pictures are more patient than people: with a slow rate the last one of a page waits for all others.
_PICTURE_TURN_SECONDS = 240.0
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")
# What the crawler is and how it speaks HTTP is its own matter: nobody is to take it for a browser.
_OWN_HEADERS = {"host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding"}
_SECRET = re.compile(r"\$\{([^}]*)\}")
SECRET_PREFIX = "CRAWLER_SECRET_"  # noqa: S105 - the start of a variable's name

_ADAPTERS: dict[str, Callable[[Source, Fetcher], Adapter]] = {
    str(SourceKind.STOREFRONT): Storefront,
    str(SourceKind.FILES): ImportedFiles,
    str(SourceKind.PLATFORM): Platform,
}


class OpenSource:
    """One source for the length of a crawl; close it when done."""

    def __init__(self, source: Source) -> None:
        """Raises ConfigError naming what of the configuration cannot be used."""
        self.source = source
        self._fetcher = fetcher_for(source)
        self._adapter = _ADAPTERS[source.kind](source, self._fetcher)

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._fetcher.requests

    def search(self, keyword: str, page: int) -> FoundPage:
        """Ask the source, unless its circuit breaker is open. Raises SourceError."""
        with breaker(self.source.id):
            return self._adapter.search(keyword, page)

    def ask(self, keyword: str, page: int) -> FoundPage:
        """Ask past the circuit breaker, which neither forbids nor counts it: for an operator who wants to see.

        Raises SourceError.
        """
        return self._adapter.search(keyword, page)

    def picture(self, url: str) -> Fetched:
        """The picture at `url` as it was sent, not yet looked into. Raises FetchError."""
        seconds = PICTURE_SECONDS + min(_PICTURE_TURN_SECONDS, 60 / per_second(self.source.rate))
        return self._fetcher.get(url, accept=PICTURE_TYPES, max_bytes=PICTURE_BYTES, total_seconds=seconds)

    def close(self) -> None:
        self._fetcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(source_id: str) -> OpenSource:
    """Raises ConfigError when there is no such source, it is switched off, or its configuration cannot be used."""
    source = Source.objects.filter(id=source_id).first()
    if source is None:
        raise ConfigError(_("The source “%(source)s” is not configured any more.") % {"source": source_id})
    if not source.enabled:
        raise ConfigError(_("The source “%(source)s” is switched off.") % {"source": source.name})
    return OpenSource(source)


def check_config(source: Source) -> None:
    """Raises ConfigError, whose `field` names the field, for what would keep the source from being asked."""
    if source.kind != SourceKind.FILES:
        parts = urlsplit(source.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                _("“%(url)s” is not an address: it should start with http:// or https://.") % {"url": source.base_url},
                field="base_url",
            )
    with OpenSource(source):
        pass


def fetcher_for(source: Source) -> Fetcher:
    """A fetcher that keeps to the source's rules. Raises ConfigError."""
    try:
        per_second(source.rate)
    except ValueError:
        message = _("“%(rate)s” is no rate: write it like 2/second or 30/minute.")
        raise ConfigError(message % {"rate": source.rate}, field="rate") from None
    parts = urlsplit(source.base_url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        raise ConfigError(_("“%(url)s” is not an address.") % {"url": source.base_url}, field="base_url") from None
    return Fetcher(
        rate=source.rate,
        hosts=source.hosts.split(),
        private_hosts=settings.CRAWLER_PRIVATE_HOSTS,
        home=host_and_port(parts.hostname or "", port),
        headers=_headers(source.headers),
        robots=source.robots,
    )


def _headers(values: Any) -> dict[str, str]:
    """The headers with `${CRAWLER_SECRET_…}` filled in from the environment, so that no document holds a secret."""
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ConfigError(_("The headers should be a JSON object of texts."), field="headers")

    def secret(match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith(SECRET_PREFIX):
            message = _("${%(name)s}: only variables whose name starts with %(prefix)s can be used.")
            raise ConfigError(message % {"name": name, "prefix": SECRET_PREFIX}, field="headers")
        return os.environ.get(name, "")

    headers = {name: _SECRET.sub(secret, value).strip() for name, value in values.items()}
    for name, value in headers.items():
        # RFC 9110 section 5.6.2 and 5.5, without what is not ASCII
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(r"[\t\x20-\x7e]*", value):
            raise ConfigError(_("“%(name)s” cannot be sent as a header.") % {"name": name}, field="headers")
        if name.lower() in _OWN_HEADERS:
            raise ConfigError(_("“%(name)s” is set by the crawler itself.") % {"name": name}, field="headers")
    return headers
