"""Which model versions there are, and which one answers now."""

from evaluation.models import ModelActivation, ModelVersion, Prediction, TrainingKind


def active_model() -> ModelVersion | None:
    """The version that new prediction runs use: of those not retired, the one activated last."""
    return (
        ModelVersion.objects.filter(activated_at__isnull=False, retired_at__isnull=True)
        .order_by("-activated_at", "-id")
        .first()
    )


def activations() -> list[ModelActivation]:
    """Which version was put into use when and by whom, the last one first."""
    return list(ModelActivation.objects.order_by("-activated_at", "-id")[:50])


def model_before() -> ModelVersion | None:
    """The version that was in use before the one that is, of those that may still be chosen."""
    active = active_model()
    ids = [one.model_id for one in activations() if active is None or one.model_id != active.id]
    there = {model.id: model for model in ModelVersion.objects.filter(id__in=ids, retired_at__isnull=True)}
    return next((there[one] for one in ids if one in there), None)


def model_versions() -> list[ModelVersion]:
    """All versions, the newest first."""
    return list(ModelVersion.objects.order_by("-created_at", "-id")[:200])


def models_to_choose() -> list[ModelVersion]:
    """The versions that can be asked, the newest first: neither retired nor only pre-trained."""
    there = ModelVersion.objects.filter(retired_at__isnull=True).exclude(kind=TrainingKind.PRETRAIN)
    return list(there.order_by("-created_at", "-id")[:200])


def model_named(model_id: str) -> ModelVersion | None:
    return ModelVersion.objects.filter(id=model_id).first()


def listings_seen_by(model: ModelVersion) -> list[Prediction]:
    """The last listings with a picture that this version answered or, when it answered none, that any has."""
    shown = Prediction.objects.exclude(image_sha256="").order_by("-created_at")
    return list(shown.filter(model_id=model.id)[:12]) or list(shown[:12])
