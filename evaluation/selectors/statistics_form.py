"""What the form of filters shows."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from evaluation.columns import DIMENSIONS
from evaluation.models import TallyName, Verdict
from evaluation.selectors.statistics import judged_models
from evaluation.selectors.statistics_filters import ALL, BANDS, FRESH, KNOWN, Filters
from mmproject.mongo.collections import collection

TYPED = ("product", "brand", "shop", "source", "evaluator")
MAX_NAMES = 20


def form_values(filters: Filters, data: Mapping[str, str]) -> dict[str, Any]:
    """The choices and what is chosen; what somebody typed stays, also where it is wrong. Two queries at most."""
    names = _names(filters)
    labels = {
        "product": _("Product"),
        "brand": _("Brand"),
        "shop": _("Shop"),
        "source": _("Source"),
        "evaluator": _("Evaluator"),
    }
    return {
        "models": judged_models(),
        "verdicts": Verdict.choices,
        "bands": BANDS,
        "refusals": [("no", _("a product")), ("yes", _("not in our catalogue"))],
        "pictures": [
            ("", _("new to the model; in the table all")),
            (FRESH, _("new to the model")),
            (KNOWN, _("trained on")),
            (ALL, _("all")),
        ],
        "typed": [(name, labels[name], names.get(name, getattr(filters, name))) for name in TYPED],
        "right": names.get("right", filters.right),
        "since": data.get("since", ""),
        "until": data.get("until", ""),
    }


def _names(filters: Filters) -> dict[str, str]:
    """How the values are called that the filters name by their ids."""
    asked = {name: getattr(filters, name) for name in (*TYPED, "right") if getattr(filters, name)}
    if not asked:
        return {}
    keys = {name: TallyName.make_id(dimension=DIMENSIONS[name].names, value=value) for name, value in asked.items()}
    found = dict(TallyName.objects.filter(id__in=list(keys.values())).values_list("id", "name"))
    return {name: found[key] for name, key in keys.items() if found.get(key)}


def names_like(dimension: str, typed: str) -> list[str] | None:
    """Names that hold what is typed; None for a dimension that is not typed."""
    if dimension not in TYPED:
        return None
    wanted: dict[str, Any] = {"dimension": DIMENSIONS[dimension].names, "name": {"$gt": ""}}
    if typed.strip():
        wanted["name"] = {"$regex": re.escape(typed.strip()[:100]), "$options": "i"}
    rows = collection(TallyName).find(wanted, {"_id": 0, "name": 1}, sort=[("name", 1)], limit=MAX_NAMES)
    return list(dict.fromkeys(row["name"] for row in rows))
