"""Which model versions there are, and which one answers now."""

from evaluation.models import ModelVersion, Prediction, TrainingKind


def active_model() -> ModelVersion | None:
    """The version that new prediction runs use: of those not retired, the one activated last."""
    return (
        ModelVersion.objects.filter(activated_at__isnull=False, retired_at__isnull=True)
        .order_by("-activated_at", "-id")
        .first()
    )


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
