"""What is taken for what. Never a matrix of all classes: of ten thousand products it would have 10⁸ fields."""

from collections.abc import Sequence

import numpy as np


def confused_pairs(truth: np.ndarray, predicted: np.ndarray) -> list[tuple[int, int, int]]:
    """(true class, class said instead, how often) from `truth`, `predicted` (N,), most often first, then by class."""
    wrong = truth != predicted
    pairs, counts = np.unique(np.stack([truth[wrong], predicted[wrong]]), axis=1, return_counts=True)
    found = [(int(one), int(other), int(count)) for (one, other), count in zip(pairs.T, counts, strict=True)]
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def worst_confusion(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str], limit: int = 12) -> dict[str, list]:
    """The part of the confusion matrix where most goes wrong, of at most `limit` classes.

    {"names": [K], "counts": [K][K]}: `counts[i][j]` pairs of class i were answered with class j; the diagonal is what
    was right. The classes are those of the most frequent confusions; both lists are empty where nothing is confused.
    """
    chosen: dict[int, None] = {}
    for one, other, _count in confused_pairs(truth, predicted):
        new = {one: None, other: None}
        if len(chosen | new) <= limit:
            chosen |= new
    place = {number: index for index, number in enumerate(chosen)}
    counts = [[0] * len(chosen) for _ in chosen]
    for one, other in zip(truth.tolist(), predicted.tolist(), strict=True):
        if one in place and other in place:
            counts[place[one]][place[other]] += 1
    return {"names": [names[number] for number in chosen], "counts": counts}
