"""Where words begin and end, in the titles of shops."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.words import CHINESE, tokens_of_words, word_spans

LETTERS = st.sampled_from(list("橙汁牛奶500mlAé .-'’·_*🍊\u0301\u200d包邮①Ⅳ"))


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("农夫山泉橙汁 包邮", ["农夫山泉", "橙汁", "包邮"]),
        ("Fresh orange juice, 2 pack!", ["Fresh", "orange", "juice", "2", "pack"]),
        ("蒙牛纯牛奶250ml*24盒", ["蒙牛", "纯牛奶", "250ml", "24", "盒"]),
        ("500ml", ["500ml"]),
        ("1.5L", ["1.5L"]),
        ("Häagen-Dazs L'Oréal", ["Häagen-Dazs", "L'Oréal"]),
        ("cafe\u0301", ["cafe\u0301"]),
        ("हिन्दी", ["हिन्दी"]),
        ("橙汁🍊juice", ["橙汁", "juice"]),
        ("🍊🍊", []),
        ("...---", []),
        ("a_b", ["a", "b"]),
        ("５００ｍｌ", ["５００ｍｌ"]),
        ("Nescafé雀巢咖啡", ["Nescafé", "雀巢咖啡"]),
        ("", []),
    ],
)
def test_words_are_those_a_reader_sees(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@given(st.text(LETTERS) | st.text(st.characters(exclude_categories=["Cs"])))
def test_spans_are_in_order_without_overlap_and_hold_every_letter(text: str) -> None:
    spans = word_spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    within = {place for start, end in spans for place in range(start, end)}
    assert within >= {place for place, character in enumerate(text) if character.isalnum()}
    assert not any(text[place].isspace() for place in within)


@given(st.text(LETTERS))
def test_no_word_is_partly_chinese(text: str) -> None:
    for word in words(text):
        found = CHINESE.search(word)
        assert found is None or found[0] == word


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=30))
def test_a_chinese_text_is_cut_without_rest(text: str) -> None:
    assert "".join(words(text)) == text


def test_tokens_belong_to_the_word_they_lie_in() -> None:
    """[CLS] 橙 汁 juice ##s ! [SEP] [PAD] of "橙汁 juices! tea", whose last word was cut off."""
    offsets = [(0, 0), (0, 1), (1, 2), (3, 8), (8, 9), (9, 10), (0, 0), (0, 0)]
    assert tokens_of_words(offsets, [(0, 2), (3, 9), (11, 14)]) == [[1, 2], [3, 4], []]


def test_a_token_that_holds_two_words_is_the_first_ones() -> None:
    assert tokens_of_words([(0, 4), (4, 5)], [(0, 2), (2, 4), (4, 5)]) == [[0], [], [1]]


@st.composite
def tokens_and_words(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Both in order and without overlap, with marks of offset 0, 0 at either end."""

    def pieces() -> list[tuple[int, int]]:
        edges = sorted(draw(st.sets(st.integers(0, 20), max_size=10)))
        both = list(itertools.pairwise(edges))
        return [piece for piece in both if draw(st.booleans())]

    return [(0, 0), *pieces(), (0, 0)], pieces()


@given(tokens_and_words())
def test_it_is_what_comparing_every_token_with_every_word_gives(drawn) -> None:
    offsets, spans = drawn
    slow: list[list[int]] = [[] for _ in spans]
    for column, (start, end) in enumerate(offsets):
        reached = [word for word, (first, last) in enumerate(spans) if start < last and first < end]
        if start < end and reached:
            slow[reached[0]].append(column)
    assert tokens_of_words(offsets, spans) == slow
