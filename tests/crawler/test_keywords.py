import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.keywords import normalized


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Juice", "  juice "),
        ("ＪＵＩＣＥ", "juice"),
        ("orange　juice", "orange \t juice"),
        ("STRASSE", "straße"),
        ("MJÖLK", "mjo\u0308lk"),
        ("①", "1"),
    ],
)
def test_these_are_one_search(one, other):
    assert normalized(one) == normalized(other)


def test_different_words_stay_different():
    assert len({normalized(word) for word in ("juice", "juices", "果汁", "果 汁", "")}) == 5


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text):
    assert normalized(normalized(text)) == normalized(text)


@given(st.text(max_size=100), st.sampled_from([" ", "\t", "\u3000", "\n "]))
def test_case_and_spaces_around_do_not_matter(text, space):
    assert normalized(f"{space}{text}{space}") == normalized(text)
    assert normalized(text.casefold()) == normalized(text)
    assert not normalized(text) or normalized(text) == normalized(text).strip()
