"""Prediction runs as the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from annotation.models import Label, Product, Review
from annotation.selectors import waits_for_worker
from crawler.models import Crawl, WorkState
from evaluation.models import Judgment, Prediction, PredictionRun, RunKind
from evaluation.services.judgments import Answer

WAITS_AFTER = timedelta(seconds=4)


@dataclass(frozen=True)
class RunProgress:
    """Where a run stands. `phase`: crawling, fetching (the page of an address), queued_crawl, waiting (for a worker),
    predicting, done or failed.
    """

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
    if run.state == WorkState.PENDING and run.kind == RunKind.ADDRESS:
        taken = run.leased_until is not None and run.leased_until > now
        return RunProgress("fetching" if taken or run.created_at > now - WAITS_AFTER else "queued_crawl", 0, 0, 0)
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


def run_judgments(run: PredictionRun) -> list[Judgment]:
    """What everybody said about the run's predictions, in the order of saying."""
    return list(Judgment.objects.filter(run_id=run.id).order_by("judged_at", "id"))


def is_revealed(run: PredictionRun, predictions: Sequence[Prediction], *, judged: int) -> bool:
    """Whether it may be told which version said what: at once, or in a blind run when all of its answers are judged."""
    if not run.blind:
        return True
    answered = sum(row.state == WorkState.DONE for row in predictions)
    return run.state in (WorkState.DONE, WorkState.FAILED) and judged >= answered


def catalogue_pictures(predictions: Sequence[Prediction]) -> dict[str, str]:
    """The catalogue picture, by product id, of all that the predictions name; one query."""
    named = {row.product_id for row in predictions} | {choice[0] for row in predictions for choice in row.top5}
    shown = Product.objects.filter(id__in=sorted(named - {""})).exclude(image_sha256="")
    return dict(shown.values_list("id", "image_sha256"))


def answers_of(run: PredictionRun, answers: Sequence[Answer]) -> list[Answer]:
    """The answers with the version whose prediction stands at each one's position; one query where there are two."""
    if not run.other_model_id:
        return list(answers)
    rows = Prediction.objects.filter(run_id=run.id, position__in=[answer.position for answer in answers])
    versions = dict(rows.values_list("position", "model_id"))
    return [replace(answer, model_id=versions.get(answer.position, "")) for answer in answers]


@dataclass(frozen=True)
class RecentRun:
    """A run, with how many of its answers there are to judge and how many this user has judged."""

    run: PredictionRun
    judged: int
    answered: int

    @property
    def is_unfinished(self) -> bool:
        return self.judged < self.answered

    @property
    def is_judged(self) -> bool:
        return self.run.state in (WorkState.DONE, WorkState.FAILED) and not self.is_unfinished


def recent_runs(*, user_id: int, limit: int = 12) -> list[RecentRun]:
    """The user's last runs; three queries."""
    runs = list(PredictionRun.objects.filter(started_by_id=user_id).order_by("-created_at")[:limit])
    ids = [run.id for run in runs]
    judged = _counted(Judgment.objects.filter(run_id__in=ids, evaluator_id=user_id))
    answered = _counted(Prediction.objects.filter(run_id__in=ids, state=WorkState.DONE))
    return [RecentRun(run, judged.get(run.id, 0), answered.get(run.id, 0)) for run in runs]


def _counted(rows: QuerySet) -> dict[str, int]:
    """How many there are of each run."""
    return dict(rows.values("run_id").annotate(rows=Count("id")).values_list("run_id", "rows"))


def example_keyword() -> str:
    """A keyword worth testing: of a labelled product when there is one, so that the model knows something about it."""
    label = Label.objects.filter(review=Review.APPROVED).order_by("-created_at").first()
    if label and label.keyword:
        return label.keyword
    product = Product.objects.filter(active=True).exclude(keywords="").order_by("name").first()
    return product.keywords.split(",")[0].strip() if product else ""
