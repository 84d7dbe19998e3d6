"""The prediction worker: take waiting predictions under a lease, ask the model, write the answers.

A worker that dies leaves a lease behind that runs out; the next worker takes the rows again. A row that was being
worked on when a worker died is retried alone, so that a picture that kills workers cannot drag its neighbours along,
and is given up after MAX_ATTEMPTS. An answer is written only to a row that still waits, so nothing is answered twice.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Brand, Product
from crawler.images import read_image
from crawler.models import WorkState
from evaluation.models import ModelVersion, Prediction
from evaluation.services.loaded import ModelUnusableError, predictor_for
from evaluation.services.runs import PREDICT_PENDING, run_finish, runs_fail
from ml.serving import MatchPrediction, Pair
from mmproject.ids import new_id
from mmproject.queue import nudge

if TYPE_CHECKING:
    from ml.serving.predictor import Predictor

logger = logging.getLogger(__name__)

BATCH = 16
LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 3
MAX_BATCHES = 100  # then the task queues itself again, so that a worker that is asked to stop can


def predictions_run() -> int:
    """Answer waiting predictions until none is left to take; returns how many were answered."""
    answered = 0
    for batch in range(MAX_BATCHES):
        row = _next_row()
        if row is None:
            return answered
        try:
            predictor = predictor_for(row.model_id)
        except ModelUnusableError as error:
            logger.error("model %s is unusable: %s", row.model_id, error)
            model = ModelVersion.objects.filter(id=row.model_id).first()
            runs_fail(model=model, model_id=row.model_id, reason=str(error))
            continue
        rows = _lease(row)
        if not batch and _waiting().exists():
            nudge(PREDICT_PENDING)  # another worker can take what this one leaves; without one it finds nothing to do
        answered += _answer(rows, predictor=predictor)
        for run_id in {row.run_id for row in rows}:
            run_finish(run_id=run_id)
    nudge(PREDICT_PENDING)
    return answered


def _waiting() -> QuerySet:
    return Prediction.objects.filter(state=WorkState.PENDING, leased_until__lte=timezone.now())


def _in_turn(rows: QuerySet) -> QuerySet:
    """Those that never failed first, then by their place in their run: one listing need not wait for another's ten
    thousand, and what comes from several runs fills a batch together."""
    return rows.order_by("attempts", "position", "created_at")


def _next_row() -> Prediction | None:
    """The row that comes next, which nobody works on."""
    while row := _in_turn(_waiting()).first():
        if row.attempts < MAX_ATTEMPTS:
            return row
        reason = _("The prediction worker stopped %(count)d times at this listing.") % {"count": row.attempts}
        _fail(row, reason=reason)
        run_finish(run_id=row.run_id)
    return None


def _lease(row: Prediction) -> list[Prediction]:
    """Take `row` and, on its first attempt, its neighbours; only what this call took, not what another did."""
    waiting = _in_turn(_waiting().filter(model_id=row.model_id, attempts=row.attempts))
    ids = [row.id] if row.attempts else list(waiting.values_list("id", flat=True)[:BATCH])
    token = new_id()
    now = timezone.now()
    # Each document changes only if nobody else has raised its attempts since: a compare-and-set.
    Prediction.objects.filter(id__in=ids, state=WorkState.PENDING, attempts=row.attempts, leased_until__lte=now).update(
        attempts=row.attempts + 1, lease_token=token, leased_until=now + LEASE
    )
    return list(Prediction.objects.filter(lease_token=token, state=WorkState.PENDING).order_by("position"))


def _answer(rows: Sequence[Prediction], *, predictor: "Predictor") -> int:
    """Predict and write; a picture that cannot be read fails alone. Returns how many answers were written."""
    readable, pairs = [], []
    for row in rows:
        try:
            pairs.append(Pair(image=read_image(row.image_sha256), title=row.title))
            readable.append(row)
        except Exception as error:  # whatever is wrong with one picture is that listing's own failure
            logger.warning("picture %s cannot be read: %s", row.image_sha256, error)
            _fail(row, reason=_("The stored picture cannot be read."))
    if not readable:
        return 0
    results = predict_pairs(predictor, pairs)
    names = catalogue_names(results)
    threshold = _threshold(rows[0].model_id)
    answered = zip(readable, results, strict=True)
    return sum(_write(row, result, names=names, threshold=threshold) for row, result in answered)


def _threshold(model_id: str) -> float:
    """Below this confidence the version's answer is "not in our catalogue"; asked anew each batch: people change it."""
    chosen = ModelVersion.objects.filter(id=model_id).values_list("threshold", flat=True).first()
    return chosen if chosen is not None else 0.0


def predict_pairs(predictor: "Predictor", pairs: list[Pair]) -> list[MatchPrediction | Exception]:
    """One answer a pair. When the batch as a whole fails, each pair is tried alone."""
    try:
        return list(predictor.predict(pairs, batch_size=BATCH))
    except Exception as error:
        if len(pairs) == 1:
            logger.exception("a prediction failed")
            return [error]
        logger.warning("a batch failed, trying one by one: %s", error)
        return [result for pair in pairs for result in predict_pairs(predictor, [pair])]


@dataclass(frozen=True)
class CatalogueNames:
    """By id."""

    products: dict[str, str]
    brands: dict[str, str]


def catalogue_names(results: Sequence[MatchPrediction | Exception]) -> CatalogueNames:
    """What the catalogue calls the predicted ids now."""
    good = [result for result in results if not isinstance(result, Exception)]
    product_ids = {product for result in good for product, _confidence in result.top5 or []}
    product_ids |= {result.product for result in good if result.product}
    brand_ids = {result.brand for result in good if result.brand}
    return CatalogueNames(
        products=dict(Product.objects.filter(id__in=list(product_ids)).values_list("id", "name")),
        brands=dict(Brand.objects.filter(id__in=list(brand_ids)).values_list("id", "name")),
    )


def _write(row: Prediction, result: MatchPrediction | Exception, *, names: CatalogueNames, threshold: float) -> int:
    if isinstance(result, Exception) or result.error:
        reason = str(result) if isinstance(result, Exception) else result.error
        return _fail(row, reason=_("The model could not answer: %(reason)s") % {"reason": reason})
    top5 = [[product, names.products.get(product, product), confidence] for product, confidence in result.top5 or []]
    return _still_waiting(row).update(
        state=WorkState.DONE,
        predicted_at=timezone.now(),
        brand_id=result.brand or "",
        brand_name=names.brands.get(result.brand, result.brand or "")[:120],
        brand_confidence=result.brand_confidence,
        product_id=result.product,
        product_name=names.products.get(result.product, result.product)[:200],
        product_confidence=result.product_confidence,
        top5=top5,
        rejected=result.product_confidence < threshold,
    )


def _fail(row: Prediction, *, reason: str) -> int:
    return _still_waiting(row).update(state=WorkState.FAILED, error=reason[:300], predicted_at=timezone.now())


def _still_waiting(row: Prediction) -> QuerySet:
    return Prediction.objects.filter(id=row.id, state=WorkState.PENDING)
