"""What a model is asked, and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path


class ModelFolderError(ValueError):
    """A model folder cannot be loaded. The message names the file, what is wrong with it, and what to do."""


@dataclass(frozen=True)
class Pair:
    """A picture (a file, or its bytes) and the title beside it; the title may be empty."""

    image: Path | bytes
    title: str


@dataclass(frozen=True, kw_only=True)
class MatchPrediction:
    """Brand and product of one pair, each from its own head, so they may disagree; `brand` "" means goods without one.

    `top5` holds the best products with their confidences (softmax), best first. With `error` set the rest is empty.
    """

    brand: str = ""
    brand_confidence: float = 0.0
    product: str = ""
    product_confidence: float = 0.0
    top5: list[tuple[str, float]] = field(default_factory=list)
    error: str | None = None
