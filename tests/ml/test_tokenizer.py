from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.data.tokenizer import CLS, SEP, UNKNOWN, TextTokenizer, TokenizerError, hub_tokenizer, train_tokenizer

TITLES = ["Orange Juice 1L", "ORANGE juice", "橙汁 Orange Juice", "ekologisk mjölk", "Ekologisk Mjölk 橙汁"] * 2


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer(train_tokenizer(TITLES, vocabulary_size=300, max_tokens=12))


def words(tokenizer: TextTokenizer, title: str) -> list[str]:
    return [token for token in tokenizer.tokens(title) if token not in (CLS, SEP)]


def test_case_and_width_do_not_matter(tokenizer: TextTokenizer) -> None:
    assert words(tokenizer, "ＯＲＡＮＧＥ Juice") == words(tokenizer, "orange juice") == ["orange", "juice"]


def test_each_chinese_character_is_a_word(tokenizer: TextTokenizer) -> None:
    assert words(tokenizer, "橙汁juice") == ["橙", "汁", "juice"]


def test_swedish_letters_are_kept(tokenizer: TextTokenizer) -> None:
    assert words(tokenizer, "mjölk") == ["mjölk"]


def test_a_title_begins_and_ends_with_its_marks(tokenizer: TextTokenizer) -> None:
    assert tokenizer.tokens("juice") == [CLS, "juice", SEP]
    assert tokenizer.tokens("") == [CLS, SEP]


def test_unseen_characters_are_unknown(tokenizer: TextTokenizer) -> None:
    assert words(tokenizer, "茶") == [UNKNOWN]


def test_a_long_title_is_cut_and_keeps_its_end_mark(tokenizer: TextTokenizer) -> None:
    tokens = tokenizer.tokens("juice " * 50)
    assert len(tokens) == 12
    assert tokens[-1] == SEP


def test_a_batch_is_padded_to_its_longest(tokenizer: TextTokenizer) -> None:
    batch = tokenizer.encode(["orange juice", ""])
    ids, mask = batch.input_ids, batch.attention_mask
    assert ids.shape == mask.shape == (2, 4)
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert ids[1, 2:].tolist() == [0, 0]


@given(st.text(st.characters()))
def test_any_text_becomes_tokens_half_an_emoji_too(tokenizer: TextTokenizer, title: str) -> None:
    batch = tokenizer.encode([title])
    ids, mask = batch.input_ids, batch.attention_mask
    assert 2 <= ids.shape[1] <= 12
    assert ids.max() < tokenizer.size
    assert mask.all()


def test_half_a_surrogate_pair_is_no_error(tokenizer: TextTokenizer) -> None:
    """Shops cut titles after so many UTF-16 units, through the middle of an emoji."""
    assert tokenizer.encode(["juice \ud83d"]).input_ids.shape[0] == 1


def test_training_on_no_words_still_makes_a_tokenizer() -> None:
    tokenizer = TextTokenizer(train_tokenizer(["", ""], vocabulary_size=100, max_tokens=8))
    assert tokenizer.encode(["anything"]).input_ids.tolist() == [[2, 1, 3]]


def test_half_a_surrogate_pair_can_be_trained_on() -> None:
    train_tokenizer(["juice \ud83d", "juice \ud83d"], vocabulary_size=100, max_tokens=8)


def test_the_same_titles_make_the_same_tokenizer() -> None:
    first, second = (train_tokenizer(TITLES, vocabulary_size=40, max_tokens=8).to_str() for _ in range(2))
    assert first == second


def test_it_is_read_back_as_written(tokenizer: TextTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    again = TextTokenizer.load(tmp_path)
    left, right = tokenizer.encode(TITLES), again.encode(TITLES)
    assert torch.equal(left.input_ids, right.input_ids)
    assert torch.equal(left.offsets, right.offsets)
    for name in ("size", "max_tokens", "mask_id", "pad_id", "special_ids"):
        assert getattr(again, name) == getattr(tokenizer, name)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize("text", ["", "{}", "not JSON"])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json is not a tokenizer"):
        TextTokenizer.load(tmp_path)


def test_a_tokenizer_without_a_mask_or_a_limit_is_refused() -> None:
    from tokenizers import Tokenizer, models

    bare = Tokenizer(models.WordPiece(vocab={"[UNK]": 0, "[PAD]": 1}, unk_token="[UNK]"))
    with pytest.raises(TokenizerError, match="how to pad"):
        TextTokenizer(bare)
    bare.enable_padding(pad_id=1, pad_token="[PAD]")
    bare.enable_truncation(8)
    with pytest.raises(TokenizerError, match="no mask"):
        TextTokenizer(bare)


def test_offsets_say_which_characters_a_token_stands_for(tokenizer: TextTokenizer) -> None:
    batch = tokenizer.encode(["ＯＲＡＮＧＥ  橙汁", "juice \ud83d"])
    title = batch.titles[0]
    assert [title[a:b] for a, b in batch.offsets[0].tolist()] == ["", "ＯＲＡＮＧＥ", "橙", "汁", ""]
    assert batch.offsets.shape == (*batch.input_ids.shape, 2)
    assert batch.titles[1] == "juice ?"
    assert batch.offsets[1, 3:].tolist() == [[0, 0]] * 2 or batch.offsets[1, -1].tolist() == [0, 0]


@given(st.text(st.characters()))
def test_offsets_lie_within_the_cleaned_title_in_order(tokenizer: TextTokenizer, title: str) -> None:
    batch = tokenizer.encode([title])
    inner = batch.offsets[0, 1:-1].tolist()
    assert all(0 <= a < b <= len(batch.titles[0]) for a, b in inner)
    assert [a for a, _b in inner] == sorted(a for a, _b in inner)


def test_marks_in_a_title_are_text_not_marks(tokenizer: TextTokenizer) -> None:
    """Else a seller could end the title, or hide a word from the model."""
    ids = tokenizer.encode(["[MASK] juice [SEP]"]).input_ids[0]
    assert tokenizer.mask_id not in ids
    assert (ids == ids[-1]).sum() == 1


def test_no_titles_are_no_tokens(tokenizer: TextTokenizer) -> None:
    batch = tokenizer.encode([])
    assert (batch.input_ids.shape, batch.offsets.shape) == ((0, 0), (0, 0, 2))


def test_any_fast_tokenizer_of_a_folder_is_read(tmp_path: Path) -> None:
    """As bert-base-chinese lies on a disk: a vocabulary, one word a line."""
    from transformers import BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "橙", "汁", "juice", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    theirs = BertTokenizerFast(str(tmp_path / "vocab.txt"))
    theirs.save_pretrained(tmp_path / "saved")
    ours = TextTokenizer(hub_tokenizer(tmp_path / "saved", max_tokens=6))
    titles = ["橙汁 Juices", "juice", "橙" * 20]
    wanted = theirs(titles, padding=True, truncation=True, max_length=6, return_tensors="pt")
    batch = ours.encode(titles)
    assert torch.equal(batch.input_ids, wanted["input_ids"])
    assert torch.equal(batch.attention_mask, wanted["attention_mask"])
    assert (ours.mask_id, ours.pad_id, ours.max_tokens) == (4, 0, 6)
    assert ours.special_ids == {0, 1, 2, 3, 4}


def test_a_name_that_is_no_tokenizer_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"nowhere: no tokenizer"):
        hub_tokenizer(tmp_path / "nowhere", max_tokens=8)
