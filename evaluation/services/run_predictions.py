"""The predictions of a run: one for each of its listings and versions, made once however often this is called.

`position` says where a prediction stands on the page. With two versions each listing has two places, 2n and 2n + 1; in
a blind run a draw by run and listing says which version stands first, so that a page that goes by positions tells
nothing, today or tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import Listing, WorkState
from crawler.selectors import listings_by_ids
from evaluation.models import Prediction, PredictionRun, TrainingPicture
from mmproject.ids import content_id
from mmproject.queue import nudge

PREDICT_PENDING = "evaluation.tasks.predict_pending"
# Workers take the oldest first: one that holds one model at a time so changes it once a run, not once a batch.
_OTHER_LATER = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Place:
    """One prediction that a run is to have."""

    position: int
    model_id: str
    model_name: str
    listing_id: str


def places(run: PredictionRun) -> Iterator[Place]:
    """All predictions that `run` is to have, in the order of its page."""
    for number, listing_id in enumerate(run.listing_ids):
        versions = _versions(run, listing_id)
        for side, (model_id, model_name) in enumerate(versions):
            yield Place(number * len(versions) + side, model_id, model_name, listing_id)


def predictions_create(run: PredictionRun) -> int:
    """Make the predictions that `run` still lacks and nudge the workers; returns how many were made.

    A listing without a picture fails alone, at once. Two callers at the same time make each prediction once.
    """
    made = 0
    for _attempt in range(3):
        existing = set(Prediction.objects.filter(run_id=run.id).values_list("position", flat=True))
        missing = [place for place in places(run) if place.position not in existing]
        if not missing:
            break
        predictions = _predictions(run, missing)
        try:
            Prediction.objects.bulk_create(predictions)
        except IntegrityError:  # somebody else is making them right now: look again at what is missing
            continue
        made += len(predictions)
        break
    if made:
        nudge(PREDICT_PENDING)
    return made


def _versions(run: PredictionRun, listing_id: str) -> list[tuple[str, str]]:
    """Id and name of the versions that answer for this listing, in the order in which they stand."""
    versions = [(run.model_id, run.model_name)]
    if run.other_model_id:
        versions.append((run.other_model_id, run.other_model_name))
    swapped = run.blind and int(content_id("side", run.id, listing_id), 16) % 2
    return versions[::-1] if swapped else versions


def _predictions(run: PredictionRun, missing: list[Place]) -> list[Prediction]:
    wanted = list(dict.fromkeys(place.listing_id for place in missing))
    listings = {listing.id: listing for listing in listings_by_ids(wanted)}
    trained_on = _trained_on(run, {listing.image_sha256 for listing in listings.values() if listing.image_sha256})
    now = timezone.now()
    predictions = []
    for place in missing:
        listing = listings.get(place.listing_id) or Listing(id=place.listing_id, source=run.source)
        prediction = Prediction(
            id=Prediction.make_id(run_id=run.id, model_id=place.model_id, listing_id=place.listing_id),
            run_id=run.id,
            position=place.position,
            model_id=place.model_id,
            model_name=place.model_name,
            listing_id=place.listing_id,
            **listing.offer(),
            trained_on=(place.model_id, listing.image_sha256) in trained_on,
            leased_until=now,
            created_at=now if place.model_id == run.model_id else now + _OTHER_LATER,
        )
        if not listing.image_sha256:
            prediction.state = WorkState.FAILED
            prediction.error = (listing.image_error or _("The listing has no picture."))[:300]
            prediction.predicted_at = now
        predictions.append(prediction)
    return predictions


def _trained_on(run: PredictionRun, pictures: set[str]) -> set[tuple[str, str]]:
    """(model, picture) of those of the pictures that the run's versions had in their training."""
    models = [one for one in (run.model_id, run.other_model_id) if one]
    keys = {
        TrainingPicture.make_id(run_id=model, image_sha256=sha): (model, sha) for model in models for sha in pictures
    }
    found = TrainingPicture.objects.filter(id__in=list(keys)).values_list("id", flat=True)
    return {keys[key] for key in found}
