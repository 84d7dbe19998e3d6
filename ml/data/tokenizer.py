"""Titles as tokens: WordPiece trained here on the titles at hand, or any fast tokenizer by its name."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PAD, UNKNOWN, CLS, SEP, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_MASKS = (MASK, "<mask>")  # as BERT's family and RoBERTa's call it
FILE = "tokenizer.json"


class TokenizerError(ValueError):
    """There is no usable tokenizer. The message names the file or the name, and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class TokenBatch:
    """Titles as tokens, padded to the longest.

    `input_ids`, `attention_mask` (B, L) int64, 1 in the mask is a token; `offsets` (B, L, 2) int64, where each token
    begins and ends in its title of `titles`, in characters: 0, 0 for marks and padding. `titles` are those that were
    asked for, cleaned.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    offsets: torch.Tensor
    titles: tuple[str, ...]


class TextTokenizer:
    """A tokenizer with its marks and its limit. Marks that stand in a title are text like any other.

    Raises TokenizerError for one that lacks padding, a length to cut at, or a mask.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        special = {token.content: id for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}
        masks = [special[name] for name in _MASKS if name in special]
        if tokenizer.padding is None or tokenizer.truncation is None:
            raise TokenizerError("the tokenizer does not say how to pad, or where to cut titles")
        if not masks:
            raise TokenizerError(f"the tokenizer has no mask: none of {', '.join(_MASKS)} among {sorted(special)}")
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()
        self.max_tokens: int = tokenizer.truncation["max_length"]
        self.pad_id: int = tokenizer.padding["pad_id"]
        self.mask_id: int = masks[0]
        self.special_ids: frozenset[int] = frozenset(special.values())

    def encode(self, titles: Sequence[str]) -> TokenBatch:
        """Each title as [CLS] … [SEP], cut to `max_tokens`."""
        cleaned = tuple(_clean(title) for title in titles)
        encodings = self._tokenizer.encode_batch(list(cleaned))
        B, L = len(encodings), len(encodings[0].ids) if encodings else 0
        return TokenBatch(
            input_ids=torch.tensor([one.ids for one in encodings], dtype=torch.long).view(B, L),
            attention_mask=torch.tensor([one.attention_mask for one in encodings], dtype=torch.long).view(B, L),
            offsets=torch.tensor([one.offsets for one in encodings], dtype=torch.long).view(B, L, 2),
            titles=cleaned,
        )

    def tokens(self, title: str) -> list[str]:
        """The tokens of a title as text, marks included."""
        return self._tokenizer.encode(_clean(title)).tokens

    def save(self, folder: Path) -> None:
        """Write tokenizer.json into `folder`, whole or not at all."""
        temporary = folder / f".{FILE}.part"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(self._tokenizer.to_str())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "TextTokenizer":
        """The tokenizer of a folder. Raises FileNotFoundError without one, TokenizerError when it is damaged."""
        path = folder / FILE
        try:
            text = path.read_text(encoding="utf-8")
            return cls(Tokenizer.from_str(text))
        except OSError:
            raise
        except Exception as error:  # tokenizers raises bare Exception
            raise TokenizerError(f"{path} is not a tokenizer: {error}") from None


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


def hub_tokenizer(name: str | Path, *, max_tokens: int) -> Tokenizer:
    """The fast tokenizer of a folder, or by its name on the hub, for example "bert-base-chinese".

    Raises TokenizerError when there is none, it is not a fast one, or it has no padding.
    """
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(str(name), use_fast=True)
    except Exception as error:  # what is raised depends on the file that is missing or damaged
        raise TokenizerError(f"{name}: no tokenizer could be loaded: {' '.join(str(error).split())[:300]}") from None
    backend = getattr(found, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer) or found.pad_token_id is None:
        raise TokenizerError(f"{name}: not a fast tokenizer with a token for padding")
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=found.pad_token_id, pad_token=found.pad_token)
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
