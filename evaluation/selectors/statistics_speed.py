"""How many predictions are made, and how long they take: the latest of each version, by day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from crawler.models import WorkState
from evaluation.marks import day_of
from evaluation.models import Prediction

LATEST = 20_000
MAX_ROWS = 60


@dataclass(frozen=True)
class SpeedRow:
    """The predictions asked for on one day of one version; seconds from the question to the answer."""

    day: str
    model: str
    answered: int
    failed: int
    p50: float | None
    p95: float | None
    per_minute: int  # answers in its busiest minute


def speed(*, model_id: str = "") -> list[SpeedRow]:
    """From the LATEST predictions, the newest day first."""
    found = Prediction.objects.exclude(state=WorkState.PENDING).order_by("-created_at")
    if model_id:
        found = found.filter(model_id=model_id)
    groups: dict[tuple[str, str], list[tuple[str, datetime, datetime | None]]] = defaultdict(list)
    for model, state, asked, answered in found.values_list("model_name", "state", "created_at", "predicted_at")[
        :LATEST
    ]:
        groups[day_of(asked), model].append((state, asked, answered))
    ordered = sorted(groups, reverse=True)[:MAX_ROWS]
    return [_row(day, model, groups[day, model]) for day, model in ordered]


def _row(day: str, model: str, rows: list[tuple[str, datetime, datetime | None]]) -> SpeedRow:
    done = [(asked, answered) for state, asked, answered in rows if state == WorkState.DONE and answered]
    seconds = [(answered - asked).total_seconds() for asked, answered in done]
    minutes = np.unique([int(answered.timestamp() // 60) for _asked, answered in done], return_counts=True)[1]
    p50, p95 = np.percentile(seconds, [50, 95]).tolist() if seconds else (None, None)
    return SpeedRow(day, model, len(done), len(rows) - len(done), p50, p95, int(minutes.max(initial=0)))
