"""A crawl platform: a service of one's own that does the fetching and answers in JSON, in whatever shape.

`config`: see docs/sources.md. What stands where is said by JSON paths (RFC 9535); of several for one thing, the first
that finds something counts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from jsonpath import CompoundJSONPath, JSONPath, JSONPathEnvironment, JSONPathError

from crawler.errors import LayoutError, SourceError
from crawler.fetching import Fetcher
from crawler.models import Source
from crawler.responses import Fetched
from crawler.sources.base import (
    MOST_LISTINGS,
    ConfigReader,
    FoundListing,
    FoundPage,
    filled_in,
    search_address,
    web_address,
)
from crawler.sources.values import json_text, number, shown_price

ANSWER_BYTES = 4 * 1024 * 1024
# JSON is often sent under the name of something else; as it is read as JSON and nothing else, that does no harm. A page
# (text/html) is not taken: it is a login or an error, and its status or its type says more than a failure to read it.
_ANSWER_TYPES = ("application/json", "text/json", "text/plain", "application/javascript", "text/javascript")
_OF_ANSWER = {"listings", "total", "has_next", "error"}
_OF_LISTING = {"item_id", "title", "url", "price", "currency", "shop_name", "shop_url", "picture"}
_METHODS = ("GET", "POST")
_EACH = "[*]"


@dataclass(frozen=True)
class Path:
    """A JSON path as the operator wrote it, compiled; `whole` is the list when the path names its elements."""

    text: str
    compiled: JSONPath | CompoundJSONPath
    whole: JSONPath | CompoundJSONPath | None


Paths = tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class PlatformConfig:
    search_url: str
    method: str
    body: Any
    page_size: int
    currency: str
    paths: dict[str, Paths]

    @classmethod
    def parse(cls, values: Any) -> "PlatformConfig":
        """Raises ConfigError naming what is wrong."""
        reader = ConfigReader(values, known={"search_url", "method", "body", "page_size", "currency", "paths"})
        search_url = reader.text("search_url")
        method = reader.text("method", "GET").upper()
        if method not in _METHODS:
            raise reader.wrong("method", _("use one of %(known)s.") % {"known": ", ".join(_METHODS)})
        body = reader.value("body")
        if body is not None and method == "GET":
            raise reader.wrong("body", _("only POST sends one."))
        if "{keyword}" not in search_url and "{keyword}" not in json.dumps(body):
            raise reader.wrong("search_url", _("it does not say where the {keyword} goes."))
        return cls(
            search_url=search_url,
            method=method,
            body=body,
            page_size=reader.number("page_size", 20, lowest=1, highest=MOST_LISTINGS),
            currency=reader.text("currency", ""),
            paths=_paths(reader.part("paths", known=_OF_ANSWER | _OF_LISTING)),
        )


def _paths(reader: ConfigReader) -> dict[str, Paths]:
    # One for each configuration: its cache of regular expressions is not safe to share between threads.
    environment = JSONPathEnvironment(strict=True)
    paths = {}
    for name in sorted(_OF_ANSWER | _OF_LISTING):
        try:
            chosen = tuple(_path(environment, text) for text in reader.texts(name))
        except JSONPathError as error:
            raise reader.wrong(name, str(error.message)) from error
        if chosen:
            paths[name] = chosen
    for name in ("listings", "title"):
        if name not in paths:
            raise reader.wrong(name, _("it is required."))
    if not {"item_id", "url"} & paths.keys():
        raise reader.wrong("item_id", _("without it, url is required: the address then is the id."))
    return paths


def _path(environment: JSONPathEnvironment, text: str) -> Path:
    whole = environment.compile(text.removesuffix(_EACH)) if text.endswith(_EACH) else None
    return Path(text, environment.compile(text), whole)


class Platform:
    """The adapter of one crawl platform."""

    def __init__(self, source: Source, fetcher: Fetcher) -> None:
        self._config = PlatformConfig.parse(source.config)
        self._base_url = source.base_url
        self._timeout_s = source.timeout_s
        self._fetcher = fetcher

    def search(self, keyword: str, page: int) -> FoundPage:
        config = self._config
        address = search_address(
            config.search_url,
            base_url=self._base_url,
            keyword=keyword,
            page=page,
            page_size=config.page_size,
            encoding="utf-8",
        )
        fetched = self._fetcher.get(
            address,
            accept=_ANSWER_TYPES,
            max_bytes=ANSWER_BYTES,
            total_seconds=float(self._timeout_s),
            json=request_body(config, keyword=keyword, page=page),
        )
        return read_answer(fetched, config, page=page)


def request_body(config: PlatformConfig, *, keyword: str, page: int) -> Any:
    """What is posted: `body` with `{keyword}`, `{page}` and `{offset}` filled in; None for GET.

    A text that is nothing but `{page}` or `{offset}` becomes a number.
    """
    if config.method == "GET":
        return None
    numbers = {"page": page, "offset": (page - 1) * config.page_size}
    values = {"keyword": keyword, **{name: str(one) for name, one in numbers.items()}}

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            return numbers[part[1:-1]] if part in ("{page}", "{offset}") else filled_in(part, values)
        if isinstance(part, list):
            return [filled(one) for one in part]
        return {name: filled(one) for name, one in part.items()} if isinstance(part, Mapping) else part

    return filled({} if config.body is None else config.body)


def read_answer(fetched: Fetched, config: PlatformConfig, *, page: int) -> FoundPage:
    """The listings of page `page` in the answer's order, at most MOST_LISTINGS of them.

    Raises SourceError when the answer tells of an error, LayoutError, which carries the answer, when it is no JSON or
    a path that should find something does not.
    """
    answer = _Answer(fetched, config)
    data = fetched.json()
    if error := _told(answer.found("error", data)):
        raise SourceError(_("The platform reports: %(error)s") % {"error": error})
    total = _total(answer.found("total", data))
    rows = answer.rows(data)
    if rows is None and total != 0:
        raise answer.changed("listings")
    listings = answer.listings((rows or [])[:MOST_LISTINGS])
    if "has_next" in config.paths:
        has_next = any(map(_is_yes, answer.found("has_next", data)))
    else:
        has_next = bool(listings) if total is None else page * config.page_size < total
    return FoundPage(listings=listings, has_next=has_next, total=total)


class _Answer:
    """One answer, looked into with the paths of its configuration."""

    def __init__(self, fetched: Fetched, config: PlatformConfig) -> None:
        self._fetched = fetched
        self._config = config

    def changed(self, name: str) -> LayoutError:
        what = " || ".join(path.text for path in self._config.paths.get(name, ()))
        message = _("The page no longer matches: “%(what)s” (%(name)s) found nothing.")
        return LayoutError(message % {"what": what, "name": name}, page=self._fetched)

    def found(self, name: str, data: Any) -> list[Any]:
        """What the paths of this name find in `data`, those of the first path first."""
        return [one for path in self._config.paths.get(name, ()) for one in self._all(path.compiled, data, name)]

    def rows(self, data: Any) -> list[Any] | None:
        """The listings, however the path names them: each, or their list. None when there is no such list."""
        empty: list[Any] | None = None
        for path in self._config.paths["listings"]:
            rows: list[Any] = []
            for found in self._all(path.compiled, data, "listings"):
                if isinstance(found, list):
                    rows += found
                    empty = []
                elif found is not None:
                    rows.append(found)
            if rows:
                return rows
            if path.whole is not None and [] in self._all(path.whole, data, "listings"):
                empty = []
        return empty

    def listings(self, rows: list[Any]) -> list[FoundListing]:
        """One listing a row; a row without an id or a title is left out, unless all are."""
        found: dict[str, FoundListing] = {}
        identified = False
        for row in rows:
            link = web_address(self._fetched.url, _text(self.found("url", row)))
            item_id = _text(self.found("item_id", row)) if "item_id" in self._config.paths else link
            title = _text(self.found("title", row))
            identified = identified or bool(item_id)
            if item_id and title:
                found.setdefault(item_id, self._listing(row, item_id, title, link))
        if rows and not found:
            raise self.changed("title" if identified else "item_id" if "item_id" in self._config.paths else "url")
        return list(found.values())

    def _listing(self, row: Any, item_id: str, title: str, link: str) -> FoundListing:
        base = self._fetched.url
        price, currency = _price(self.found("price", row))
        return FoundListing(
            item_id=item_id,
            title=title,
            url=link,
            price=price,
            currency=(_text(self.found("currency", row)) or self._config.currency or currency)[:8],
            shop_name=_text(self.found("shop_name", row)),
            shop_url=web_address(base, _text(self.found("shop_url", row))),
            image_url=web_address(base, _text(self.found("picture", row))),
        )

    def _all(self, compiled: JSONPath | CompoundJSONPath, data: Any, name: str) -> list[Any]:
        if not isinstance(data, list | dict):  # a text would be parsed as JSON once more
            return []
        try:
            return compiled.findall(data)
        except JSONPathError as error:  # nested deeper than `..` goes
            raise self.changed(name) from error


def _values(found: list[Any]) -> Iterator[Any]:
    """What was found, and of what is a list its elements."""
    for one in found:
        yield from one if isinstance(one, list) else [one]


def _text(found: list[Any]) -> str:
    return next(filter(None, map(json_text, _values(found))), "")


def _price(found: list[Any]) -> tuple[float | None, str]:
    for value in _values(found):
        price, currency = shown_price(value) if isinstance(value, str) else (number(value), "")
        if price is not None:
            return price, currency
    return None, ""


def _total(found: list[Any]) -> int | None:
    total = number(next(_values(found), None))
    return None if total is None else int(min(total, 1_000_000_000))


def _is_yes(value: Any) -> bool:
    return value.strip().lower() not in ("", "0", "false", "no") if isinstance(value, str) else bool(value)


def _told(found: list[Any]) -> str:
    """The error as a text; "" when what was found is empty (null, false, 0, "", [], {})."""
    error = next(filter(None, found), None)
    if error is None:
        return ""
    text = json_text(error) or json.dumps(error, ensure_ascii=False)
    return text.encode(errors="replace").decode()[:300]
