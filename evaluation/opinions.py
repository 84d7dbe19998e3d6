"""The active model's opinions of listings, as annotation asks for them."""

import logging
from collections.abc import Sequence

from django.core.cache import cache
from redis.exceptions import RedisError

from annotation.opinions import Opinion
from evaluation.models import ListingOpinion
from evaluation.selectors.models import active_model
from mmproject.ids import content_id
from mmproject.queue import nudge
from mmproject.remembered import remembered

logger = logging.getLogger(__name__)

PREDICT_OPINIONS = "evaluation.tasks.predict_opinions"
ASK_AGAIN_AFTER_S = 60  # a lost question, or a worker that died over it


class ModelOpinions:
    """Reads what workers wrote and asks them for what is missing. Implements `annotation.opinions.Provider`."""

    def active_model(self) -> str:
        """Every search page asks, so a process keeps the answer for two seconds."""

        def name() -> str:
            model = active_model()
            return model.name if model else ""

        return remembered("active model's name", name, seconds=2)

    def opinions_of(self, listing_ids: Sequence[str]) -> dict[str, Opinion]:
        """Two queries, by key."""
        model = active_model()
        if model is None:
            return {}
        keys = [ListingOpinion.make_id(model_id=model.id, listing_id=listing_id) for listing_id in listing_ids]
        return {
            found.about_id: Opinion(
                listing_id=found.about_id,
                product_id=found.product_id,
                product_name=found.product_name,
                brand_name=found.brand_name,
                confidence=found.confidence,
                model=model.name,
            )
            for found in ListingOpinion.objects.filter(id__in=keys)
        }

    def ask(self, listing_ids: Sequence[str]) -> None:
        """Queue one batch; the same again within a minute, by whomever, queues nothing. Without a model nothing."""
        model = active_model()
        if model is None:
            return
        keys = {ListingOpinion.make_id(model_id=model.id, listing_id=one): one for one in listing_ids}
        known = set(ListingOpinion.objects.filter(id__in=list(keys)).values_list("id", flat=True))
        missing = sorted(listing_id for key, listing_id in keys.items() if key not in known)
        if missing and _first_to_ask(content_id(model.id, *missing)):
            nudge(PREDICT_OPINIONS, model.id, *missing)


def _first_to_ask(question: str) -> bool:
    try:
        return cache.add(f"evaluation:opinions:{question}", 1, ASK_AGAIN_AFTER_S)
    except RedisError as error:
        logger.warning("the model is not asked for opinions: %s", error)
        return False
