"""The shop's search: which goods a keyword finds, in which order."""

import unicodedata
from hashlib import sha256

from crawler.demo_shop.catalog import DemoCatalog, DemoGood


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _luck(good: DemoGood) -> float:
    """A shop's own idea of rank, in [0, 1): the same on every run, and not by product."""
    return int.from_bytes(sha256(f"rank {good.item_id}".encode()).digest()[:4], "big") / 2**32


class ShopSearch:
    """Looks through titles and product words, in any of the catalogue's languages, whatever the case."""

    def __init__(self, catalog: DemoCatalog) -> None:
        self._rows = [(good, _plain(f"{good.title} {good.words}"), _luck(good)) for good in catalog.goods]

    def find(self, keyword: str) -> list[DemoGood]:
        """Goods that hold at least half of the keyword's words, those that hold more first; [] for no words."""
        words = _plain(keyword).split()
        if not words:
            return []
        found = []
        for good, text, luck in self._rows:
            share = sum(word in text for word in words) / len(words)
            if share >= 0.5:
                # Near misses come up between the hits now and then, as they do in shops.
                found.append((share + 0.45 * luck, good))
        found.sort(key=lambda pair: (-pair[0], pair[1].item_id))
        return [good for _, good in found]
