"""Which model answers, and which may be chosen to."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from evaluation.models import ModelActivation, ModelVersion, TrainingKind
from evaluation.selectors.models import active_model, model_before


def model_activate(*, model_id: str, username: str) -> ModelVersion:
    """Have every new prediction run use this version.

    Raises ValidationError when there is no such version (code `missing`), when it is only pre-trained and cannot
    answer, or when it is retired.
    """
    model = _named(model_id)
    if model.kind == TrainingKind.PRETRAIN:
        raise ValidationError(_("This model is only pre-trained: fine-tune one that starts from it."))
    now = timezone.now()
    changed = ModelVersion.objects.filter(id=model_id, retired_at__isnull=True).update(
        activated_at=now, activated_by=username
    )
    if not changed:
        raise ValidationError(_("“%(name)s” is retired: restore it first.") % {"name": model.name})
    ModelActivation.objects.create(model_id=model_id, model_name=model.name, activated_at=now, activated_by=username)
    return ModelVersion.objects.get(id=model_id)


def model_roll_back(*, username: str) -> ModelVersion:
    """Put the version that was in use before this one into use again. Raises ValidationError when there is none."""
    before = model_before()
    if before is None:
        raise ValidationError(_("No other model was in use before this one."))
    return model_activate(model_id=before.id, username=username)


def model_retire(*, model_id: str, username: str) -> ModelVersion:
    """Take the version out of everything that is chosen from; what it has said stays.

    Raises ValidationError when there is no such version (code `missing`), or when it is in use.
    """
    model, active = _named(model_id), active_model()
    if active is not None and active.id == model_id:
        text = _("“%(name)s” is in use: put another model into use first.")
        raise ValidationError(text % {"name": model.name})
    ModelVersion.objects.filter(id=model_id, retired_at__isnull=True).update(
        retired_at=timezone.now(), retired_by=username
    )
    return ModelVersion.objects.get(id=model_id)


def model_restore(*, model_id: str) -> ModelVersion:
    """Let the version be chosen again; the one in use stays. Raises ValidationError as `model_retire`."""
    _named(model_id)
    active = active_model()
    restored = ModelVersion.objects.filter(id=model_id, retired_at__isnull=False)
    newer = restored.filter(activated_at__gt=active.activated_at) if active is not None else restored.none()
    newer.update(activated_at=None, activated_by="")  # else it would be in use at once
    restored.update(retired_at=None, retired_by="")
    return ModelVersion.objects.get(id=model_id)


def _named(model_id: str) -> ModelVersion:
    model = ModelVersion.objects.filter(id=model_id).first()
    if model is None:
        raise ValidationError(_("This model is not registered any more."), code="missing")
    return model
