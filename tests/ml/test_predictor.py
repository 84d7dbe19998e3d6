import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.models.inputs import PairBatch
from ml.serving import MatchPrediction, Pair, Predictor
from tests.ml.factories import COLOURS, write_picture


@pytest.fixture(scope="module", params=["float32", "int8"])
def predictor(model_folder: Path, request: pytest.FixtureRequest) -> Predictor:
    return Predictor.load(model_folder, precision=request.param)


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    titles = ["orange juice", "whole milk 包邮 现货 2-pack 顺丰发货", "绿茶", "", "茶" * 200, "juice", "?", "绿茶 milk"]
    return [
        Pair(write_picture(tmp_path / f"{number}.png", COLOURS[number % 3], seed=number, size=(40 + number, 90)), title)
        for number, title in enumerate(titles)
    ]


def same(left: MatchPrediction, right: MatchPrediction) -> None:
    assert (left.brand, left.product, left.error) == (right.brand, right.product, right.error)
    assert left.brand_confidence == pytest.approx(right.brand_confidence, abs=1e-5)
    assert left.product_confidence == pytest.approx(right.product_confidence, abs=1e-5)
    assert [one for one, _ in left.top5] == [one for one, _ in right.top5]


def test_it_works(predictor: Predictor, dataset: Path) -> None:
    (answer,) = predictor.predict([Pair(dataset / "images" / "1-7.jpg", "whole milk")])
    assert answer.error is None
    assert (answer.brand, answer.product) == ("brand-1", "product-1")
    assert answer.brand_confidence > 0.5
    assert answer.top5[0] == (answer.product, answer.product_confidence)
    assert len(answer.top5) == 3
    confidences = [confidence for _product, confidence in answer.top5]
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) == pytest.approx(1.0, abs=1e-5)


def test_the_best_brands_are_told_too(predictor: Predictor, dataset: Path) -> None:
    (answer,) = predictor.predict([Pair(dataset / "images" / "1-7.jpg", "whole milk")])
    assert answer.brand_top5[0] == (answer.brand, answer.brand_confidence)
    assert sorted(brand for brand, _ in answer.brand_top5) == ["", "brand-0", "brand-1"]
    assert sum(confidence for _, confidence in answer.brand_top5) == pytest.approx(1.0, abs=1e-5)


def test_all_probabilities_are_those_of_the_answers(predictor: Predictor, pairs: list[Pair]) -> None:
    asked = [*pairs[:3], Pair(b"", "tea"), *pairs[3:]]
    said = predictor.probabilities(asked, batch_size=3)
    assert (said.brand.shape, said.product.shape) == ((9, 3), (9, 3))
    for row, answer in enumerate(predictor.predict(asked, batch_size=3)):
        assert said.errors[row] == answer.error
        if answer.error is None:
            assert said.product[row].max() == pytest.approx(answer.product_confidence)
            assert said.brand[row].max() == pytest.approx(answer.brand_confidence)
        else:
            assert np.isnan(said.product[row]).all()
            assert np.isnan(said.brand[row]).all()


def test_a_pair_may_have_no_picture(predictor: Predictor, dataset: Path) -> None:
    """Without one the title alone answers, whatever pictures its neighbours have."""
    others = [Pair(dataset / "images" / f"{number}-7.jpg", "茶") for number in range(3)]
    alone, beside = (
        predictor.predict([Pair(None, "whole milk")])[0],
        predictor.predict([*others, Pair(None, "whole milk")]),
    )
    same(beside[3], alone)
    assert alone.error is None
    white, black = (Image.new("RGB", (64, 64), colour) for colour in ("white", "black"))
    for image in (white, black):
        file = io.BytesIO()
        image.save(file, "PNG")
        seen = predictor.predict([Pair(file.getvalue(), "whole milk")])[0]
        assert seen.product_confidence != pytest.approx(alone.product_confidence, abs=1e-6)


def test_goods_without_a_brand_have_none(predictor: Predictor, dataset: Path) -> None:
    (answer,) = predictor.predict([Pair(dataset / "images" / "2-7.jpg", "绿茶")])
    assert (answer.brand, answer.product) == ("", "product-2")


def test_a_picture_may_be_bytes(predictor: Predictor, dataset: Path) -> None:
    path = dataset / "images" / "0-7.jpg"
    same(*predictor.predict([Pair(path, "juice"), Pair(path.read_bytes(), "juice")]))


def test_nothing_asked_nothing_answered(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


@pytest.mark.parametrize("batch_size", [1, 3, 8, 100])
def test_the_batch_changes_no_answer(predictor: Predictor, pairs: list[Pair], batch_size: int) -> None:
    alone = [predictor.predict([pair])[0] for pair in pairs]
    for left, right in zip(predictor.predict(pairs, batch_size=batch_size), alone, strict=True):
        same(left, right)


def test_the_order_changes_no_answer(predictor: Predictor, pairs: list[Pair]) -> None:
    places = list(range(len(pairs)))
    random.Random(5).shuffle(places)
    shuffled = predictor.predict([pairs[place] for place in places])
    answers = predictor.predict(pairs)
    for place, answer in zip(places, shuffled, strict=True):
        same(answer, answers[place])


def test_asking_twice_gives_the_same_answer(predictor: Predictor, pairs: list[Pair]) -> None:
    assert predictor.predict(pairs) == predictor.predict(pairs)


def test_a_model_loaded_again_gives_the_same_answer(
    predictor: Predictor, model_folder: Path, pairs: list[Pair]
) -> None:
    again = Predictor.load(model_folder, precision=predictor.precision)
    assert again.predict(pairs) == predictor.predict(pairs)


BAD: list[Path | bytes] = [b"", b"<html>404</html>", Path("/nowhere/at/all.jpg"), Path("/")]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_picture_fails_alone(predictor: Predictor, pairs: list[Pair], bad: Path | bytes) -> None:
    answers = predictor.predict([*pairs[:3], Pair(bad, "orange juice"), *pairs[3:]], batch_size=4)
    assert answers[3].error
    assert (answers[3].brand, answers[3].product, answers[3].top5) == ("", "", [])
    for answer, wanted in zip(answers[:3] + answers[4:], predictor.predict(pairs), strict=True):
        same(answer, wanted)


def test_only_bad_pictures_are_only_errors(predictor: Predictor) -> None:
    answers = predictor.predict([Pair(bad, "tea") for bad in BAD], batch_size=3)
    assert all(answer.error for answer in answers)


def test_a_picture_of_one_pixel_is_answered(predictor: Predictor, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "one.png")
    assert predictor.predict([Pair(tmp_path / "one.png", "tea")])[0].error is None


@pytest.mark.parametrize("title", ["", " ", "\0", "\ud83d", "茶" * 100_000, "[MASK] [PAD] [SEP]", "<script>", "\u202e"])
def test_any_title_is_answered(predictor: Predictor, dataset: Path, title: str) -> None:
    assert predictor.predict([Pair(dataset / "images" / "0-7.jpg", title)])[0].error is None


def test_an_impossible_batch_size_is_named(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="batch_size=0"):
        predictor.predict([], batch_size=0)


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_several_threads_change_no_answer(predictor: Predictor, pairs: list[Pair]) -> None:
    asked = [*pairs, Pair(b"", "tea"), *pairs]
    answers = predictor.predict(asked)
    assert torch.get_num_threads() == 3
    assert [bool(answer.error) for answer in answers] == [pair.image == b"" for pair in asked]
    for answer, pair in zip(answers, asked, strict=True):
        if not answer.error:
            same(answer, predictor.predict([pair])[0])


class Greedy(torch.nn.Module):
    """A model for which the memory suffices only for `most` pairs at a time."""

    def __init__(self, model: torch.nn.Module, *, most: int, error: Exception) -> None:
        super().__init__()
        self.model, self.most, self.error = model, most, error
        self.sizes: list[int] = []

    def forward(self, batch: PairBatch) -> object:
        self.sizes.append(len(batch))
        if len(batch) > self.most:
            raise self.error
        return self.model(batch)


ERRORS = [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]


@pytest.mark.parametrize("error", ERRORS)
def test_out_of_memory_halves_the_batch(model_folder: Path, pairs: list[Pair], error: Exception) -> None:
    predictor = Predictor.load(model_folder)
    wanted = predictor.predict(pairs)
    predictor.model = Greedy(predictor.model, most=1, error=error)  # type: ignore[assignment]
    for answer, right in zip(predictor.predict(pairs), wanted, strict=True):
        same(answer, right)
    assert predictor.model.sizes == [4, 2, 1, 1, 2, 1, 1] * 2


def test_a_pair_too_large_for_the_memory_fails_alone(model_folder: Path, pairs: list[Pair]) -> None:
    predictor = Predictor.load(model_folder)
    predictor.model = Greedy(predictor.model, most=0, error=ERRORS[0])  # type: ignore[assignment]
    assert all("memory" in str(answer.error) for answer in predictor.predict(pairs))


def test_other_errors_of_a_model_are_raised(model_folder: Path, pairs: list[Pair]) -> None:
    predictor = Predictor.load(model_folder)
    predictor.model = Greedy(predictor.model, most=0, error=RuntimeError("broken"))  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="broken"):
        predictor.predict(pairs)
