import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.evaluating.brand_mask import mask_brand

ARLA = ("Arla", "爱氏晨曦", "Arla Ko")


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("Arla milk", "milk"),
        ("ARLA Milk aRLa", "Milk"),
        ("Ａｒｌａ 牛奶", "牛奶"),
        ("【进口】爱氏晨曦牛奶 1L", "【进口】 牛奶 1L"),
        ("Arla Ko 3%", "3%"),  # the longest first: nothing of it stays
        ("arla-ko yoghurt", "yoghurt"),
        ("ArlaKo yoghurt", "yoghurt"),
        ("Ar\u200bla milk", "milk"),
        ("#arlamilk", "# milk"),
        ("oat milk", "oat milk"),
        ("Arla", ""),
        ("", ""),
    ],
)
def test_every_spelling_goes(title: str, left: str) -> None:
    assert mask_brand(title, ARLA) == left


@pytest.mark.parametrize(
    ("title", "spelling", "left"),
    [
        ("Häagen-Dazs vanilla", "Haagen Dazs", "vanilla"),
        ("Haagen Dazs vanilla", "Häagen-Dazs", "Haagen Dazs vanilla"),  # a hyphen in a spelling is meant
        ("Nestle\u0301 cocoa", "Nestlé", "cocoa"),
        ("NESTLÉ cocoa", "nestle", "cocoa"),
        ("Weiß Brot", "WEISS", "Brot"),
        ("ガーナ", "カ", "ガーナ"),
        ("C++ (a.b)", "a.b", "C++ ( )"),
        ("milk", "", "milk"),
        ("milk", "  ", "milk"),
    ],
)
def test_letters_are_compared_as_people_do(title: str, spelling: str, left: str) -> None:
    assert mask_brand(title, [spelling]) == left


@given(st.text(max_size=30), st.lists(st.text(max_size=6), max_size=4))
def test_it_only_takes_away(title: str, spellings: list[str]) -> None:
    """What is left are characters of the title in their order, and it is the same whatever order the spellings have."""
    masked = mask_brand(title, spellings)
    rest = iter(title)
    assert all(character in rest for character in masked if not character.isspace())
    assert mask_brand(title, spellings[::-1]) == masked


@given(st.sampled_from(ARLA), st.text("abc牛 1é", max_size=8), st.text("abc牛 1é", max_size=8))
def test_a_spelling_never_stays(spelling: str, before: str, after: str) -> None:
    for written in (spelling, spelling.upper(), spelling.lower(), f" {spelling} "):
        assert spelling.casefold() not in mask_brand(before + written + after, ARLA).casefold()
