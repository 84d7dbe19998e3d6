"""What a head answered, a few numbers a pair: the rows themselves, of every class, would not fit in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ml.metrics.calibration import brier_terms, truth_probability
from ml.metrics.top_k import top_k

TOP = 5


@dataclass(frozen=True, kw_only=True)
class HeadAnswers:
    """The answers of one head to N pairs; its classes are counted from 0.

    `truth` (N,), -1 for a class that the model does not know; `top` (N, ≤ 5), the best classes, best first;
    `confidence` (N,) of the best one; `given` (N,), the probability of the truth; `brier` (N,).
    """

    truth: np.ndarray
    top: np.ndarray
    confidence: np.ndarray
    given: np.ndarray
    brier: np.ndarray

    @classmethod
    def of(cls, probabilities: np.ndarray, truth: np.ndarray) -> "HeadAnswers":
        """From whole rows (N, C) and truths (N,)."""
        rows = probabilities.astype(np.float64)
        top = top_k(rows, TOP)
        confidence = np.take_along_axis(rows, top[:, :1], axis=1)[:, 0]
        return cls(
            truth=truth,
            top=top,
            confidence=np.clip(confidence, 0, 1),  # float32 sums to 1 only nearly
            given=truth_probability(rows, truth),
            brier=brier_terms(rows, truth),
        )

    @classmethod
    def join(cls, parts: Sequence["HeadAnswers"]) -> "HeadAnswers":
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )

    def take(self, rows: np.ndarray) -> "HeadAnswers":
        """Those at `rows`: places, or a mask (N,)."""
        return HeadAnswers(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def predicted(self) -> np.ndarray:
        return self.top[:, 0]

    @property
    def right(self) -> np.ndarray:
        return self.predicted == self.truth
