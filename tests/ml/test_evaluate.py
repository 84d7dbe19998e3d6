"""The figures of an evaluation, from answers that a person can count."""

import json
from typing import Any

import numpy as np
import pytest

from ml.evaluating.answers import HeadAnswers
from ml.evaluating.evaluate import Evaluation, evaluate

BRANDS = [{"id": "", "name": ""}, {"id": "a", "name": "A"}, {"id": "b", "name": "B"}]
PRODUCTS = [
    {"id": "tea", "name": "Tea", "brand": ""},
    {"id": "a-milk", "name": "A milk", "brand": "a"},
    {"id": "b-milk", "name": "B milk", "brand": "b"},
    {"id": "b-juice", "name": "B juice", "brand": "b"},
]


def answers(said: list[int], truth: list[int], *, classes: int, sure: float = 0.7) -> HeadAnswers:
    """The head gives `sure` to what it says and shares out the rest."""
    rows = np.full((len(said), classes), (1 - sure) / (classes - 1), np.float32)
    rows[np.arange(len(said)), said] = sure
    return HeadAnswers.of(rows, np.array(truth))


def evaluated(**changes: Any) -> Evaluation:
    """Five listings: tea, A milk, B milk, B juice, and a product and brand that the model does not know."""
    values = {
        "about": {"split": "val"},
        "unreadable": 2,
        "product": answers([0, 1, 1, 3, 2], [0, 1, 2, 3, -1], classes=4),
        "brand": answers([0, 1, 2, 1, 2], [0, 1, 2, 2, -1], classes=3),
        "brands": BRANDS,
        "products": PRODUCTS,
    }
    return evaluate(**(values | changes))


def test_it_counts_what_a_person_counts() -> None:
    figures = evaluated()
    assert figures.counts == {"records": 7, "answered": 5, "unreadable": 2}
    assert (figures.product.top1["right"], figures.product.top1["total"]) == (3, 4)
    assert (figures.brand.top1["right"], figures.brand.top1["total"]) == (3, 4)
    assert figures.product.top5["accuracy"] == 1.0
    assert figures.product.calibration.ece.value == pytest.approx(0.05)  # 70 % sure, 75 % right
    assert figures.product.confused == [{"truth": "b-milk", "said": "a-milk", "count": 1}]
    assert figures.product.worst == {"names": ["B milk", "A milk"], "counts": [[0, 1], [0, 1]]}


def test_what_the_model_does_not_know_is_counted_apart() -> None:
    figures = evaluated()
    assert (figures.product.unknown, figures.brand.unknown) == (1, 1)
    assert sum(row.support for row in figures.product.classes) == 4
    assert sum(one.count for one in figures.product.calibration.bins) == 4


def test_a_brand_comes_from_its_head_and_from_the_product() -> None:
    """By product: none, a, a, b, b; by head: none, a, b, a, b. True: none, a, b, b, unknown."""
    consistency = evaluated().consistency
    assert (consistency.disagree["count"], consistency.disagree["total"]) == (2, 5)
    assert (consistency.brand_of_product["right"], consistency.brand_of_product["total"]) == (3, 4)


def test_classes_stand_worst_first_and_goods_without_a_brand_have_a_name() -> None:
    figures = evaluated()
    assert [row.id for row in figures.product.classes] == ["b-milk", "a-milk", "b-juice", "tea"]
    assert figures.product.classes[0].recall == 0.0
    assert figures.product.classes[1].precision == 0.5
    assert "(no brand)" in [row.name for row in figures.brand.classes]


def test_the_curve_ends_where_all_is_answered() -> None:
    curve = evaluated().product.risk_coverage
    assert (curve["coverage"][-1], curve["risk"][-1]) == (1.0, 0.25)


def test_a_long_curve_is_thinned() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=3000)
    product = HeadAnswers.of(rows, np.arange(3000) % 4)
    curve = evaluated(product=product, brand=answers([0] * 3000, [0] * 3000, classes=3)).product.risk_coverage
    assert len(curve["risk"]) == 200
    assert curve["coverage"][-1] == 1.0


def test_the_same_answers_give_the_same_json() -> None:
    once, twice = (json.dumps(evaluated().as_dict()) for _ in range(2))
    assert once == twice


def test_a_head_that_knows_none_of_the_truths_has_no_figures() -> None:
    figures = evaluated(brand=answers([0] * 5, [-1] * 5, classes=3)).brand
    assert figures.unknown == 5
    assert figures.top1["accuracy"] is figures.macro_f1.value is figures.calibration.ece.low is None
    assert figures.risk_coverage == {"area": None, "threshold": [], "coverage": [], "risk": []}


def test_parts_joined_are_the_whole() -> None:
    whole = answers([0, 1, 1, 3], [0, 1, 2, -1], classes=4)
    joined = HeadAnswers.join([whole.take(np.array([0])), whole.take(np.arange(1, 4))])
    for name in ("truth", "top", "confidence", "given", "brier"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))


def test_heads_that_answered_other_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="4 answers of the brand head, 5"):
        evaluated(brand=answers([0] * 4, [0] * 4, classes=3))
