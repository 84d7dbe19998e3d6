"""From which confidence on a version's answer counts."""

import logging
import math

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from evaluation.models import ModelVersion, TrainingKind

logger = logging.getLogger(__name__)


def threshold_set(*, model_id: str, threshold: float | None, username: str) -> ModelVersion:
    """Have this version answer "not in our catalogue" below `threshold` (0..1); None: it always names a product.

    Raises ValidationError, keyed `model` or `threshold`. Who set it stands in the log.
    """
    model = ModelVersion.objects.filter(id=model_id).first()
    if model is None or model.kind == TrainingKind.PRETRAIN:
        raise ValidationError({"model": _("There is no model version “%(value)s” that answers.") % {"value": model_id}})
    if threshold is not None and not (math.isfinite(threshold) and 0 <= threshold <= 1):
        text = _("“%(value)s” is not between 0 and 100 %%.") % {"value": f"{100 * threshold:g}"}
        raise ValidationError({"threshold": text})
    ModelVersion.objects.filter(id=model_id).update(threshold=threshold)
    logger.info("threshold of %s set to %s by %s", model_id, threshold, username)
    model.threshold = threshold
    return model
