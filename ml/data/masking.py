"""Whole-word masking (Kim et al. 2021, section 3.3; Cui et al. 2019 for Chinese, where every character is a token)."""

import random
from collections.abc import Sequence

import torch

from ml.data.tokenizer import TextTokenizer, TokenBatch
from ml.data.words import tokens_of_words

IGNORE = -100


def mask_words(
    tokens: TokenBatch,
    spans: Sequence[Sequence[tuple[int, int]]],
    rngs: Sequence[random.Random],
    *,
    tokenizer: TextTokenizer,
    share: float = 0.15,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, L) masked ids, and (B, L) labels: the true id where a token is to be guessed, IGNORE elsewhere.

    Each word of `spans` is chosen with probability `share`, all of its tokens with it; a title of which none was chosen
    gets one, so that it is not read for nothing. Of the chosen words 80 % become [MASK], 10 % random tokens, 10 % stay
    (Devlin et al. 2019, appendix A.1); drawn for the whole word, or its other tokens would give it away. Special tokens
    and words that the tokenizer does not know are never masked: nothing could be learned from them.
    `rngs` has a generator for each title, so that a title's mask does not depend on its batch.
    """
    masked, labels = tokens.input_ids.clone(), torch.full_like(tokens.input_ids, IGNORE)
    ordinary = [one for one in range(tokenizer.size) if one not in tokenizer.special_ids]
    for row, (words, rng) in enumerate(zip(spans, rngs, strict=True)):
        ids = tokens.input_ids[row].tolist()
        places = [
            columns
            for columns in tokens_of_words(tokens.offsets[row].tolist(), words)
            if columns and not any(ids[column] in tokenizer.special_ids for column in columns)
        ]
        chosen = [one for one in places if rng.random() < share]
        if places and not chosen:
            chosen = [rng.choice(places)]
        for columns in chosen:
            fate = rng.random()
            for column in columns:
                labels[row, column] = ids[column]
                if fate < 0.8:
                    masked[row, column] = tokenizer.mask_id
                elif fate < 0.9:
                    masked[row, column] = rng.choice(ordinary)
    return masked, labels
