"""Which model versions there are, and which one answers now."""

from evaluation.models import ModelVersion


def active_model() -> ModelVersion | None:
    """The version that new prediction runs use: the one activated last."""
    return ModelVersion.objects.filter(activated_at__isnull=False).order_by("-activated_at", "-id").first()


def model_versions() -> list[ModelVersion]:
    """All versions, the newest first."""
    return list(ModelVersion.objects.order_by("-created_at", "-id")[:200])
