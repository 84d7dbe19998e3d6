"""Whole words under masks: which, how often, and that nothing else is touched."""

import random
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.data.masking import IGNORE, mask_words
from ml.data.tokenizer import TextTokenizer, TokenBatch, hub_tokenizer, train_tokenizer
from ml.data.words import tokens_of_words, word_spans

TITLES = [
    "农夫山泉 橙汁 500ml 包邮",
    "Häagen-Dazs strawberry icecream 1.5L 冰淇淋",
    "蒙牛纯牛奶250ml*24盒 整箱",
    "organic strawberries, fresh!",
    "🍊 橙汁 juice",
    "康师傅 绿茶",
]
LONG = "橙汁 牛奶 绿茶 包邮 康师傅 农夫山泉 冰淇淋 整箱 strawberry juice organic fresh"


def trained() -> TextTokenizer:
    """WordPiece over few words, so that the others are several tokens."""
    return TextTokenizer(train_tokenizer([*TITLES, LONG] * 2, vocabulary_size=90, max_tokens=40))


def characters(folder: Path) -> TextTokenizer:
    """As bert-base-chinese: every Chinese character is a token; letters are pieces of one."""
    from transformers import BertTokenizerFast

    chinese = sorted({one for title in (*TITLES, LONG) for one in title if "\u4e00" <= one <= "\u9fff"})
    letters = sorted({one.lower() for title in (*TITLES, LONG) for one in title if one.isascii() and not one.isspace()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *chinese, *letters, *(f"##{one}" for one in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "saved")
    return TextTokenizer(hub_tokenizer(folder / "saved", max_tokens=60))


@pytest.fixture(scope="module", params=["trained", "characters"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return trained() if request.param == "trained" else characters(tmp_path_factory.mktemp("tokenizer"))


def mask(
    tokenizer: TextTokenizer, titles: list[str], *, seeds: list[int], share: float = 0.15
) -> tuple[TokenBatch, torch.Tensor, torch.Tensor]:
    tokens = tokenizer.encode(titles)
    rngs = [random.Random(seed) for seed in seeds]
    spans = [word_spans(title) for title in tokens.titles]
    return tokens, *mask_words(tokens, spans, rngs, tokenizer=tokenizer, share=share)


def known_words(tokenizer: TextTokenizer, tokens: TokenBatch, row: int) -> list[list[int]]:
    """The columns of each word all of whose tokens are known."""
    found = tokens_of_words(tokens.offsets[row].tolist(), word_spans(tokens.titles[row]))
    ids = tokens.input_ids[row].tolist()
    return [word for word in found if word and not {ids[column] for column in word} & tokenizer.special_ids]


TITLE = st.lists(st.sampled_from([*LONG.split(), "500ml", "🍊", "!", "unknown字", "[MASK]", "_"]), max_size=9).map(
    " ".join
)


@given(titles=st.lists(TITLE, min_size=1, max_size=4), seed=st.integers(0, 999), share=st.floats(0, 1))
def test_only_whole_words_are_asked_and_only_what_is_asked_is_changed(
    tokenizer: TextTokenizer, titles: list[str], seed: int, share: float
) -> None:
    seeds = [seed + row for row in range(len(titles))]
    tokens, masked, labels = mask(tokenizer, titles, seeds=seeds, share=share)
    asked = labels != IGNORE
    assert torch.equal(labels[asked], tokens.input_ids[asked])
    assert torch.equal(masked[~asked], tokens.input_ids[~asked])
    for row in range(len(titles)):
        words = known_words(tokenizer, tokens, row)
        columns = set(asked[row].nonzero()[:, 0].tolist())
        chosen = [word for word in words if columns & set(word)]
        assert columns == {column for word in chosen for column in word}
        assert bool(chosen) == bool(words)


@given(titles=st.lists(TITLE, min_size=1, max_size=4), seed=st.integers(0, 999))
def test_marks_padding_and_unknown_words_are_never_asked_and_no_mark_but_the_mask_is_put(
    tokenizer: TextTokenizer, titles: list[str], seed: int
) -> None:
    tokens, masked, labels = mask(tokenizer, titles, seeds=[seed] * len(titles), share=0.9)
    special = torch.isin(tokens.input_ids, torch.tensor(sorted(tokenizer.special_ids)))
    assert not (labels[special] != IGNORE).any()
    changed = masked != tokens.input_ids
    assert not set(masked[changed].tolist()) & (tokenizer.special_ids - {tokenizer.mask_id})


def test_a_word_of_several_tokens_is_masked_as_one(tokenizer: TextTokenizer) -> None:
    """All of its tokens become [MASK], or all something else: one that stays would give the others away."""
    several = mixed = 0
    for seed in range(200):
        tokens, masked, labels = mask(tokenizer, TITLES, seeds=[seed * 10 + row for row in range(len(TITLES))])
        for row in range(len(TITLES)):
            for word in known_words(tokenizer, tokens, row):
                if len(word) > 1 and labels[row, word[0]] != IGNORE:
                    hidden = (masked[row, word] == tokenizer.mask_id).tolist()
                    several += 1
                    mixed += any(hidden) != all(hidden)
    assert several > 100
    assert mixed == 0


def test_a_chinese_word_is_masked_whole_though_its_characters_are_tokens(tokenizer: TextTokenizer) -> None:
    seen = set()
    for seed in range(60):
        tokens, _masked, labels = mask(tokenizer, ["康师傅 绿茶"], seeds=[seed])
        columns = (labels[0] != IGNORE).nonzero()[:, 0].tolist()
        seen.add("".join(tokens.titles[0][start:end] for start, end in tokens.offsets[0, columns].tolist()))
    assert seen == {"康师傅", "绿茶", "康师傅绿茶"}


def test_as_many_words_are_asked_and_as_many_of_them_hidden_replaced_and_kept_as_in_the_papers(
    tokenizer: TextTokenizer,
) -> None:
    """15 % of words, and one in titles of which none was drawn; of the asked 80 % [MASK], 10 % random, 10 % as is."""
    rows = 3000
    tokens, masked, labels = mask(tokenizer, [LONG] * rows, seeds=list(range(rows)))
    words = known_words(tokenizer, tokens, 0)
    first = torch.tensor([word[0] for word in words])
    asked = (labels != IGNORE)[:, first]  # (rows, words)
    wanted = 0.15 + (1 - 0.15) ** len(words) / len(words)
    assert asked.float().mean().item() == pytest.approx(wanted, abs=0.008)  # σ is .002
    assert asked.float().mean(0).tolist() == pytest.approx([wanted] * len(words), abs=0.03)  # σ is .007
    assert asked.any(1).all()
    before, after = tokens.input_ids[:, first][asked], masked[:, first][asked]
    hidden = after == tokenizer.mask_id
    kept = after == before
    chance = 0.1 / (tokenizer.size - len(tokenizer.special_ids))  # that a random token is the same
    assert hidden.float().mean().item() == pytest.approx(0.8, abs=0.02)  # σ is .005
    assert kept.float().mean().item() == pytest.approx(0.1 + chance, abs=0.015)
    assert len(set(after[~hidden & ~kept].tolist())) > 0.9 * (tokenizer.size - len(tokenizer.special_ids))


def test_a_titles_mask_does_not_depend_on_its_batch(tokenizer: TextTokenizer) -> None:
    seeds = [7 + row for row in range(len(TITLES))]
    together, masked, labels = mask(tokenizer, TITLES, seeds=seeds)
    for row, title in enumerate(TITLES):
        _alone, alone_masked, alone_labels = mask(tokenizer, [title], seeds=[seeds[row]])
        length = alone_masked.shape[1]
        assert torch.equal(masked[row, :length], alone_masked[0])
        assert torch.equal(labels[row, :length], alone_labels[0])
        assert (labels[row, length:] == IGNORE).all()
        assert torch.equal(masked[row, length:], together.input_ids[row, length:])


def test_the_given_tokens_are_left_as_they_were(tokenizer: TextTokenizer) -> None:
    before = tokenizer.encode(TITLES).input_ids
    tokens, _masked, _labels = mask(tokenizer, TITLES, seeds=list(range(len(TITLES))), share=1.0)
    assert torch.equal(tokens.input_ids, before)


def test_as_many_generators_and_spans_as_titles_are_needed(tokenizer: TextTokenizer) -> None:
    tokens = tokenizer.encode(["橙汁", "绿茶"])
    with pytest.raises(ValueError, match="zip"):
        mask_words(tokens, [[(0, 2)], [(0, 2)]], [random.Random(0)], tokenizer=tokenizer)
