"""Titles as sellers write them: promises, missing words, other orders, slips of the keyboard."""

import random

_PROMISES_BEFORE = (
    "【包邮】",
    "【限时特价】",
    "新品 ",
    "正品 ",
    "SALE! ",
    "[NEW] ",
    "现货 ",
    "【进口】",
    "Hot deal – ",
)
_PROMISES_AFTER = (
    " 2-pack",
    " 整箱装",
    " free shipping",
    " 买二送一",
    " 家庭装",
    " 6 pcs",
    " 早餐必备",
    " best before 2027",
    " 顺丰发货",
)


def seller_title(
    rng: random.Random, *, brand_spellings: list[str], names: list[str], generic_words: list[str], volume: str
) -> str:
    """One noisy title. `names` are whole names of the product, one of which is used; the brand may be left out."""
    name = rng.choice(names)
    if rng.random() < 0.12:
        name = _slip(rng, name)
    if rng.random() < 0.12:
        name = _drop_word(rng, name)
    parts = [name]
    if brand_spellings and rng.random() < 0.82:
        # The first spelling is the brand's own name: most sellers use it.
        brand = brand_spellings[0] if rng.random() < 0.7 else rng.choice(brand_spellings)
        parts.insert(0, brand.upper() if rng.random() < 0.15 else brand)
    if volume and rng.random() < 0.6:
        parts.append(volume)
    if generic_words and rng.random() < 0.4:
        parts.append(rng.choice(generic_words))
    if rng.random() < 0.25:
        rng.shuffle(parts)
    title = " ".join(parts)
    if rng.random() < 0.1:
        title = title.lower()
    if rng.random() < 0.45:
        title = rng.choice(_PROMISES_BEFORE) + title
    if rng.random() < 0.35:
        title += rng.choice(_PROMISES_AFTER)
    return title


def _slip(rng: random.Random, text: str) -> str:
    if len(text) < 5:
        return text
    at = rng.randrange(1, len(text) - 2)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


def _drop_word(rng: random.Random, text: str) -> str:
    words = text.split()
    if len(words) < 3:
        return text
    del words[rng.randrange(len(words))]
    return " ".join(words)
