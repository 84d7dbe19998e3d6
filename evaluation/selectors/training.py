"""What there is to train on, and how trainings went."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from annotation.models import Label, Review
from crawler.models import WorkState
from evaluation.models import Judgment, TrainingRun, Verdict

MIN_PRODUCTS = 2
MIN_LABELS = 10
WAITS_AFTER = timedelta(seconds=4)


@dataclass(frozen=True)
class LabelCount:
    product_id: str
    product_name: str
    labels: int


def label_counts() -> list[LabelCount]:
    """How many approved labels each product has, most first; products without any are not in it."""
    rows = (
        Label.objects.filter(review=Review.APPROVED)
        .order_by()
        .values("product_id", "product_name")
        .annotate(labels=Count("id"))
    )
    merged: dict[str, LabelCount] = {}  # a renamed product is still one product
    for row in rows:
        before = merged.get(row["product_id"])
        total = row["labels"] + (before.labels if before else 0)
        merged[row["product_id"]] = LabelCount(row["product_id"], row["product_name"], total)
    return sorted(merged.values(), key=lambda count: (-count.labels, count.product_name))


def enough_labels(counts: list[LabelCount]) -> bool:
    """Whether a training can make sense at all."""
    return len(counts) >= MIN_PRODUCTS and sum(row.labels for row in counts) >= MIN_LABELS


def waits_for_worker(run: TrainingRun) -> bool:
    """Whether nobody works on it: not taken up after some seconds, or its worker has been gone for a whole lease."""
    now = timezone.now()
    if run.state == WorkState.PENDING:
        return run.created_at < now - WAITS_AFTER
    return run.state == WorkState.RUNNING and run.leased_until < now


def usable_judgments() -> int:
    """Judgments that say which product a listing shows, and so can be trained on too."""
    right = Judgment.objects.filter(verdict=Verdict.RIGHT).count()
    return right + Judgment.objects.filter(verdict=Verdict.WRONG).exclude(right_product_id="").count()


def training_runs() -> list[TrainingRun]:
    """The last trainings, the newest first."""
    return list(TrainingRun.objects.order_by("-created_at", "-id")[:50])


def training_under_way() -> TrainingRun | None:
    open_states = (WorkState.PENDING, WorkState.RUNNING)
    return TrainingRun.objects.filter(state__in=open_states).order_by("created_at").first()
