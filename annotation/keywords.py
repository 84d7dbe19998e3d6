"""Which keywords are worth searching for a product, from what the catalogue says of it."""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError

from crawler.services import checked_keyword

MAX_SUGGESTED = 8
_COMMAS = re.compile("[,，]")


def listed(text: str) -> list[str]:
    """The parts of a comma-separated field, each once: same searches are one."""
    return searchable(_COMMAS.split(text))


def suggested_keywords(
    *, name: str, brand_name: str = "", aliases: str = "", keywords: str = "", limit: int = MAX_SUGGESTED
) -> list[str]:
    """At most `limit` keywords, the best first: its own, brand and name, then other spellings of the brand and name.

    Each can be searched as it stands, and no two of them are the same search.
    """
    spellings = [brand_name, *_COMMAS.split(aliases)]
    bare = without_brand(name, spellings)
    candidates = [*_COMMAS.split(keywords), *(f"{spelling} {bare}" for spelling in spellings if spelling.strip()), name]
    return searchable(candidates)[:limit]


def without_brand(name: str, spellings: Iterable[str]) -> str:
    """The product's name without the first of the brand's spellings that is in it; the whole name when nothing is left.

    A Latin spelling must be a word of its own: the brand "Al" is not taken out of "Alpine milk".
    """
    for spelling in sorted((one.strip() for one in spellings), key=len, reverse=True):
        if not spelling:
            continue
        pattern = rf"(?<![A-Za-z0-9]){re.escape(spelling)}(?![A-Za-z0-9])"
        if not spelling.isascii():
            pattern = re.escape(spelling)
        bare, found = re.subn(pattern, " ", name, count=1, flags=re.IGNORECASE)
        if found and bare.strip():
            return " ".join(bare.split())
    return name


def searchable(candidates: Iterable[str]) -> list[str]:
    """Those that the crawler would search, as it shows them, each search once, in their order."""
    found: dict[str, str] = {}
    for candidate in candidates:
        try:
            shown, key = checked_keyword(candidate)
        except ValidationError:
            continue
        found.setdefault(key, shown)
    return list(found.values())
