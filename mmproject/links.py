"""Which addresses from outside may become links."""

from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(maxsize=4096)  # a page names the same shops again and again
def is_web_link(url: str) -> bool:
    """Whether `url` is an absolute http or https address (RFC 3986 section 3.1), and so safe in an href."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.netloc)
