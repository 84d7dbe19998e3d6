"""Precision, recall and F1 of each class, and their means."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassFigures:
    """Counts of each class (C,): how often it was the truth, how often it was said, how often rightly."""

    support: np.ndarray
    said: np.ndarray
    right: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """(C,); 0 for a class that was never said."""
        return self.right / np.maximum(self.said, 1)

    @property
    def recall(self) -> np.ndarray:
        """(C,); 0 for a class that never was the truth."""
        return self.right / np.maximum(self.support, 1)

    @property
    def f1(self) -> np.ndarray:
        """(C,): 2·right / (support + said), which is the harmonic mean of precision and recall."""
        return 2 * self.right / np.maximum(self.support + self.said, 1)

    def macro(self, figure: np.ndarray) -> float | None:
        """The plain mean of a figure (C,) over the classes that were the truth at least once; None without one.

        A class that was only ever said, wrongly, has no recall; it counts through the recall of the others.
        """
        seen = self.support > 0
        return float(figure[seen].mean()) if seen.any() else None

    @property
    def micro_f1(self) -> float | None:
        """Over all answers as one. With one answer a pair it equals accuracy (Manning et al. 2008, section 14.5)."""
        answers = int(self.support.sum())
        return int(self.right.sum()) / answers if answers else None


def class_figures(truth: np.ndarray, predicted: np.ndarray, *, classes: int) -> ClassFigures:
    """`truth`, `predicted` (N,) classes from 0 to `classes` - 1 (van Rijsbergen 1979, chapter 7, of each class).

    Raises ValueError when the lengths differ or a class is out of range.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"{len(truth)} truths for {len(predicted)} predictions")
    for name, values in (("truth", truth), ("predicted", predicted)):
        if len(values) and not (values.min() >= 0 and values.max() < classes):
            raise ValueError(f"{name} holds classes {values.min()} to {values.max()}, but classes={classes}")
    count = {"minlength": classes}
    return ClassFigures(
        support=np.bincount(truth, **count),
        said=np.bincount(predicted, **count),
        right=np.bincount(truth[truth == predicted], **count),
    )
