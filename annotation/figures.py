"""How one annotator's work went, day by day: two aggregations, each over an index that begins with the annotator."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from django.utils import timezone

from annotation.models import Label, RejectReason, Review, Submission
from crawler.models import WorkState
from mmproject.mongo.collections import collection

DAYS = 30
MAX_GAP = timedelta(minutes=10)  # a longer one is a break, not the time that a submission took
MAX_REASONS = 5


@dataclass
class Figures:
    """Of one day, or of all of them. Reviews count on the day on which the label was made."""

    day: date | None = None
    submissions: int = 0
    ticks: int = 0
    no_match: int = 0
    unsure: int = 0
    approved: int = 0
    rejected: int = 0
    gaps: list[float] = field(default_factory=list)  # seconds between submissions that followed one another

    @property
    def acceptance(self) -> float | None:
        """Percent of what was reviewed that was approved; None when nothing was."""
        reviewed = self.approved + self.rejected
        return 100 * self.approved / reviewed if reviewed else None

    @property
    def pace(self) -> float | None:
        """The median of the seconds from one submission to the next."""
        return median(self.gaps) if self.gaps else None


@dataclass(frozen=True)
class Work:
    days: list[Figures]  # those with something on them, the latest first
    total: Figures
    reasons: list[tuple[str, int]]  # why labels were rejected, the most frequent first


def work_of(*, annotator_id: int) -> Work:
    """The last DAYS days of an annotator's work; what was taken back does not count."""
    today = timezone.localdate()
    first = datetime.combine(today - timedelta(days=DAYS - 1), time(), timezone.get_current_timezone())
    since = first.astimezone(UTC).replace(tzinfo=None)
    days: dict[str, Figures] = {}
    for row in collection(Submission).aggregate(_submissions(annotator_id, since)):
        days[row["_id"]] = Figures(
            day=date.fromisoformat(row["_id"]),
            submissions=len(row["times"]),
            ticks=row["ticks"],
            no_match=row["no_match"],
            unsure=row["unsure"],
            gaps=list(_gaps(row["times"])),
        )
    reasons: Counter[str] = Counter()
    for row in collection(Label).aggregate(_labels(annotator_id, since)):
        key, count = row["_id"], row["count"]
        figures = _day(days, key["day"])
        if key["review"] == Review.APPROVED:
            figures.approved += count
        elif key["review"] == Review.REJECTED:
            figures.rejected += count
            reasons[key["reason"]] += count
    latest_first = [days[day] for day in sorted(days, reverse=True)]
    names = dict(RejectReason.choices)
    most = [(str(names.get(reason, reason)), count) for reason, count in reasons.most_common(MAX_REASONS)]
    return Work(days=latest_first, total=_total(latest_first), reasons=most)


def chart(work: Work) -> dict[str, list[Any]]:
    """What the page's script draws: every one of the DAYS days, the oldest first."""
    today = timezone.localdate()
    known = {figures.day: figures for figures in work.days}
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    rows = [known.get(day) or Figures(day) for day in days]
    return {
        "days": [day.isoformat() for day in days],
        "ticks": [row.ticks for row in rows],
        "acceptance": [None if row.acceptance is None else round(row.acceptance, 1) for row in rows],
    }


def _submissions(annotator_id: int, since: datetime) -> list[dict[str, Any]]:
    mine = {"annotator_id": annotator_id, "created_at": {"$gte": since}, "state": {"$ne": str(WorkState.CANCELLED)}}
    return [
        {"$match": mine},
        {"$sort": {"created_at": 1}},
        {
            "$group": {
                "_id": _local_day(),
                "times": {"$push": "$created_at"},
                "ticks": {"$sum": _size("matched_listing_ids")},
                "no_match": {"$sum": _size("refused_listing_ids")},
                "unsure": {"$sum": _size("unsure_listing_ids")},
            }
        },
    ]


def _labels(annotator_id: int, since: datetime) -> list[dict[str, Any]]:
    key = {"day": _local_day(), "review": "$review", "reason": "$reject_reason"}
    return [
        {"$match": {"annotator_id": annotator_id, "created_at": {"$gte": since}}},
        {"$group": {"_id": key, "count": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]


def _local_day() -> dict[str, Any]:
    zone = timezone.get_current_timezone_name()
    return {"$dateToString": {"format": "%Y-%m-%d", "date": "$created_at", "timezone": zone}}


def _size(name: str) -> dict[str, Any]:
    return {"$size": {"$ifNull": [f"${name}", []]}}  # older documents lack some of these fields


def _day(days: dict[str, Figures], day: str) -> Figures:
    return days.setdefault(day, Figures(date.fromisoformat(day)))


def _gaps(times: Sequence[datetime]) -> Iterable[float]:
    for before, after in pairwise(times):
        if after - before <= MAX_GAP:
            yield (after - before).total_seconds()


def _total(days: list[Figures]) -> Figures:
    total = Figures()
    for one in days:
        for name in ("submissions", "ticks", "no_match", "unsure", "approved", "rejected"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.gaps += one.gaps
    return total
