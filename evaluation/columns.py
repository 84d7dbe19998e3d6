"""Judgments as columns of small whole numbers: what is counted, and how it is packed into bytes.

A million judgments are 60 MB so, of which a page reads 8, against a gigabyte of documents. Little-endian, each
column as wide as its largest number needs: its width is its length over the number of rows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from evaluation.models.judgments import Verdict

PART_ROWS = 50_000
CONFIDENCE_STEPS = 10_000  # confidences are counted in steps of 0.01 %, rounded down
ABSENT = ""  # the right product of a listing that shows none of ours


@dataclass(frozen=True)
class Dimension:
    """A field whose values are counted apart; its values have their numbers in the TallyNames of `names`."""

    field: str
    name_field: str
    names: str


DIMENSIONS = {
    "model": Dimension("model_id", "model_name", "model"),
    "product": Dimension("predicted_product_id", "predicted_product_name", "product"),
    "brand": Dimension("predicted_brand_id", "predicted_brand_name", "brand"),
    "shop": Dimension("shop_name", "shop_name", "shop"),
    "source": Dimension("source", "source", "source"),
    "evaluator": Dimension("evaluator_id", "evaluator_name", "evaluator"),
    "right": Dimension("right_product_id", "right_product_name", "product"),
}


class Outcome(IntEnum):
    """What a judgment says. `refused`: the model had said that the product is not in our catalogue."""

    RIGHT = 0
    WRONG_SAME_BRAND = 1
    WRONG_OTHER_BRAND = 2
    WRONG_BRAND_UNKNOWN = 3  # the right product is not in our catalogue, or has no brand
    UNSURE = 4
    REFUSED_RIGHTLY = 5
    REFUSED_WRONGLY = 6
    REFUSED_UNSURE = 7


TRAINED_ON = 8  # added to an outcome: the model had this very picture in its training
OUTCOMES = 16
VERDICTS = {
    Verdict.RIGHT: (Outcome.RIGHT, Outcome.REFUSED_RIGHTLY),
    Verdict.WRONG: (
        Outcome.WRONG_SAME_BRAND,
        Outcome.WRONG_OTHER_BRAND,
        Outcome.WRONG_BRAND_UNKNOWN,
        Outcome.REFUSED_WRONGLY,
    ),
    Verdict.UNSURE: (Outcome.UNSURE, Outcome.REFUSED_UNSURE),
}
REFUSED = (Outcome.REFUSED_RIGHTLY, Outcome.REFUSED_WRONGLY, Outcome.REFUSED_UNSURE)
# What a judgment's document must hold to be packed.
FIELDS = sorted(
    {
        *(field for one in DIMENSIONS.values() for field in (one.field, one.name_field)),
        *("id", "prediction_id", "listing_id", "verdict", "right_brand_id", "rejected", "trained_on"),
        *("product_confidence", "judged_at"),
    }
)


def value_of(row: Mapping[str, Any], dimension: str) -> str:
    """The value of a judgment's document in a dimension; "" for none."""
    value = row.get(DIMENSIONS[dimension].field)
    return "" if value is None else str(value)


def outcome_of(row: Mapping[str, Any]) -> int:
    """An Outcome, with TRAINED_ON added where that is so."""
    trained_on = TRAINED_ON if row.get("trained_on") else 0
    verdict = row["verdict"]
    if row.get("rejected"):
        refused = {Verdict.RIGHT: Outcome.REFUSED_RIGHTLY, Verdict.WRONG: Outcome.REFUSED_WRONGLY}
        return refused.get(verdict, Outcome.REFUSED_UNSURE) + trained_on
    if verdict == Verdict.RIGHT:
        return Outcome.RIGHT + trained_on
    if verdict != Verdict.WRONG:
        return Outcome.UNSURE + trained_on
    if not row.get("right_brand_id"):
        return Outcome.WRONG_BRAND_UNKNOWN + trained_on
    is_same = row["right_brand_id"] == row.get("predicted_brand_id")
    return (Outcome.WRONG_SAME_BRAND if is_same else Outcome.WRONG_OTHER_BRAND) + trained_on


def confidence_step(confidence: float | None) -> int:
    """0..CONFIDENCE_STEPS. 0.57 is 5,700 steps, though the nearest float times 10,000 is a little less."""
    return min(max(int((confidence or 0.0) * CONFIDENCE_STEPS + 1e-9), 0), CONFIDENCE_STEPS)


def packed(rows: Sequence[Mapping[str, Any]], numbers: Mapping[tuple[str, str], int]) -> dict[str, bytes]:
    """The columns of these documents. `numbers`: of each (names, value) that occurs."""
    columns = {
        name: _smallest([numbers[dimension.names, value_of(row, name)] for row in rows])
        for name, dimension in DIMENSIONS.items()
    }
    columns["outcome"] = bytes(outcome_of(row) for row in rows)
    columns["confidence"] = _smallest([confidence_step(row.get("product_confidence")) for row in rows])
    columns["listing"] = b"".join(_digest(row["listing_id"]) for row in rows)
    columns["prediction"] = b"".join(_digest(row["prediction_id"]) for row in rows)
    columns["id"] = "\n".join(row["id"] for row in rows).encode()
    return columns


def unpacked(data: bytes, count: int) -> np.ndarray:
    """A column (count,) of unsigned numbers."""
    return np.frombuffer(data, dtype=f"<u{len(data) // count}")


def unpacked_ids(data: bytes) -> list[str]:
    return data.decode().split("\n")


def _smallest(numbers: Sequence[int]) -> bytes:
    largest = max(numbers, default=0)
    width = next(width for width in (1, 2, 4, 8) if largest < 1 << 8 * width)
    return np.array(numbers, dtype=f"<u{width}").tobytes()


def _digest(text: str) -> bytes:
    """Eight bytes of SHA-256: of a million different texts two are the same once in 40 million times."""
    return hashlib.sha256(text.encode()).digest()[:8]
