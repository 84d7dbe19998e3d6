"""A title without its brand, to ask whether a model reads the brand from the picture."""

import re
import unicodedata
from collections.abc import Iterable

_VOICED = "\u3099\u309a"  # が is another letter than か, where é is e with an accent
_GAP = r"[\s\-‐-―_·・.]*"  # between the words of a spelling: "Coca Cola" is also Coca-Cola and CocaCola


def mask_brand(title: str, spellings: Iterable[str]) -> str:
    """`title` with every one of `spellings` taken out, longest first, and its white space drawn together.

    Case, accents, width, ligatures and invisible characters do not matter (NFKD of Unicode Standard Annex 15), nor does
    what stands between a spelling's words. Inside a longer word it goes too: it would be a hint.
    """
    for spelling in sorted({_fold(one)[0].strip() for one in spellings}, key=lambda one: (-len(one), one)):
        words = [re.escape(word) for word in spelling.split()]
        if words:
            title = _without(title, re.compile(f"{_GAP.join(words)}(?![{_VOICED}])"))
    return " ".join(title.split())


def _without(title: str, pattern: re.Pattern[str]) -> str:
    folded, places = _fold(title)
    kept, end = [], 0
    for match in pattern.finditer(folded):
        first, last = places[match.start()], places[match.end() - 1]
        kept.append(title[end : max(first, end)])
        end = last + 1
        while end < len(title) and unicodedata.combining(title[end]):
            end += 1  # accents of the last letter that stand by themselves
    return " ".join([*kept, title[end:]])


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and for each of its characters the place in `text` that it comes from."""
    folded, places = [], []
    for place, character in enumerate(text):
        if unicodedata.category(character) == "Cf":  # zero-width spaces and joiners, marks of direction
            continue
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
        plain = "".join(one for one in plain if one in _VOICED or not unicodedata.combining(one))
        folded.append(plain)
        places += [place] * len(plain)
    return "".join(folded), places
