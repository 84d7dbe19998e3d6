"""Titles as tokens: WordPiece trained here on the titles at hand, Chinese and European words alike."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PAD, UNKNOWN, CLS, SEP, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_tokenizer(titles: Iterable[str], *, vocabulary_size: int, max_tokens: int) -> Tokenizer:
    """A WordPiece tokenizer (Schuster & Nakajima 2012, as in BERT) over NFKC lower-cased titles.

    Each Chinese character is a word of its own. Encodings are [CLS] … [SEP], cut to `max_tokens`, padded to the longest
    of the batch. The same titles make the same tokenizer.
    """
    texts = [_clean(title) for title in titles]
    vocabulary = _train_vocabulary(texts, size=vocabulary_size)
    tokenizer = _splitter(models.WordPiece(vocab=vocabulary, unk_token=UNKNOWN))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.decoder = decoders.WordPiece()
    ids = {name: vocabulary[name] for name in SPECIAL}
    tokenizer.post_processor = processors.BertProcessing((SEP, ids[SEP]), (CLS, ids[CLS]))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=ids[PAD], pad_token=PAD)
    return tokenizer


def _splitter(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.BertNormalizer(handle_chinese_chars=True, strip_accents=False, lowercase=True)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _train_vocabulary(texts: Sequence[str], *, size: int) -> dict[str, int]:
    """Word pieces and their ids.

    tokenizers numbers the characters inside words in the order of a hash map and breaks ties by number, so that no two
    trainings agree. Given as "special" tokens, these characters have numbers before it looks.
    """
    tokenizer = _splitter(models.WordPiece(unk_token=UNKNOWN))
    normalize, split = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str
    inner = {character for text in texts for word, _place in split(normalize(text)) for character in word[1:]}
    numbered = [*SPECIAL, *(f"##{character}" for character in sorted(inner))]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=numbered, show_progress=False, min_frequency=2)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.get_vocab()


def _clean(title: str) -> str:
    """Without halves of surrogate pairs, which shops leave that cut a title in the middle of an emoji."""
    return title.encode("utf-8", "replace").decode("utf-8")


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a model folder. Raises ValueError when the file is not one."""
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError:
        raise
    except Exception as error:  # tokenizers raises bare Exception
        raise ValueError(f"{path} is not a tokenizer: {error}") from None


def encode(tokenizer: Tokenizer, titles: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (B, L) and their mask (B, L), both int64; 1 in the mask is a token, 0 is padding."""
    encodings = tokenizer.encode_batch([_clean(title) for title in titles])
    ids = torch.tensor([encoding.ids for encoding in encodings])
    mask = torch.tensor([encoding.attention_mask for encoding in encodings])
    return ids, mask
