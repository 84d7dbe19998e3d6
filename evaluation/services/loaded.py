"""The models that this process has in memory."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from evaluation.models import ModelVersion
from ml.serving import ModelFolderError

if TYPE_CHECKING:
    from ml.serving.predictor import Predictor

KEPT = 2  # a run that compares two versions asks them in turns

_lock = Lock()
_loaded: "OrderedDict[str, Predictor]" = OrderedDict()  # by version, the one asked last at the end


class ModelUnusableError(Exception):
    """The model folder is missing or damaged; the message says how."""


def predictor_for(model_id: str) -> "Predictor":
    """The version's model, whole: loaded when it is first asked for, and again after KEPT others.

    Raises ModelUnusableError when it is not registered, or when its folder is missing or damaged.
    """
    with _lock:
        if model_id not in _loaded:
            while len(_loaded) >= KEPT:  # free the old one before loading the new one
                _loaded.popitem(last=False)
            _loaded[model_id] = _load(model_id)
        _loaded.move_to_end(model_id)
        return _loaded[model_id]


def _load(model_id: str) -> "Predictor":
    model = ModelVersion.objects.filter(id=model_id).first()
    if model is None:
        raise ModelUnusableError(_("it is not registered any more"))
    from ml.serving.predictor import Predictor  # loads torch, which only workers do

    try:
        return Predictor.load(settings.MODELS_DIR / model.folder)
    except ModelFolderError as error:
        raise ModelUnusableError(str(error)) from error
