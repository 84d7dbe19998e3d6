"""The prediction worker's opinions of listings that annotators look at: in batches, each written once."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError
from django.utils import timezone

from crawler.images import read_image
from crawler.models import Listing
from crawler.selectors import listings_by_ids
from evaluation.models import ListingOpinion, ModelVersion
from evaluation.services import predictions
from evaluation.services.loaded import ModelUnusableError
from ml.serving import MatchPrediction, Pair

if TYPE_CHECKING:
    from ml.serving.predictor import Predictor

logger = logging.getLogger(__name__)


def opinions_predict(*, model_id: str, listing_ids: Sequence[str]) -> int:
    """Have the model look at those of these listings that it has no opinion of yet; returns how many it got one of.

    A picture that cannot be read, or that the model cannot answer, gets an opinion without a product, so that nobody
    asks again. A listing without a picture gets none. Does nothing for a model that is gone or cannot be loaded.
    """
    model = ModelVersion.objects.filter(id=model_id).first()
    if model is None:
        return 0
    keys = {one: ListingOpinion.make_id(model_id=model_id, listing_id=one) for one in listing_ids}
    known = set(ListingOpinion.objects.filter(id__in=list(keys.values())).values_list("id", flat=True))
    missing = [one for one in keys if keys[one] not in known]
    listings = [listing for listing in listings_by_ids(missing) if listing.image_sha256]
    if not listings:
        return 0
    try:
        predictor = predictions.predictor_for(model_id)
    except ModelUnusableError as error:
        logger.error("model %s is unusable: %s", model_id, error)
        return 0
    starts = range(0, len(listings), predictions.BATCH)
    return sum(_answer(model, listings[at : at + predictions.BATCH], predictor=predictor) for at in starts)


def _answer(model: ModelVersion, listings: Sequence[Listing], *, predictor: "Predictor") -> int:
    pairs = {listing.id: pair for listing in listings if (pair := _pair(listing))}
    results = dict(zip(pairs, predictions.predict_pairs(predictor, list(pairs.values())), strict=True)) if pairs else {}
    names = predictions.catalogue_names(list(results.values()))
    return sum(_write(model, listing, results.get(listing.id), names=names) for listing in listings)


def _pair(listing: Listing) -> Pair | None:
    try:
        return Pair(image=read_image(listing.image_sha256), title=listing.title)
    except Exception as error:  # whatever is wrong with one picture is that listing's own failure
        logger.warning("picture %s cannot be read: %s", listing.image_sha256, error)
        return None


def _write(
    model: ModelVersion,
    listing: Listing,
    result: MatchPrediction | Exception | None,
    *,
    names: predictions.CatalogueNames,
) -> int:
    opinion = ListingOpinion(
        id=ListingOpinion.make_id(model_id=model.id, listing_id=listing.id),
        model_id=model.id,
        about_id=listing.id,
        predicted_at=timezone.now(),
    )
    if result is not None and not isinstance(result, Exception) and not result.error:
        opinion.product_id = result.product
        opinion.product_name = names.products.get(result.product, result.product)[:200]
        opinion.brand_name = names.brands.get(result.brand, result.brand or "")[:120]
        opinion.confidence = result.product_confidence
    try:
        opinion.save(force_insert=True)
    except IntegrityError:  # another worker was asked the same and was faster
        return 0
    return 1
