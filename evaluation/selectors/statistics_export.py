"""The table of judgments as a file, in pieces."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from annotation.tables.cells import exported
from annotation.tables.exporting import csv_bytes, xlsx_bytes
from evaluation.models import Judgment
from evaluation.selectors.statistics_filters import Filters
from evaluation.selectors.statistics_table import judgments_of

MAX_XLSX_ROWS = 1_048_575  # a sheet's rows less the heading (ECMA-376)
FORMATS = ("csv", "xlsx")
COLUMNS = (
    *("id", "judged_at", "evaluator_name", "verdict", "model_id", "model_name", "trained_on", "rejected"),
    *("predicted_brand_id", "predicted_brand_name", "predicted_product_id", "predicted_product_name"),
    *("product_confidence", "right_brand_id", "right_brand_name", "right_product_id", "right_product_name"),
    *("listing_id", "source", "keyword", "title", "price", "currency", "shop_name", "url", "image_sha256"),
    *("run_id", "prediction_id"),
)


def table_file(filters: Filters, *, format: str) -> Iterator[bytes]:
    """`format`: one of FORMATS; a sheet ends after MAX_XLSX_ROWS. What a spreadsheet would run is made harmless."""
    rows = (_cells(judgment) for judgment in judgments_of(filters))
    if format == "xlsx":
        return xlsx_bytes(COLUMNS, islice(rows, MAX_XLSX_ROWS))
    return csv_bytes(COLUMNS, rows)


def _cells(judgment: Judgment) -> list[Any]:
    return [exported(getattr(judgment, name)) for name in COLUMNS]
