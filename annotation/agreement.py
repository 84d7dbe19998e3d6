"""How far annotators agree: Krippendorff's alpha of each product, Cohen's kappa of each pair of annotators.

What counts is each annotator's word (see `annotation.words`): match or no match. "Unsure" is left out, and counted.
Computed by a worker, from one aggregation; the figures are kept in the cache until they are computed again.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from annotation.words import MATCH, items_of_several, meaning
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

COMPUTE = "annotation.tasks.compute_agreement"
_FIGURES, _PROGRESS, _TURN = "annotation:agreement", "annotation:agreement-progress", "annotation:agreement-turn"
# Whoever has not said for so long how far he is, is gone.
SILENT_AFTER = timedelta(minutes=2)
_TELL_EVERY = 200

# An item is (product, listing); what is said of it: annotator's id -> whether it is a match.
Item = tuple[str, str]
Said = Mapping[int, bool]


def agreement_start() -> None:
    """Have a worker compute the figures, unless one is at it."""
    if agreement_progress() is None:
        _tell("waiting")
        nudge(COMPUTE)


def agreement_figures() -> dict[str, Any] | None:
    """The figures computed last: {"at", "products", "pairs", "count", "unsure"}; None before the first time."""
    return cache.get(_FIGURES)


def agreement_progress() -> dict[str, Any] | None:
    """How far the computation is: {"stage", "done", "total", "at"}; None when nobody is at it."""
    progress = cache.get(_PROGRESS)
    if progress is None or timezone.now() - datetime.fromisoformat(progress["at"]) > SILENT_AFTER:
        return None
    return progress


def agreement_compute() -> bool:
    """Compute the figures and keep them; False when another worker is at it."""
    if not cache.add(_TURN, 1, SILENT_AFTER.total_seconds()):
        return False
    try:
        _tell("reading")
        items, names, products, unsure = _read(items_of_several())
        figures = {
            "products": _products(items, products),
            "pairs": _pairs(items, names),
            "count": len(items),
            "unsure": unsure,
            "at": timezone.now().isoformat(),
        }
        cache.set(_FIGURES, figures, None)
    finally:
        cache.delete_many([_PROGRESS, _TURN])
    return True


def _tell(stage: str, done: int = 0, total: int = 0) -> None:
    told = {"stage": stage, "done": done, "total": total, "at": timezone.now().isoformat()}
    cache.set(_PROGRESS, told, SILENT_AFTER.total_seconds())
    cache.touch(_TURN, SILENT_AFTER.total_seconds())


def _read(found: Iterable[dict[str, Any]]) -> tuple[dict[Item, Said], dict[int, str], dict[str, str], int]:
    """Items of at least two annotators who said match or no match, names of annotators and products, unsure words."""
    items: dict[Item, Said] = {}
    names: dict[int, str] = {}
    products: dict[str, str] = {}
    unsure = 0
    for number, one in enumerate(found):
        said = {}
        for word in one["words"]:
            means = meaning(word["word"])
            if means:
                said[word["annotator"]] = means == MATCH
                names[word["annotator"]] = word["name"]
            unsure += not means
        if len(said) > 1:
            item = (one["_id"]["product"], one["_id"]["listing"])
            items[item] = said
            products[item[0]] = one["product_name"]
        if number % 10_000 == 0:
            _tell("reading", number)
    return items, names, products, unsure


def _products(items: Mapping[Item, Said], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The figures of each product, the least agreement first."""
    by_product: dict[str, dict[str, Said]] = defaultdict(dict)
    for (product, listing), said in items.items():
        by_product[product][listing] = said
    found = []
    for number, (product, listings) in enumerate(by_product.items()):
        if number % _TELL_EVERY == 0:
            _tell("products", number, len(by_product))
        found.append(
            {
                "id": product,
                "name": names[product],
                "alpha": krippendorff_alpha(listings),
                "listings": len(listings),
                "annotators": len({annotator for said in listings.values() for annotator in said}),
            }
        )
    return sorted(found, key=lambda one: (one["alpha"], one["name"]))


def _pairs(items: Mapping[Item, Said], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """The figures of each two annotators with common items, the least agreement first."""
    common: dict[tuple[int, int], list[tuple[bool, bool]]] = defaultdict(list)
    for said in items.values():
        annotators = sorted(said)
        for place, first in enumerate(annotators):
            for second in annotators[place + 1 :]:
                common[first, second].append((said[first], said[second]))
    found = []
    for number, ((first, second), words) in enumerate(common.items()):
        if number % _TELL_EVERY == 0:
            _tell("pairs", number, len(common))
        found.append(
            {
                "first": names[first],
                "second": names[second],
                "kappa": cohen_kappa(words),
                "listings": len(words),
                "raw": sum(a == b for a, b in words) / len(words),
            }
        )
    return sorted(found, key=lambda one: (one["kappa"], one["first"], one["second"]))


def krippendorff_alpha(items: Mapping[str, Said]) -> float:
    """Krippendorff's alpha for nominal data; 1.0 where only one word was ever said.

    `items`: what each annotator said of each. Those with one annotator do not count (K. Krippendorff, Computing
    Krippendorff's Alpha-Reliability, 2011). Raises ValueError where nothing was said.
    """
    triples = [(coder, item, word) for item, said in items.items() for coder, word in said.items()]
    return float(_task(triples).alpha())


def cohen_kappa(words: Iterable[tuple[bool, bool]]) -> float:
    """Cohen's kappa of two annotators, from what both said of each item; 1.0 where both only ever said one word.

    (J. Cohen, A Coefficient of Agreement for Nominal Scales, 1960.)
    """
    triples = [(coder, item, word) for item, said in enumerate(words) for coder, word in enumerate(said)]
    return float(_task(triples).kappa_pairwise(0, 1))


def _task(triples: list[tuple[Any, Any, bool]]) -> Any:
    return _annotation_task()(data=triples)


def _annotation_task() -> Callable[..., Any]:
    from nltk.metrics.agreement import AnnotationTask  # a second and 105 MB: for the worker that computes alone

    return AnnotationTask
