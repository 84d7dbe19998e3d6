"""Prediction runs as the pages show them."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from annotation.models import Label, Product, Review
from annotation.selectors import waits_for_worker
from crawler.models import Crawl, WorkState
from evaluation.models import Judgment, Prediction, PredictionRun

WAITS_AFTER = timedelta(seconds=4)


@dataclass(frozen=True)
class RunProgress:
    """Where a run stands. `phase`: crawling, queued_crawl, waiting (for a worker), predicting, done or failed."""

    phase: str
    done: int
    total: int
    failed: int

    @property
    def finished(self) -> bool:
        return self.phase in {"done", "failed"}


def run_progress(run: PredictionRun, predictions: list[Prediction]) -> RunProgress:
    """Where `run` stands; one more query while it is crawled."""
    now = timezone.now()
    if run.state == WorkState.PENDING:
        crawl = Crawl.objects.filter(id=run.crawl_id).first() if run.crawl_id else None
        phase = "queued_crawl" if crawl is not None and waits_for_worker(crawl) else "crawling"
        return RunProgress(phase, crawl.images_done if crawl else 0, crawl.images_total if crawl else 0, 0)
    waiting = [row for row in predictions if row.state == WorkState.PENDING]
    failed = sum(row.state == WorkState.FAILED for row in predictions)
    done = len(predictions) - len(waiting)
    phase = {WorkState.DONE: "done", WorkState.FAILED: "failed"}.get(run.state, "predicting")
    if phase == "predicting" and waiting:
        leased = any(row.leased_until > now for row in waiting)
        newest = max(row.predicted_at or row.created_at for row in predictions)
        if not leased and newest < now - WAITS_AFTER:
            phase = "waiting"
    return RunProgress(phase, done, run.total, failed)


def run_predictions(run: PredictionRun) -> list[Prediction]:
    return list(Prediction.objects.filter(run_id=run.id).order_by("position"))


def own_judgments(*, run_id: str, evaluator_id: int) -> dict[str, Judgment]:
    """What this evaluator said about the run's predictions, by prediction id; never what others said."""
    rows = Judgment.objects.filter(run_id=run_id, evaluator_id=evaluator_id)
    return {judgment.prediction_id: judgment for judgment in rows}


@dataclass(frozen=True)
class RecentRun:
    run: PredictionRun
    judged: int


def recent_runs(*, user_id: int, limit: int = 12) -> list[RecentRun]:
    """The user's last runs, each with how many of its predictions this user has judged; two queries."""
    runs = list(PredictionRun.objects.filter(started_by_id=user_id).order_by("-created_at")[:limit])
    own = Judgment.objects.filter(run_id__in=[run.id for run in runs], evaluator_id=user_id)
    judged = Counter(own.values_list("run_id", flat=True)) if runs else Counter()
    return [RecentRun(run, judged[run.id]) for run in runs]


def example_keyword() -> str:
    """A keyword worth testing: of a labelled product when there is one, so that the model knows something about it."""
    label = Label.objects.filter(review=Review.APPROVED).order_by("-created_at").first()
    if label and label.keyword:
        return label.keyword
    product = Product.objects.filter(active=True).exclude(keywords="").order_by("name").first()
    return product.keywords.split(",")[0].strip() if product else ""
