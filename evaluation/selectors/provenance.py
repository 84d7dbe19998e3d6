"""Where a dataset's labels come from: every label and every judgment, as a line of labels.jsonl each."""

from collections.abc import Callable, Iterator
from typing import Any

from annotation.models import Label, Review
from evaluation.models import Judgment, Verdict

CHUNK = 2000
_LABEL = (
    "id",
    "listing_id",
    "product_id",
    "annotator_name",
    "created_at",
    "suggested_by",
    "judgment_id",
    "review",
    "reject_reason",
    "reviewer_name",
    "reviewed_at",
)
_JUDGMENT = (
    "id",
    "listing_id",
    "predicted_product_id",
    "right_product_id",
    "verdict",
    "rejected",
    "label_id",
    "model_name",
    "product_confidence",
    "evaluator_name",
    "judged_at",
)


def provenance(product_of: Callable[[str], str | None]) -> Iterator[dict[str, Any]]:
    """All labels and judgments of the listings for which `product_of` is not None.

    `used`: people's word counts, and it is what the dataset says of that listing.
    """
    for row in Label.objects.order_by("id").values(*_LABEL).iterator(chunk_size=CHUNK):
        product = product_of(row["listing_id"])
        if product is not None:
            used = row["review"] == Review.APPROVED and row["product_id"] == product
            yield _line("label", row) | {"used": used}
    for row in Judgment.objects.order_by("id").values(*_JUDGMENT).iterator(chunk_size=CHUNK):
        product = product_of(row["listing_id"])
        if product is not None:
            yield _line("judgment", row) | {"used": bool(product) and _judged_product(row) == product}


def _judged_product(row: dict[str, Any]) -> str:
    if row["verdict"] == Verdict.RIGHT:
        return "" if row["rejected"] else row["predicted_product_id"]
    return row["right_product_id"] if row["verdict"] == Verdict.WRONG else ""


def _line(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    values = {name.removesuffix("_id"): value for name, value in row.items()}
    return {"kind": kind} | {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()
    }
