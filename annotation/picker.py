"""What a product is found by while somebody types: its words as they sound, whatever their case, width and accents."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MAX_SPELLINGS = 4  # of one name or keyword, where characters have several readings
_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+")
_WORD = re.compile(r"\d+|[^\W\d_]+")
_BETWEEN = re.compile("[,，、;；\n]")


def folded(text: str) -> str:
    """`text` for comparing: compatibility forms (full-width letters), case, accents and kinds of space do not count.

    Characters are folded one by one, so a part of a text folds to a part of the folded text.
    """
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(one for one in spread if not unicodedata.combining(one)).split())


def search_text_for(*, name: str, brand_name: str = "", aliases: str = "", keywords: str = "") -> str:
    """All that a product is found by, folded, the name first.

    `aliases` (of the brand) and `keywords` are comma-separated. Each of these is there as it is written, without
    spaces, as pinyin without tones (可口可乐: kekoukele) and as initials (kkkl); with the other readings of its
    characters as well, up to MAX_SPELLINGS.
    """
    parts = [name, brand_name, *_BETWEEN.split(aliases), *_BETWEEN.split(keywords)]
    return " ".join(dict.fromkeys(spelling for part in parts for spelling in _spellings(folded(part)) if spelling))


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield text.replace(" ", "")
    if not text:
        return
    for readings in _read(text):
        yield "".join(sound for sound, _initials in readings)
        initials = "".join(letters for _sound, letters in readings)
        yield initials if len(initials) > 1 else ""  # a single one is the beginning of the sound


def _read(text: str) -> Iterator[list[tuple[str, str]]]:
    """The ways to read `text`, the usual one first; each gives the sound and the initials of every piece of it.

    Not all combinations: each other way reads one character differently.
    """
    choices: list[list[tuple[str, str]]] = []
    end = 0
    for run in _HAN.finditer(text):
        choices += [_plain(text[end : run.start()]), *_sounds(run.group())]
        end = run.end()
    choices.append(_plain(text[end:]))
    usual = [choice[0] for choice in choices]
    yield usual
    others = [(place, other) for place, choice in enumerate(choices) for other in choice[1:]]
    for place, other in others[: MAX_SPELLINGS - 1]:
        yield [*usual[:place], other, *usual[place + 1 :]]


def _plain(text: str) -> list[tuple[str, str]]:
    """What is not Chinese sounds as it is written; of a word the first letter is its initial, a number stays whole."""
    initials = "".join(word if word[0].isdigit() else word[0] for word in _WORD.findall(text))
    return [(text.replace(" ", ""), initials)]


@lru_cache(maxsize=1024)  # a brand's name comes again and again
def _sounds(han: str) -> list[list[tuple[str, str]]]:
    """For each character its readings, the one that fits its neighbours first; ü is typed as v or as u."""
    # Its dictionaries take 55 MB: only a process that saves products pays for them, one that searches never does.
    from pypinyin import Style, pinyin

    found = []
    for sounds in pinyin(han, style=Style.NORMAL, heteronym=True):
        with_u = [sound.replace("v", "u") for sound in sounds if "v" in sound]
        found.append([(sound, sound[:1]) for sound in dict.fromkeys([*sounds, *with_u])])
    return found
