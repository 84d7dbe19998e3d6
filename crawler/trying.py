"""One real search of a source for an operator who wants to see what comes: nothing is cached, nothing is written."""

import time
from dataclasses import dataclass, field

from crawler.errors import LayoutError, SourceError
from crawler.models import Source
from crawler.sources import FoundListing, OpenSource

TRY_S = 20  # somebody waits for it, and so does a thread of the web server
SHOWN = 10
SHOWN_CHARACTERS = 5000


@dataclass(kw_only=True)
class Trial:
    """What came of it. `page_text` is the beginning of a page that could not be read."""

    listings: list[FoundListing] = field(default_factory=list)  # the first few
    count: int = 0
    has_next: bool = False
    total: int | None = None
    error: str = ""
    error_kind: str = ""
    page_text: str = ""
    page_url: str = ""
    requests: int = 0
    seconds: float = 0.0


def source_try(*, source: Source, keyword: str, page: int = 1) -> Trial:
    """Ask `source`, enabled or not, past its circuit breaker but within its rate, for TRY_S seconds at most."""
    source.timeout_s = min(source.timeout_s, TRY_S)
    started = time.monotonic()
    trial = Trial()
    try:
        with OpenSource(source) as opened:
            try:
                found = opened.ask(keyword, page)
            finally:
                trial.requests = opened.requests
        trial.listings, trial.count = found.listings[:SHOWN], len(found.listings)
        trial.has_next, trial.total = found.has_next, found.total
    except SourceError as error:
        trial.error, trial.error_kind = str(error), error.kind
        if isinstance(error, LayoutError) and error.page is not None:
            trial.page_text, trial.page_url = error.page.text()[:SHOWN_CHARACTERS], error.page.url
    trial.seconds = time.monotonic() - started
    return trial
