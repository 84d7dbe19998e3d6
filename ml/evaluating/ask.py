"""All questions of a split put to a model, a batch at a time; memory holds a few numbers a record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.data.errors import PictureError
from ml.data.records import Dataset, Record
from ml.evaluating.answers import HeadAnswers
from ml.evaluating.questions import EvaluationError, Mode, brand_spellings, question

if TYPE_CHECKING:
    from ml.serving.predictor import Predictor


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Answers of both heads, in one order; `rows` (N,) are the places of their records in the split.

    `unreadable`: ids of the records whose picture cannot be read, and why.
    """

    brand: HeadAnswers
    product: HeadAnswers
    rows: np.ndarray
    unreadable: list[tuple[str, str]]


def ask(
    predictor: "Predictor",
    *,
    data: Dataset,
    records: Sequence[Record],
    mode: Mode,
    batch_size: int,
    tell: Callable[[int], None],
) -> Asked:
    """`tell(n)` after each n records. Raises EvaluationError when no answer can be compared with a truth."""
    spellings = brand_spellings(data) if mode == "mask-brand" else {}
    labels = predictor.labels
    brands, products, rows = [], [], []
    unreadable: list[tuple[str, str]] = []
    for start in range(0, len(records), batch_size):
        batch = records[start : start + batch_size]
        questions, places = [], []
        for place, record in enumerate(batch, start):
            try:
                questions.append(question(data, record, mode=mode, spellings=spellings))
                places.append(place)
            except PictureError as error:
                unreadable.append((record.id, str(error)))
        said = predictor.probabilities([one.pair for one in questions], batch_size=batch_size)
        unreadable += [(one.id, error) for one, error in zip(questions, said.errors, strict=True) if error is not None]
        kept = np.array([error is None for error in said.errors], dtype=bool)
        brand_truth = np.array([labels.brand_index.get(one.brand, -1) for one in questions], dtype=int)
        product_truth = np.array([labels.product_index.get(one.product, -1) for one in questions], dtype=int)
        brands.append(HeadAnswers.of(said.brand[kept], brand_truth[kept]))
        products.append(HeadAnswers.of(said.product[kept], product_truth[kept]))
        rows.append(np.array(places, dtype=int)[kept])
        tell(len(batch))
    asked = Asked(
        brand=HeadAnswers.join(brands),
        product=HeadAnswers.join(products),
        rows=np.concatenate(rows),
        unreadable=unreadable,
    )
    if not len(asked.rows):
        identity, why = unreadable[0]
        raise EvaluationError(f"none of {len(records)} pictures can be read; the first is of {identity!r}: {why}")
    if (asked.product.truth < 0).all():
        known = len(labels.products)
        raise EvaluationError(
            f"the model knows {known} products, and none of the {len(asked.rows)} listings is of one of them: "
            "evaluate it on data of the catalogue that it was trained on"
        )
    return asked
