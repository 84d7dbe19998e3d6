"""Whether the right class is among the best few."""

import numpy as np


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """(N, C) → the places of the k best of each row (N, min(k, C)), best first; of equal ones the first comes first.

    Raises ValueError for k < 1.
    """
    if k < 1:
        raise ValueError(f"k={k} is less than 1")
    k = min(k, scores.shape[1])
    kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]  # (N, k), in no order
    kept.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, kept, axis=1), axis=1, kind="stable")
    return np.take_along_axis(kept, order, axis=1)


def hits(top: np.ndarray, truth: np.ndarray, k: int) -> np.ndarray:
    """Whether `truth` (N,) is among the first k of `top` (N, ≥ k or all classes): (N,) bool."""
    return (top[:, :k] == truth[:, None]).any(axis=1)
