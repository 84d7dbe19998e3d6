"""What a model is asked, and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np


class ModelFolderError(ValueError):
    """A model folder cannot be loaded. The message names the file, what is wrong with it, and what to do."""


class QuestionError(ValueError):
    """A model cannot be asked this. The message names what is wrong with the question."""


@dataclass(frozen=True)
class Pair:
    """A picture (a file, or its bytes; None for none) and the title beside it; the title may be empty."""

    image: Path | bytes | None
    title: str


@dataclass(frozen=True, kw_only=True)
class MatchPrediction:
    """Brand and product of one pair, each from its own head, so they may disagree; `brand` "" means goods without one.

    `top5` holds the best products with their confidences (softmax), best first; `brand_top5` the best brands.
    `rejected`: not in our catalogue. `by`: what found the product, the heads or a search of the catalogue; `nearest`:
    (product, picture, similarity) of the catalogue's vectors most like the pair, best first. With `error` set the rest
    is empty.
    """

    brand: str = ""
    brand_confidence: float = 0.0
    product: str = ""
    product_confidence: float = 0.0
    top5: list[tuple[str, float]] = field(default_factory=list)
    brand_top5: list[tuple[str, float]] = field(default_factory=list)
    error: str | None = None
    rejected: bool = False
    by: Literal["heads", "catalogue"] = "heads"
    nearest: list[tuple[str, str, float]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Probabilities:
    """All that the heads say of N pairs: `brand` (N, brands), `product` (N, products), float32, each row sums to 1.

    `errors` (N): why a pair has no answer, or None; the rows of these are NaN.
    """

    brand: "np.ndarray"
    product: "np.ndarray"
    errors: list[str | None]
