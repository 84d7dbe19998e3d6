"""How wrong the answers are that remain when the unsure ones are put aside."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RiskCoverage:
    """Points of the curve, by falling threshold: (K,) each, K the number of different confidences."""

    threshold: np.ndarray
    coverage: np.ndarray
    risk: np.ndarray

    @property
    def area(self) -> float | None:
        """The mean risk over the coverages (Geifman, Uziel & El-Yaniv 2019, section 2); 0 is best, None of nothing."""
        widths = np.diff(self.coverage, prepend=0.0)
        return float((self.risk * widths).sum()) if len(self.risk) else None


def risk_coverage(confidence: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """Answer only where the confidence is at least a threshold (El-Yaniv & Wiener 2010, section 2).

    coverage = share that is answered, risk = share of these that is wrong; a point for each confidence that occurs.
    `confidence` (N,), `right` (N,) bool.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    last_of_its_kind = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])
    answered = last_of_its_kind + 1
    wrong = np.cumsum(~right[order])[last_of_its_kind]
    return RiskCoverage(ordered[last_of_its_kind], answered / max(len(ordered), 1), wrong / answered)
