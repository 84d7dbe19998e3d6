"""What an adapter is: something that finds listings by keyword, a page at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus, urljoin, urlsplit

from django.utils.translation import gettext as _

from crawler.errors import ConfigError

# Of one page, whatever it holds: each is a document, and a picture to fetch.
MOST_LISTINGS = 300


@dataclass(frozen=True, kw_only=True)
class FoundListing:
    """A listing as the source shows it; texts are what the seller wrote, addresses are absolute."""

    item_id: str
    title: str
    url: str
    price: float | None
    currency: str
    shop_name: str
    shop_url: str
    image_url: str


@dataclass(frozen=True, kw_only=True)
class FoundPage:
    listings: list[FoundListing]
    has_next: bool
    total: int | None  # of all pages, when the source tells
    stored: bool = False  # they are listings of ours already, found as they are: there is nothing to write


class Adapter(Protocol):
    """Reads one kind of source. Raises SourceError with a message for users."""

    def search(self, keyword: str, page: int) -> FoundPage:
        """Page `page` (from 1) of what the source finds for `keyword`."""


def search_address(template: str, *, base_url: str, keyword: str, page: int, page_size: int, encoding: str) -> str:
    """The absolute address of a search page: `{keyword}`, `{page}` and `{offset}` of `template` are filled in.

    `encoding` is that of the keyword's percent-escapes; what it cannot express becomes a question mark.
    Raises ConfigError when that makes no address.
    """
    values = {
        "keyword": quote_plus(keyword, encoding=encoding, errors="replace"),
        "page": str(page),
        "offset": str((page - 1) * page_size),
    }
    link = filled_in(template, values)
    try:
        return urljoin(base_url, link)
    except ValueError as error:
        raise ConfigError(_("“%(url)s” is not an address.") % {"url": link[:200]}) from error


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """`template` with `{keyword}`, `{page}` and `{offset}` replaced; other braces stay."""
    return re.sub(r"\{(keyword|page|offset)\}", lambda match: values[match[1]], template)


def web_address(base: str, link: str | None) -> str:
    """An absolute http(s) address, or "" for any other kind of link."""
    try:
        address = urljoin(base, (link or "").strip()) if link else ""
        parts = urlsplit(address)
        return address if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


class ConfigReader:
    """Takes a source's `config` apart. Every method raises ConfigError naming the key and its value."""

    def __init__(self, values: Any, *, known: set[str], where: str = "") -> None:
        self._where = where
        if not isinstance(values, Mapping):
            raise ConfigError(_("%(key)s should be a JSON object.") % {"key": where or "config"})
        self._values = values
        if unknown := sorted(str(name) for name in values if name not in known):
            message = _("%(key)s is unknown here: use %(known)s.")
            raise ConfigError(message % {"key": self._path(unknown[0]), "known": ", ".join(sorted(known))})

    def text(self, name: str, default: str | None = None) -> str:
        """A text; required when there is no default."""
        value = self._values.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self._wrong(name, value, _("a text"))
        return value.strip()

    def number(self, name: str, default: int, *, lowest: int = 0, highest: int = 10_000) -> int:
        value = self._values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            wanted = _("a whole number from %(lowest)d to %(highest)d") % {"lowest": lowest, "highest": highest}
            raise self._wrong(name, value, wanted)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A text or a list of them; empty when the key is not there."""
        value = self._values.get(name, [])
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise self._wrong(name, value, _("a text or a list of texts"))
        return tuple(text.strip() for text in texts)

    def encoding(self, name: str, default: str = "utf-8") -> str:
        value = self.text(name, default)
        try:
            # Also what Python calls a codec but is none for texts, or cannot replace what it cannot express.
            "汉a".encode(value, errors="replace")
        except (LookupError, ValueError):
            raise self._wrong(name, value, _("the name of a text encoding")) from None
        return value

    def part(self, name: str, *, known: set[str]) -> "ConfigReader":
        """A nested object; an empty one when the key is not there."""
        return ConfigReader(self._values.get(name, {}), known=known, where=self._path(name))

    def value(self, name: str) -> Any:
        return self._values.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, name: str, why: str) -> ConfigError:
        """The error for a value of the right type that cannot be used."""
        return ConfigError(
            _("%(key)s=%(value)s cannot be used: %(why)s")
            % {"key": self._path(name), "value": repr(self._values.get(name))[:200], "why": why}
        )

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _wrong(self, name: str, value: Any, wanted: str) -> ConfigError:
        message = _("%(key)s=%(value)s should be %(wanted)s.")
        return ConfigError(message % {"key": self._path(name), "value": repr(value)[:200], "wanted": wanted})
