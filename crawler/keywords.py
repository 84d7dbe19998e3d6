"""Which keywords are the same search."""

import unicodedata


def normalized(keyword: str) -> str:
    """The cache's key of a keyword: compatibility forms (full-width letters), case and spaces do not matter.

    Normalising twice changes nothing (casefold and NFKC undo each other's form, so they are repeated until it holds).
    """
    text = keyword
    for _ in range(4):
        again = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
        if again == text:
            break
        text = again
    return text
