"""What can go wrong with a source, in words for the people who wait for its results.

`kind` is what operators filter by. `blames_source`: whether it counts against the source, whose circuit breaker opens
after several in a row; what we ourselves refuse to ask says nothing about it.
"""

from typing import TYPE_CHECKING

from crawler.models import ErrorKind

if TYPE_CHECKING:
    from crawler.responses import Fetched


class SourceError(Exception):
    """A source could not be searched; the message is shown to users."""

    kind = str(ErrorKind.FETCH)
    blames_source = True


class FetchError(SourceError):
    """Something could not be fetched: no connection, an error status, too slow, too large, not what was expected.

    `status` is the HTTP status where there was one, else 0.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class BusyError(FetchError):
    """The turn to ask a host did not come in time: others of us ask it already."""

    kind = str(ErrorKind.BUSY)
    blames_source = False


class ForbiddenAddressError(FetchError):
    """The address leads somewhere that the crawler may not go."""

    kind = str(ErrorKind.FORBIDDEN)
    blames_source = False


class RobotsError(FetchError):
    """The host's robots.txt forbids the address."""

    kind = str(ErrorKind.ROBOTS)
    blames_source = False


class PausedError(SourceError):
    """The source failed several times in a row and is left alone for a while."""

    kind = str(ErrorKind.PAUSED)
    blames_source = False


class ConfigError(SourceError):
    """The source's configuration cannot be used; `field` says which part of it."""

    kind = str(ErrorKind.CONFIG)
    blames_source = False

    def __init__(self, message: str, *, field: str = "config") -> None:
        super().__init__(message)
        self.field = field


class LayoutError(SourceError):
    """A page was fetched but is not laid out as the adapter expects: the message names what found nothing.

    `page` is what was fetched; it is kept for the operator.
    """

    kind = str(ErrorKind.LAYOUT)

    def __init__(self, message: str, *, page: "Fetched | None" = None) -> None:
        super().__init__(message)
        self.page = page
