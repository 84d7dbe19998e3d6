from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ml.data.tokenizer import CLS, SEP, UNKNOWN, encode, load_tokenizer, train_tokenizer

TITLES = ["Orange Juice 1L", "ORANGE juice", "橙汁 Orange Juice", "ekologisk mjölk", "Ekologisk Mjölk 橙汁"] * 2


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(TITLES, vocabulary_size=300, max_tokens=12)


def words(tokenizer: Tokenizer, title: str) -> list[str]:
    return [token for token in tokenizer.encode(title).tokens if token not in (CLS, SEP)]


def test_case_and_width_do_not_matter(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "ＯＲＡＮＧＥ Juice") == words(tokenizer, "orange juice") == ["orange", "juice"]


def test_each_chinese_character_is_a_word(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "橙汁juice") == ["橙", "汁", "juice"]


def test_swedish_letters_are_kept(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "mjölk") == ["mjölk"]


def test_a_title_begins_and_ends_with_its_marks(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("juice").tokens == [CLS, "juice", SEP]
    assert tokenizer.encode("").tokens == [CLS, SEP]


def test_unseen_characters_are_unknown(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "茶") == [UNKNOWN]


def test_a_long_title_is_cut_and_keeps_its_end_mark(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("juice " * 50).tokens
    assert len(tokens) == 12
    assert tokens[-1] == SEP


def test_a_batch_is_padded_to_its_longest(tokenizer: Tokenizer) -> None:
    ids, mask = encode(tokenizer, ["orange juice", ""])
    assert ids.shape == mask.shape == (2, 4)
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert ids[1, 2:].tolist() == [0, 0]


@given(st.text(st.characters()))
def test_any_text_becomes_tokens_half_an_emoji_too(tokenizer: Tokenizer, title: str) -> None:
    ids, mask = encode(tokenizer, [title])
    assert 2 <= ids.shape[1] <= 12
    assert ids.max() < tokenizer.get_vocab_size()
    assert mask.all()


def test_half_a_surrogate_pair_is_no_error(tokenizer: Tokenizer) -> None:
    """Shops cut titles after so many UTF-16 units, through the middle of an emoji."""
    ids, _mask = encode(tokenizer, ["juice \ud83d"])
    assert ids.shape[0] == 1


def test_training_on_no_words_still_makes_a_tokenizer() -> None:
    tokenizer = train_tokenizer(["", ""], vocabulary_size=100, max_tokens=8)
    ids, _mask = encode(tokenizer, ["anything"])
    assert ids.tolist() == [[2, 1, 3]]


def test_half_a_surrogate_pair_can_be_trained_on() -> None:
    train_tokenizer(["juice \ud83d", "juice \ud83d"], vocabulary_size=100, max_tokens=8)


def test_the_same_titles_make_the_same_tokenizer() -> None:
    first, second = (train_tokenizer(TITLES, vocabulary_size=40, max_tokens=8).to_str() for _ in range(2))
    assert first == second


def test_it_is_read_back_as_written(tokenizer: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    again = load_tokenizer(tmp_path / "tokenizer.json")
    for left, right in zip(encode(tokenizer, TITLES), encode(again, TITLES), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("text", ["", "{}", "not JSON"])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        load_tokenizer(tmp_path / "tokenizer.json")
