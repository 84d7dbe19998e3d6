"""Where this site serves the pictures of the store."""

from functools import cache

from django.urls import get_script_prefix, reverse

_ANY = "0" * 64


def picture_path(sha256: str) -> str:
    """The path of a picture on this site. Lists show a hundred of them, so the address is looked up once only."""
    return _pattern(get_script_prefix()).replace(_ANY, sha256)


@cache
def _pattern(script_prefix: str) -> str:
    return reverse("crawler:image", args=[_ANY])
