"""What there is to train on, and how trainings went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from annotation.models import Label, Review
from crawler.models import ImageState, Listing, WorkState
from evaluation.models import Judgment, TrainingJournal, TrainingRun, Verdict

MIN_PRODUCTS = 2
MIN_LABELS = 10
WAITS_AFTER = timedelta(seconds=4)
OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


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
    unlabelled = Judgment.objects.filter(label_id="")  # else they are counted as labels, once approved
    right = unlabelled.filter(verdict=Verdict.RIGHT).exclude(rejected=True).count()
    return right + unlabelled.filter(verdict=Verdict.WRONG).exclude(right_product_id="").count()


def training_runs() -> list[TrainingRun]:
    """The last trainings, the newest first."""
    return list(TrainingRun.objects.order_by("-created_at", "-id")[:50])


def training_under_way() -> TrainingRun | None:
    """The one that runs or, when none does, is next."""
    return TrainingRun.objects.filter(state__in=OPEN_STATES).order_by("created_at").first()


def place_in_queue(run: TrainingRun) -> int:
    """How many trainings that run or wait come before this one, which waits."""
    return TrainingRun.objects.filter(state__in=OPEN_STATES, created_at__lt=run.created_at).count()


def trainings_with_datasets() -> list[TrainingRun]:
    """Trainings that wrote a dataset of their own, the newest first."""
    return list(TrainingRun.objects.filter(records__gt=0, dataset_of="").order_by("-created_at")[:50])


def usable_listings() -> int:
    """Listings that a pre-training can learn from, labelled or not."""
    return Listing.objects.filter(image_state=ImageState.DONE).exclude(image_sha256="").count()


def journal_of(run: TrainingRun) -> TrainingJournal:
    """What its worker has told; empty before it told anything."""
    return journals_of([run])[run.id]


def journals_of(runs: Sequence[TrainingRun]) -> dict[str, TrainingJournal]:
    """By the training's id."""
    told = {journal.id: journal for journal in TrainingJournal.objects.filter(id__in=[run.id for run in runs])}
    return {run.id: told.get(run.id) or TrainingJournal(id=run.id) for run in runs}
