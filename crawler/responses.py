"""What came back from a host: its status, its body up to a cap, its text in whatever encoding it was sent."""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from django.utils.translation import gettext as _
from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding, to_unicode

from crawler.errors import FetchError, LayoutError

# The encodings of the web (WHATWG Encoding, section 4.2) by the names that w3lib gives their labels. Python has other
# "encodings", too, that make no text of bytes, or raise for what they cannot read.
_ENCODINGS = frozenset(
    (
        *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "big5hkscs"),
        *("euc_jp", "iso2022_jp", "cp932", "cp949", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman"),
        *(f"cp125{number}" for number in range(9)),
        *(f"iso8859-{number}" for number in range(1, 17)),
    )
)
RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A complete answer with status 200. `url` is the one after redirects, `content_type` has no parameters."""

    url: str
    content_type: str
    charset: str
    body: bytes

    def text(self) -> str:
        """The body as text: by byte order mark, HTTP header, the page's own word, else UTF-8 or GB 18030.

        As browsers do it (WHATWG Encoding), by w3lib; bytes that do not fit the encoding become U+FFFD.
        """
        marked, mark = read_bom(self.body)
        if marked and mark:
            return to_unicode(self.body[len(mark) :], marked)
        said = resolve_encoding(self.charset) if self.charset.isprintable() and self.charset else None
        if said not in _ENCODINGS:
            said = html_body_declared_encoding(self.body)
        return to_unicode(self.body, said if said in _ENCODINGS else _detected(self.body))

    def json(self) -> Any:
        """The body as JSON (RFC 8259). Raises LayoutError, which carries this answer, when it is none."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            message = _("%(host)s did not send JSON: %(error)s")
            values = {"host": httpx2.URL(self.url).host, "error": str(error)[:100]}
            raise LayoutError(message % values, page=self) from error


class PassingError(FetchError):
    """May go away by itself: worth another try, after `retry_after` seconds at least."""

    def __init__(self, message: str, *, retry_after: float = 0.0, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


def check_status(response: httpx2.Response, url: httpx2.URL) -> None:
    """Raises PassingError or FetchError, which carry the status, unless it is 200."""
    status = response.status_code
    if status == 200:
        return
    values = {"host": url.host, "status": status, "reason": response.reason_phrase}
    if status in RETRIED_STATUS:
        wait = retry_after_seconds(response.headers.get("Retry-After", ""))
        text = _("%(host)s answered %(status)s %(reason)s.") % values
        if status == 429:
            text = _("%(host)s asks for fewer requests (429): try again later.") % values
        raise PassingError(text, retry_after=wait, status=status)
    raise FetchError(_("%(host)s answered %(status)s %(reason)s.") % values, status=status)


def retry_after_seconds(value: str) -> float:
    """The Retry-After header (RFC 9110 section 10.2.3: seconds or a date) as seconds from now; 0 when it is silent."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def read_body(
    response: httpx2.Response, url: httpx2.URL, *, accept: Collection[str], max_bytes: int, deadline: float
) -> Fetched:
    """The whole body, while it is streamed. Raises FetchError for a wrong type, one too large, one too slow."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if accept and content_type not in accept:
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


def _detected(body: bytes) -> str:
    """The encoding of a page that does not say: Chinese shops that are not in UTF-8 are in GBK, part of GB 18030."""
    for encoding in ("utf-8", "gb18030"):
        try:
            body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"
