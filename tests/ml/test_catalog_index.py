from pathlib import Path

import numpy as np
import pytest

from ml.serving import catalog_index
from ml.serving.catalog_index import CatalogIndex, CatalogIndexError

WIDTH = 8


def unit_vectors(count: int, *, seed: int = 0, width: int = WIDTH) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(count: int = 20) -> tuple[CatalogIndex, np.ndarray]:
    index, vectors = CatalogIndex(model="m1", width=WIDTH), unit_vectors(count)
    index.add([(f"p{row // 2}", f"picture {row}") for row in range(count)], vectors)
    return index, vectors


def test_it_finds_what_looking_at_every_vector_finds() -> None:
    index, vectors = filled()
    asked = unit_vectors(5, seed=1)
    found = index.search(asked, count=4)
    for question, answers in zip(asked, found, strict=True):
        scores = [float(question @ vector) for vector in vectors]
        best = sorted(range(len(vectors)), key=lambda row: -scores[row])[:4]
        assert [picture for _product, picture, _score in answers] == [f"picture {row}" for row in best]
        assert [score for *_entry, score in answers] == pytest.approx([scores[row] for row in best], abs=1e-5)


def test_a_graph_finds_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    flat, _vectors = filled(400)
    asked = unit_vectors(50, seed=1)
    exact = flat.search(asked, count=5)
    monkeypatch.setattr(catalog_index, "FLAT_UP_TO", 10)
    near = filled(400)[0].search(asked, count=5)
    shared = [len({one[1] for one in a} & {one[1] for one in b}) for a, b in zip(exact, near, strict=True)]
    assert sum(shared) >= 0.98 * 5 * 50


def test_a_product_that_is_removed_is_not_found() -> None:
    index, vectors = filled()
    assert index.remove(["p3", "unknown"]) == 2
    assert "p3" not in index.products
    assert all(product != "p3" for product, *_rest in index.search(vectors[6:7], count=50)[0])
    assert len(index) == 18


def test_the_same_picture_again_replaces_its_vector() -> None:
    index, _vectors = filled()
    new = unit_vectors(1, seed=9)
    index.add([("p0", "picture 0")], new)
    assert len(index) == 20
    product, picture, score = index.search(new, count=1)[0][0]
    assert (product, picture) == ("p0", "picture 0")
    assert score == pytest.approx(1, abs=1e-5)


def test_an_empty_index_finds_nothing() -> None:
    assert CatalogIndex(model="m1", width=WIDTH).search(unit_vectors(2), count=3) == [[], []]


@pytest.mark.parametrize("graph", [False, True])
def test_it_is_the_same_after_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: bool) -> None:
    if graph:
        monkeypatch.setattr(catalog_index, "FLAT_UP_TO", 5)
    index, vectors = filled()
    index.save(tmp_path / "index")
    loaded = CatalogIndex.load(tmp_path / "index", model="m1")
    assert loaded.search(vectors, count=3) == index.search(vectors, count=3)
    assert loaded.remove(["p0"]) == 2
    assert len(loaded) == 18


def test_an_index_of_another_model_is_refused(tmp_path: Path) -> None:
    filled()[0].save(tmp_path / "index")
    with pytest.raises(CatalogIndexError, match="model='m1', not 1 of 'm2'"):
        CatalogIndex.load(tmp_path / "index", model="m2")


@pytest.mark.parametrize("name", ["index.faiss", "index.json"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_damaged_index_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    filled()[0].save(tmp_path / "index")
    (tmp_path / "index" / name).unlink()
    if content is not None:
        (tmp_path / "index" / name).write_bytes(content)
    with pytest.raises(CatalogIndexError, match="can be read"):
        CatalogIndex.load(tmp_path / "index", model="m1")


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((1, WIDTH + 1)), "shape"),
        (np.ones((2, WIDTH)), "shape"),
        (np.ones((1, WIDTH)), "length 2.828"),
        (np.full((1, WIDTH), np.nan), "length nan"),
    ],
)
def test_vectors_that_do_not_fit_change_nothing(vectors: np.ndarray, message: str) -> None:
    index, _vectors = filled()
    with pytest.raises(CatalogIndexError, match=message):
        index.add([("new", "")], vectors)
    assert len(index) == 20
