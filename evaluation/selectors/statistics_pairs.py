"""What was judged twice: how far evaluators agree, and which of two versions does better on the same listings.

Both join the rows of a selection by a column of digests, sorted; of a million judgments in less than a second.
"""

from dataclasses import dataclass, replace
from functools import partial
from math import erfc, sqrt

import numpy as np

from evaluation.columns import TRAINED_ON, VERDICTS
from evaluation.models import Verdict
from evaluation.selectors.statistics_filters import Filters, selection_of
from evaluation.selectors.statistics_rows import chunks, names_of, settled
from ml.metrics.comparison import mcnemar

MAX_PAIRS = 50
EXACT_UP_TO = 1000  # discordant listings; of more the exact test takes minutes and says the same
Z_TWO_SIDED, Z_POWER = 1.959963984540054, 0.8416212335729143  # 95 % confidence, 80 % power


@dataclass(frozen=True)
class EvaluatorPair:
    """Predictions that both judged right or wrong."""

    first: str
    second: str
    both: int
    same: int
    kappa: float  # 1.0 where both only ever said the same one word

    @property
    def percent(self) -> float:
        return 100 * self.same / self.both


@dataclass(frozen=True)
class Agreement:
    pairs: list[EvaluatorPair]  # the most common predictions first
    alpha: float | None  # of all evaluators; None where nothing was judged by two
    predictions: int  # judged by at least two


@dataclass(frozen=True)
class VersionComparison:
    """Listings on which both versions were judged, by whomever. McNemar's test is on those where just one is right."""

    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p_value: float
    left_out: int  # listings whose judgments of one version contradict one another

    @property
    def listings(self) -> int:
        return self.both_right + self.only_first + self.only_second + self.both_wrong

    @property
    def more_needed(self) -> int | None:
        """How many more listings, if the shares stay as they are, until the test would find the difference.

        Connor 1987, equation for paired proportions, two-sided 5 %, power 80 %; 0: enough, None: no difference.
        """
        n = self.listings
        if not n or self.only_first == self.only_second:
            return None
        discordant, difference = (self.only_first + self.only_second) / n, abs(self.only_first - self.only_second) / n
        root = Z_TWO_SIDED * sqrt(discordant) + Z_POWER * sqrt(max(discordant - difference**2, 0.0))
        return max(0, int(np.ceil(root**2 / difference**2)) - n)


def agreement(*, filters: Filters) -> Agreement:
    """Of the selection; unsure judgments are left out."""
    prediction, evaluator, right = settled(lambda: _judged(filters, ("prediction", "evaluator")))
    prediction, evaluator, right = _of_several(prediction, evaluator, right)
    begins = np.flatnonzero(np.append(True, prediction[1:] != prediction[:-1])[: len(prediction)])
    sizes = np.diff(np.append(begins, len(prediction)))
    several = sizes > 1
    begins, sizes = begins[several], sizes[several]
    if not len(sizes):
        return Agreement([], None, 0)
    return Agreement(_pairs(begins, sizes, evaluator, right), _alpha(begins, sizes, right), len(sizes))


def compare_versions(*, first: str, second: str, filters: Filters) -> VersionComparison:
    """On the same listings, under the filters but for the model; unsure judgments are left out."""
    said = []
    left_out = np.zeros(0, dtype=np.uint64)
    for model in (first, second):
        only = replace(filters.counted, model=model)
        listing, right = settled(partial(_judged, only, ("listing",)))
        listings, which = np.unique(listing, return_inverse=True)
        rights = np.bincount(which, weights=right, minlength=len(listings))
        words = np.bincount(which, minlength=len(listings))
        clear = (rights == 0) | (rights == words)
        left_out = np.union1d(left_out, listings[~clear])
        said.append((listings[clear], rights[clear] > 0))
    (one, one_right), (other, other_right) = said
    _common, at, other_at = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    a, b = one_right[at], other_right[other_at]
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    exact = only_first + only_second <= EXACT_UP_TO
    return VersionComparison(
        both_right=int((a & b).sum()),
        only_first=only_first,
        only_second=only_second,
        both_wrong=int((~a & ~b).sum()),
        p_value=mcnemar(a, b).p_value if exact else _chi_squared_p(only_first, only_second),
        left_out=len(left_out),
    )


def _chi_squared_p(only_first: int, only_second: int) -> float:
    """McNemar's test with the continuity correction of Edwards 1948: chi-squared with one degree of freedom."""
    statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / (only_first + only_second)
    return erfc(sqrt(statistic / 2))


def _of_several(prediction: np.ndarray, evaluator: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """The rows of predictions that have more than one, in the order of predictions and evaluators."""
    order = np.argsort(prediction, kind="stable")
    same = prediction[order][1:] == prediction[order][:-1]
    order = order[np.append(same, False)[: len(order)] | np.append(False, same)[: len(order)]]
    prediction, evaluator, right = prediction[order], evaluator[order], right[order]
    order = np.lexsort((evaluator, prediction))
    return prediction[order], evaluator[order], right[order]


def _judged(filters: Filters, columns: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """Those columns, and whether it was judged right: (rows,) each."""
    found: list[list[np.ndarray]] = [[] for _ in range(len(columns) + 1)]
    right, unsure = (np.isin(np.arange(2 * TRAINED_ON) % TRAINED_ON, VERDICTS[one]) for one in _RIGHT_UNSURE)
    for chunk in chunks(selection_of(filters), {*columns, "outcome"}):
        outcome = chunk.columns["outcome"]
        keep = ~unsure[outcome]
        for place, name in enumerate(columns):
            found[place].append(chunk.columns[name][keep])
        found[-1].append(right[outcome][keep])
    return tuple(np.concatenate(one) if one else np.zeros(0, dtype=np.uint64) for one in found)


_RIGHT_UNSURE = (Verdict.RIGHT, Verdict.UNSURE)


def _pairs(begins: np.ndarray, sizes: np.ndarray, evaluator: np.ndarray, right: np.ndarray) -> list[EvaluatorPair]:
    counts: dict[tuple[int, int], np.ndarray] = {}
    for first in range(int(sizes.max())):
        for second in range(first + 1, int(sizes.max())):
            at = begins[sizes > second]
            words = 2 * right[at + first].astype(int) + right[at + second]
            who = np.stack([evaluator[at + first], evaluator[at + second]], axis=1).astype(np.int64)
            for names in np.unique(who, axis=0):
                mine = words[(who == names).all(axis=1)]
                key = (int(names[0]), int(names[1]))
                counts[key] = counts.get(key, np.zeros(4, dtype=int)) + np.bincount(mine, minlength=4)
    chosen = sorted(counts, key=lambda pair: -counts[pair].sum())[:MAX_PAIRS]
    names = names_of("evaluator", {number for pair in chosen for number in pair})
    called = {number: name or value for number, (value, name) in names.items()}
    return [_pair(called.get(a, str(a)), called.get(b, str(b)), counts[a, b]) for a, b in chosen]


def _pair(first: str, second: str, words: np.ndarray) -> EvaluatorPair:
    """`words`: how often both said wrong, only the second right, only the first right, both right."""
    neither, only_second, only_first, both = words.tolist()
    of = neither + only_second + only_first + both
    same = neither + both
    by_chance = ((both + only_first) * (both + only_second) + (neither + only_first) * (neither + only_second)) / of
    kappa = 1.0 if by_chance == of else (same - by_chance) / (of - by_chance)
    return EvaluatorPair(first, second, of, same, kappa)


def _alpha(begins: np.ndarray, sizes: np.ndarray, right: np.ndarray) -> float:
    """Krippendorff's alpha for two words (K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011)."""
    running = np.append(0, np.cumsum(right))
    ones = running[begins + sizes] - running[begins]
    n, n_ones = int(sizes.sum()), int(ones.sum())
    observed = float((2 * ones * (sizes - ones) / (sizes - 1)).sum()) / n
    expected = 2 * n_ones * (n - n_ones) / (n * (n - 1))
    return 1.0 if expected == 0 else 1 - observed / expected
