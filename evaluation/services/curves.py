"""A figure against steps in few points."""

import math
from collections.abc import Sequence

MAX_POINTS = 300
DIGITS = 5


class Curve:
    """[[step, value], …] with rising steps, at most MAX_POINTS of them."""

    def __init__(self, points: Sequence[Sequence[float]] = ()) -> None:
        self.points: list[list[float]] = [list(point) for point in points]

    def add(self, step: int, value: float) -> None:
        """Go on with a point; an earlier step again, of a training that was resumed, replaces what came after it."""
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
        if not math.isfinite(value):  # JSON has no such numbers
            return
        self.points.append([step, round(value, DIGITS)])
        if len(self.points) > MAX_POINTS:  # every second one, and the newest: the curve keeps its shape
            self.points = self.points[:-1:2] + self.points[-1:]
