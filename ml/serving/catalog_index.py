"""The vectors of a catalogue's pictures and texts, searched by inner product: which products are like this listing?

A folder holds `index.faiss` and `index.json`: {"format": 1, "model": who made the vectors, "entries": [[product,
picture], …]} in the order of the vectors. Neither is a pickle.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import faiss
import numpy as np

FORMAT = 1
FLAT_UP_TO = 50_000  # beyond, looking at every vector takes longer than walking the graph
LINKS, SEARCHED = 32, 128  # of HNSW: neighbours of a vector, vectors kept in sight (Malkov & Yashunin 2018)
NORM_SLACK = 1e-3


class CatalogIndexError(ValueError):
    """An index cannot be loaded, or vectors do not fit it. The message names what and why."""


class CatalogIndex:
    """Vectors (N, D), each of length 1, each of one picture of a product ("" for its text alone), made by `model`."""

    def __init__(self, *, model: str, width: int) -> None:
        self.model, self.width = model, width
        self._entries: list[tuple[str, str]] = []
        self._vectors = np.empty((0, width), dtype=np.float32)
        self._index: faiss.Index | None = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def products(self) -> set[str]:
        return {product for product, _picture in self._entries}

    def add(self, entries: Sequence[tuple[str, str]], vectors: np.ndarray) -> None:
        """Add (product, picture) pairs with their vectors; one that is there already gets the new vector.

        Raises CatalogIndexError, and adds nothing, for vectors of another shape or not of length 1.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.shape != (len(entries), self.width):
            raise CatalogIndexError(f"vectors of the shape {vectors.shape}, not {(len(entries), self.width)}")
        if len(vectors):
            lengths = np.linalg.norm(vectors, axis=1)
            worst = float(lengths[np.argmax(np.abs(lengths - 1))])
            if not abs(worst - 1) <= NORM_SLACK:  # NaN too
                raise CatalogIndexError(f"a vector of length {worst:.4g}, not 1")
        last = {entry: row for row, entry in enumerate(entries)}
        kept = [row for row, entry in enumerate(self._entries) if entry not in last]
        self._entries = [self._entries[row] for row in kept] + list(last)
        self._vectors = np.concatenate([self._vectors[kept], vectors[list(last.values())]])
        self._index = None

    def remove(self, products: Collection[str]) -> int:
        """Remove all vectors of these products; returns how many there were."""
        gone = set(products)
        kept = [row for row, (product, _picture) in enumerate(self._entries) if product not in gone]
        removed = len(self._entries) - len(kept)
        if removed:
            self._entries = [self._entries[row] for row in kept]
            self._vectors, self._index = self._vectors[kept], None
        return removed

    def search(self, vectors: np.ndarray, *, count: int) -> list[list[tuple[str, str, float]]]:
        """For each of (B, D) the `count` most similar (product, picture, inner product), best first.

        Raises CatalogIndexError for another width, ValueError for a count below 1.
        """
        if count < 1:
            raise ValueError(f"count={count} is less than 1")
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.width:
            raise CatalogIndexError(f"questions of the shape {vectors.shape}, not (B, {self.width})")
        if not self._entries:
            return [[] for _ in vectors]
        if self._index is None:
            self._index = _built(self._vectors)
        found, places = self._index.search(vectors, min(count, len(self._entries)))
        return [
            [(*self._entries[place], score) for score, place in zip(scores, row, strict=True) if place >= 0]
            for scores, row in zip(found.tolist(), places.tolist(), strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write the index into a new `folder`."""
        folder.mkdir(parents=True)
        faiss.write_index(
            self._index if self._index is not None else _built(self._vectors), str(folder / "index.faiss")
        )
        about = {"format": FORMAT, "model": self.model, "entries": self._entries}
        (folder / "index.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, *, model: str) -> "CatalogIndex":
        """The index of a folder. Raises CatalogIndexError when it is damaged or another model made its vectors."""
        try:
            about = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            made_by, found = about["model"], about["format"]
            entries = [(str(product), str(picture)) for product, picture in about["entries"]]
            index = faiss.read_index(str(folder / "index.faiss"))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise CatalogIndexError(f"{folder} holds no catalogue index that can be read: {error}") from None
        if found != FORMAT or made_by != model:
            raise CatalogIndexError(f"{folder}: format={found!r} of model={made_by!r}, not {FORMAT} of {model!r}")
        if index.ntotal != len(entries):
            raise CatalogIndexError(f"{folder}: {index.ntotal} vectors, but index.json names {len(entries)}")
        loaded = cls(model=model, width=index.d)
        loaded._entries, loaded._index = entries, index
        loaded._vectors = index.reconstruct_n(0, index.ntotal) if entries else loaded._vectors
        return loaded


def _built(vectors: np.ndarray) -> faiss.Index:
    width = vectors.shape[1]
    if len(vectors) <= FLAT_UP_TO:
        flat = faiss.IndexFlatIP(width)
        flat.add(vectors)
        return flat
    graph = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efSearch = SEARCHED
    graph.add(vectors)
    return graph
