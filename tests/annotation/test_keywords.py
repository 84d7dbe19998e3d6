"""Which keywords are suggested for a product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.keywords import listed, suggested_keywords, without_brand
from crawler.keywords import normalized
from crawler.services import checked_keyword

words = st.text(max_size=40)


def test_own_keywords_come_first_then_brand_and_other_spellings_with_the_name():
    found = suggested_keywords(
        name="Alpha Orange Juice", brand_name="Alpha", aliases="阿尔法, ALPHA", keywords="orange juice, 橙汁，ＯＪ"
    )
    assert found == ["orange juice", "橙汁", "ＯＪ", "Alpha Orange Juice", "阿尔法 Orange Juice"]


def test_without_anything_else_the_name_is_the_keyword():
    assert suggested_keywords(name="Tea  No. 5") == ["Tea No. 5"]


@pytest.mark.parametrize(
    ("name", "brands", "bare"),
    [
        ("Alpha Orange Juice", ["Alpha"], "Orange Juice"),
        ("orange juice ALPHA 1 l", ["Alpha"], "orange juice 1 l"),
        ("阿尔法橙汁", ["Alpha", "阿尔法"], "橙汁"),
        ("Alpine milk", ["Al"], "Alpine milk"),
        ("Alpha", ["Alpha"], "Alpha"),
        ("A+B (tea)", ["a+b"], "(tea)"),
        ("Tea", ["", " "], "Tea"),
    ],
)
def test_the_brand_is_taken_out_of_the_name(name, brands, bare):
    assert without_brand(name, brands) == bare


@given(words, words, words, words, st.integers(0, 10))
def test_each_can_be_searched_as_it_stands_and_none_twice(name, brand, aliases, keywords, limit):
    found = suggested_keywords(name=name, brand_name=brand, aliases=aliases, keywords=keywords, limit=limit)
    assert len(found) <= limit
    assert all(checked_keyword(keyword)[0] == keyword for keyword in found)
    assert len({normalized(keyword) for keyword in found}) == len(found)


@given(words, words)
def test_own_keywords_are_never_lost(name, keywords):
    own = listed(keywords)
    assert suggested_keywords(name=name, keywords=keywords, limit=1000)[: len(own)] == own


@given(words, st.lists(words, max_size=4))
def test_a_name_never_becomes_empty(name, brands):
    assert without_brand(name, brands).strip() or not name.strip()
