"""Which model answers."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from evaluation.models import ModelVersion, TrainingKind


def model_activate(*, model_id: str, username: str) -> ModelVersion:
    """Have every new prediction run use this version.

    Raises ValidationError when there is no such version, or when it is only pre-trained and cannot answer.
    """
    if ModelVersion.objects.filter(id=model_id, kind=TrainingKind.PRETRAIN).exists():
        raise ValidationError(
            _("This model is only pre-trained: fine-tune one that starts from it."), code="pretrained"
        )
    changed = ModelVersion.objects.filter(id=model_id).update(activated_at=timezone.now(), activated_by=username)
    if not changed:
        raise ValidationError(_("This model is not registered any more."))
    return ModelVersion.objects.get(id=model_id)
