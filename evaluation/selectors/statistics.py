"""How often the model is right, as people judged it: one aggregation pipeline for all figures, one page of the table.

Judgments on pictures that the model was trained on say nothing about fresh listings: they are counted apart.
Product: right / (right + wrong). Brand: right when the product is right or the right product is of the predicted brand;
out of the same judgments, less those whose right brand nobody named (the product is not in our catalogue).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils import timezone

from evaluation.accuracy import Accuracy
from evaluation.models import Judgment, ModelVersion, Verdict
from mmproject.mongo.collections import collection

PAGE_SIZE = 50
MAX_GROUPS = 200
MAX_MIXUPS = 15


@dataclass(frozen=True)
class Row:
    """The figures of one group of judgments."""

    key: str
    name: str
    right: int
    wrong: int
    unsure: int
    brand_right: int
    brand_wrong: int

    @property
    def product(self) -> Accuracy:
        return Accuracy(self.right, self.right + self.wrong)

    @property
    def brand(self) -> Accuracy:
        return Accuracy(self.brand_right, self.brand_right + self.brand_wrong)

    @property
    def judged(self) -> int:
        return self.right + self.wrong + self.unsure


@dataclass(frozen=True)
class MixUp:
    """How often one product was taken for another."""

    predicted: str
    right: str  # empty: not in our catalogue
    count: int


@dataclass(frozen=True)
class Statistics:
    fresh: Row  # pictures that the model had not seen: what the headline shows
    trained_on: Row  # pictures of its own training
    by_model: list[Row]
    by_product: list[Row]
    by_day: list[Row]
    mix_ups: list[MixUp]


def statistics(*, model_id: str = "") -> Statistics:
    """All figures, of one model version or of all, in one query."""
    match: dict[str, Any] = {"model_id": model_id} if model_id else {}
    day = {
        "$dateToString": {"format": "%Y-%m-%d", "date": "$judged_at", "timezone": timezone.get_current_timezone_name()}
    }
    fresh = {"$match": {"trained_on": {"$ne": True}}}
    wrong = {"$match": {"verdict": str(Verdict.WRONG)}}
    pipeline = [
        {"$match": match},
        {
            "$facet": {
                "overall": [_group({"$ifNull": ["$trained_on", False]})],
                "by_model": [fresh, _group("$model_id", name="$model_name"), *_most(MAX_GROUPS)],
                "by_product": [
                    fresh,
                    _group("$predicted_product_id", name="$predicted_product_name"),
                    *_most(MAX_GROUPS),
                ],
                "by_day": [fresh, _group(day), {"$sort": {"_id": -1}}, {"$limit": MAX_GROUPS}],
                "mix_ups": [
                    fresh,
                    wrong,
                    {
                        "$group": {
                            "_id": {"predicted": "$predicted_product_name", "right": "$right_product_name"},
                            "count": {"$sum": 1},
                        }
                    },
                    {"$sort": {"count": -1, "_id": 1}},
                    {"$limit": MAX_MIXUPS},
                ],
            }
        },
    ]
    facets = next(iter(collection(Judgment).aggregate(pipeline)))
    overall = {bool(row["_id"]): _row(row) for row in facets["overall"]}
    none = Row("", "", 0, 0, 0, 0, 0)
    return Statistics(
        fresh=overall.get(False, none),
        trained_on=overall.get(True, none),
        by_model=[_row(row) for row in facets["by_model"]],
        by_product=[_row(row) for row in facets["by_product"]],
        by_day=[_row(row) for row in reversed(facets["by_day"])],
        mix_ups=[MixUp(row["_id"]["predicted"], row["_id"]["right"], row["count"]) for row in facets["mix_ups"]],
    )


def judgment_page(*, number: str | int = 1, model_id: str = "", verdict: str = "") -> Page:
    """One page of the table of all judgments, the newest first."""
    rows = Judgment.objects.order_by("-judged_at", "-id")
    if model_id:
        rows = rows.filter(model_id=model_id)
    if verdict:
        rows = rows.filter(verdict=verdict)
    return Paginator(rows, PAGE_SIZE).get_page(number)


def judged_models() -> list[ModelVersion]:
    """The versions to filter by, the newest first."""
    return list(ModelVersion.objects.order_by("-created_at")[:MAX_GROUPS])


def _group(key: Any, *, name: Any = "") -> dict[str, Any]:
    is_right = {"$eq": ["$verdict", str(Verdict.RIGHT)]}
    is_wrong = {"$eq": ["$verdict", str(Verdict.WRONG)]}
    brand_known = {"$and": [is_wrong, {"$ne": ["$right_brand_id", ""]}]}
    same_brand = {"$eq": ["$right_brand_id", "$predicted_brand_id"]}
    return {
        "$group": {
            "_id": key,
            "name": {"$last": name},
            "right": _count(is_right),
            "wrong": _count(is_wrong),
            "unsure": _count({"$eq": ["$verdict", str(Verdict.UNSURE)]}),
            "brand_right": _count({"$or": [is_right, {"$and": [brand_known, same_brand]}]}),
            "brand_wrong": _count({"$and": [brand_known, {"$not": [same_brand]}]}),
        }
    }


def _count(condition: dict[str, Any]) -> dict[str, Any]:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _most(limit: int) -> list[dict[str, Any]]:
    judged = {"$add": ["$right", "$wrong", "$unsure"]}
    return [{"$addFields": {"judged": judged}}, {"$sort": {"judged": -1, "_id": 1}}, {"$limit": limit}]


def _row(document: Mapping[str, Any]) -> Row:
    key = document["_id"]
    figures = {name: document[name] for name in ("right", "wrong", "unsure", "brand_right", "brand_wrong")}
    return Row(key=str(key), name=document["name"] or str(key), **figures)


def chart(figures: Statistics) -> dict[str, Any]:
    """What the page's script draws: the products judged most, and the accuracy from day to day."""
    products = figures.by_product[:20]
    return {
        "products": [row.name for row in products],
        "right": [row.right for row in products],
        "wrong": [row.wrong for row in products],
        "days": [str(date.fromisoformat(row.key)) for row in figures.by_day],
        "accuracy": [None if not row.product.of else round(row.product.percent, 1) for row in figures.by_day],
        "judged": [row.right + row.wrong for row in figures.by_day],
    }
