"""How often the model is right, as people judged it: all figures of a page in one pass over the columns.

What counts as right stands in docs/statistics.md. Judgments on pictures that the model was trained on say nothing
about fresh listings: unless they are asked for they are counted apart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from evaluation.accuracy import Accuracy
from evaluation.columns import CONFIDENCE_STEPS, DIMENSIONS, OUTCOMES, TRAINED_ON, Outcome
from evaluation.models import ModelVersion
from evaluation.selectors.statistics_filters import ALL, BANDS, Filters, selection_of, steps_of
from evaluation.selectors.statistics_rows import chunks, names_of, settled

MAX_GROUPS = 200
MAX_MIXUPS = 15
BREAKDOWNS = ("model", "product", "brand", "shop", "source", "evaluator", "confidence", "day")


@dataclass(frozen=True)
class Row:
    """The figures of one group of judgments. Unsure ones count neither as right nor as wrong."""

    key: str
    name: str
    right: int
    wrong: int
    unsure: int
    brand_right: int
    brand_wrong: int
    refused_right: int = 0
    refused_wrong: int = 0

    @property
    def product(self) -> Accuracy:
        return Accuracy(self.right, self.right + self.wrong)

    @property
    def brand(self) -> Accuracy:
        return Accuracy(self.brand_right, self.brand_right + self.brand_wrong)

    @property
    def refused(self) -> Accuracy:
        """Of the answers "not in our catalogue" those that are right."""
        return Accuracy(self.refused_right, self.refused_right + self.refused_wrong)

    @property
    def answers(self) -> Accuracy:
        """Products and refusals together."""
        return Accuracy(self.right + self.refused_right, self.product.of + self.refused.of)

    @property
    def judged(self) -> int:
        return self.answers.of + self.unsure


@dataclass(frozen=True)
class MixUp:
    """How often one product was taken for another."""

    predicted: str
    right: str  # empty: not in our catalogue
    count: int
    predicted_id: str = ""
    right_id: str = ""


@dataclass(frozen=True)
class Statistics:
    fresh: Row  # pictures that the model had not seen
    trained_on: Row  # pictures of its own training
    shown: Row  # those of the two that the filters ask for
    groups: dict[str, list[Row]] = field(default_factory=dict)  # by BREAKDOWNS, the most judged first
    found: dict[str, int] = field(default_factory=dict)  # how many groups there are, also those beyond MAX_GROUPS
    mix_ups: list[MixUp] = field(default_factory=list)

    @property
    def by_model(self) -> list[Row]:
        return self.groups["model"]

    @property
    def by_product(self) -> list[Row]:
        return self.groups["product"]

    @property
    def by_day(self) -> list[Row]:
        return self.groups["day"]


class Counts:
    """How many judgments of each outcome each number of a column has: (numbers, OUTCOMES)."""

    def __init__(self) -> None:
        self.table = np.zeros((0, OUTCOMES), dtype=np.int64)

    def add(self, numbers: np.ndarray, outcomes: np.ndarray) -> None:
        found = np.bincount(numbers.astype(np.intp) * OUTCOMES + outcomes)
        missing = -(-len(found) // OUTCOMES) - len(self.table)
        if missing > 0:
            self.table = np.pad(self.table, ((0, missing), (0, 0)))
        self.table.reshape(-1)[: len(found)] += found


def statistics(
    *, filters: Filters | None = None, model_id: str = "", by: Collection[str] = ("model", "product", "day")
) -> Statistics:
    """All figures under the filters (without any: of one model version or of all), in groups by each of `by`."""
    wanted = filters or Filters(model=model_id)
    return settled(lambda: _statistics(wanted, by))


def _statistics(filters: Filters, by: Collection[str]) -> Statistics:
    selection = selection_of(replace(filters, pictures=ALL))
    shown = selection_of(Filters(pictures=filters.counted.pictures)).outcomes
    columns = {"outcome", "product", "right", *(name for name in by if name != "day")}
    counts = {name: Counts() for name in by}
    total = np.zeros(OUTCOMES, dtype=np.int64)
    days: list[str] = []
    confused: list[np.ndarray] = []
    for chunk in chunks(selection, columns):
        outcomes = chunk.columns["outcome"]
        days += chunk.days[days[-1:] == chunk.days[:1] :]  # a day of several parts may go on in the next chunk
        first = len(days) - len(chunk.days)
        total += np.bincount(outcomes, minlength=OUTCOMES)
        keep = shown[outcomes]
        if not keep.all():
            outcomes = outcomes[keep]
        for name in by:
            numbers = chunk.day + first if name == "day" else chunk.columns[name]
            counts[name].add(numbers if keep.all() else numbers[keep], outcomes)
        confused.append(_confused(chunk.columns, shown))
    figures = {name: _groups(name, counts[name].table, days) for name in by}
    return Statistics(
        fresh=_row("", "", total[:TRAINED_ON]),
        trained_on=_row("", "", total[TRAINED_ON:]),
        shown=_row("", "", _merged(np.where(shown, total, 0))),
        groups={name: rows for name, (rows, _found) in figures.items()},
        found={name: found for name, (_rows, found) in figures.items()},
        mix_ups=_mix_ups(confused),
    )


def _merged(outcomes: np.ndarray) -> np.ndarray:
    """(…, OUTCOMES) → (…, TRAINED_ON): whether the picture was known counts no more."""
    return outcomes[..., :TRAINED_ON] + outcomes[..., TRAINED_ON:]


def _row(key: str, name: str, counts: np.ndarray) -> Row:
    n = counts.tolist()
    wrong = n[Outcome.WRONG_SAME_BRAND] + n[Outcome.WRONG_OTHER_BRAND] + n[Outcome.WRONG_BRAND_UNKNOWN]
    return Row(
        key=key,
        name=name,
        right=n[Outcome.RIGHT],
        wrong=wrong,
        unsure=n[Outcome.UNSURE] + n[Outcome.REFUSED_UNSURE],
        brand_right=n[Outcome.RIGHT] + n[Outcome.WRONG_SAME_BRAND],
        brand_wrong=n[Outcome.WRONG_OTHER_BRAND],
        refused_right=n[Outcome.REFUSED_RIGHTLY],
        refused_wrong=n[Outcome.REFUSED_WRONGLY],
    )


def _groups(name: str, table: np.ndarray, days: list[str]) -> tuple[list[Row], int]:
    """The groups with judgments, the most judged first (days and bands in their order), and how many there are."""
    if name == "confidence":
        return _bands(table)
    counts = _merged(table)
    judged = counts.sum(axis=1)
    filled = np.flatnonzero(judged)
    if name == "day":
        chosen = filled[-MAX_GROUPS:]
        return [_row(days[place], days[place], counts[place]) for place in chosen.tolist()], len(filled)
    chosen = filled[np.argsort(-judged[filled], kind="stable")][:MAX_GROUPS]
    names = names_of(DIMENSIONS[name].names, chosen.tolist())
    return [_row(*_named(names, place), counts[place]) for place in chosen.tolist()], len(filled)


def _named(names: Mapping[int, tuple[str, str]], place: int) -> tuple[str, str]:
    value, name = names.get(place, (str(place), str(place)))
    return value, name or value


def _bands(table: np.ndarray) -> tuple[list[Row], int]:
    counts = np.zeros((CONFIDENCE_STEPS + 1, TRAINED_ON), dtype=np.int64)
    counts[: len(table)] = _merged(table)
    rows = []
    for band in BANDS:
        first, last = steps_of(band) or (0, 0)
        rows.append(_row(band, f"{band.replace('-', '–')} %", counts[first : last + 1].sum(axis=0)))
    return rows, len(rows)


def _confused(columns: dict[str, np.ndarray], shown: np.ndarray) -> np.ndarray:
    """(pairs,) predicted · 2³² + right, of the judgments that said wrong of a product."""
    wrong = np.zeros(OUTCOMES, dtype=bool)
    for outcome in (Outcome.WRONG_SAME_BRAND, Outcome.WRONG_OTHER_BRAND, Outcome.WRONG_BRAND_UNKNOWN):
        wrong[[outcome, outcome + TRAINED_ON]] = True
    mask = (wrong & shown)[columns["outcome"]]
    return columns["product"][mask].astype(np.uint64) << np.uint64(32) | columns["right"][mask].astype(np.uint64)


def _mix_ups(confused: list[np.ndarray], limit: int = MAX_MIXUPS) -> list[MixUp]:
    if not confused:
        return []
    pairs, counts = np.unique(np.concatenate(confused), return_counts=True)
    most = np.argsort(-counts, kind="stable")[:limit]
    found = [(int(pair >> np.uint64(32)), int(pair & np.uint64(0xFFFFFFFF))) for pair in pairs[most]]
    names = names_of("product", {number for pair in found for number in pair})
    mix_ups = []
    for (predicted, right), count in zip(found, counts[most].tolist(), strict=True):
        (predicted_id, predicted_name), (right_id, right_name) = _named(names, predicted), _named(names, right)
        mix_ups.append(MixUp(predicted_name, right_name, count, predicted_id, right_id))
    return mix_ups


def judged_models() -> list[ModelVersion]:
    """The versions to filter by, the newest first."""
    return list(ModelVersion.objects.order_by("-created_at")[:MAX_GROUPS])
