"""Accuracy, and how far it may be off."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054  # the standard normal's 97.5 % quantile


def wilson_interval(right: int, total: int, *, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927; Brown, Cai & DasGupta 2001, equation 4); (0, 1) for no trials.

    Raises ValueError unless 0 ≤ right ≤ total.
    """
    if not 0 <= right <= total:
        raise ValueError(f"right={right} is not between 0 and total={total}")
    if total == 0:
        return 0.0, 1.0
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


@dataclass(frozen=True)
class Accuracy:
    """`right` of `total`, with its 95 % interval."""

    right: int
    total: int

    @property
    def value(self) -> float | None:
        return self.right / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.right, self.total)

    def as_dict(self) -> dict[str, float | int | None]:
        low, high = self.interval
        return {"right": self.right, "total": self.total, "accuracy": self.value, "low": low, "high": high}
