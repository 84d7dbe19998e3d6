"""What can go wrong with a source, in words for the people who wait for its results."""


class SourceError(Exception):
    """A source could not be searched; the message is shown to users."""


class FetchError(SourceError):
    """Something could not be fetched: no connection, an error status, too slow, too large, not what was expected."""


class ForbiddenAddressError(FetchError):
    """The address leads somewhere that the crawler may not go."""


class ParseError(SourceError):
    """A page was fetched but is not laid out as the adapter expects; the message names what found nothing."""
