"""Where the words of a title are: Chinese ones by a segmenter, others by their letters."""

import re
import unicodedata
from collections.abc import Sequence

from rjieba import cut

# Accents and vowel signs that are characters of their own belong to the letter before them; `re` has no class for them.
_MARKS = "".join(chr(code) for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
_LETTERS = rf"[^\W_](?:[^\W_]|[{_MARKS}])*"
WORD = re.compile(rf"{_LETTERS}(?:[.'’\-·]{_LETTERS})*")
CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each word in characters, in order, without overlap.

    A run of Chinese characters is cut by jieba (in Rust). Elsewhere a word is letters and digits of any script, with
    hyphens, apostrophes and points inside it: "500ml", "1.5L", "Häagen-Dazs".
    """
    spans = []
    for match in WORD.finditer(text):
        place = match.start()
        for run in CHINESE.finditer(text, match.start(), match.end()):
            if run.start() > place:
                spans.append((place, run.start()))
            place = run.start()
            for word in cut(run[0], True):
                spans.append((place, place + len(word)))
                place += len(word)
        if place < match.end():
            spans.append((place, match.end()))
    return spans


def tokens_of_words(offsets: Sequence[Sequence[int]], words: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The columns of each word's tokens, [] for a word that has none: it was cut off, or one token holds two words.

    `offsets` (L, 2) of a title's tokens, as of TokenBatch, and its `words`, both in order: a token is of the first word
    that it reaches into.
    """
    found: list[list[int]] = []
    column = 0
    for start, end in words:
        columns = []
        while column < len(offsets) and offsets[column][1] <= start:
            column += 1
        while column < len(offsets) and offsets[column][0] < end:
            if offsets[column][1] > offsets[column][0]:
                columns.append(column)
            column += 1
        found.append(columns)
    return found
