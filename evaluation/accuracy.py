"""A share of right answers as the pages show it, and how far it can be trusted."""

from dataclasses import dataclass

from ml.metrics import wilson_interval


@dataclass(frozen=True)
class Accuracy:
    """`right` out of `of`, in per cent, with Wilson's 95 % interval."""

    right: int
    of: int

    @property
    def percent(self) -> float:
        """0 when nothing was judged."""
        return 100 * self.right / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        return 100 * wilson_interval(self.right, self.of)[0]

    @property
    def high(self) -> float:
        return 100 * wilson_interval(self.right, self.of)[1]
