"""What a model is asked about each record of a split, and what the right answer is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml.data.records import Dataset, Record
from ml.evaluating.brand_mask import mask_brand
from ml.serving.pairs import Pair

Mode = Literal["both", "image-only", "text-only", "mask-brand"]


class EvaluationError(ValueError):
    """A model cannot be evaluated on this data, or the report cannot be written. The message names what and where."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A pair, the ids of its brand ("" without one) and product, and the title as the listing has it."""

    id: str
    pair: Pair
    brand: str
    product: str
    title: str


def records_of(data: Dataset, split: str) -> Sequence[Record]:
    """The labelled records of a split. Raises EvaluationError when there are none."""
    records = data.split(split)
    if not records:
        raise EvaluationError(f"split={split!r} of {data.folder} holds no labelled listing: name another split")
    return records


def question(data: Dataset, record: Record, *, mode: Mode, spellings: dict[str, tuple[str, ...]]) -> Question:
    """`spellings` as of `brand_spellings`. Raises PictureError for a picture that is missing."""
    title = "" if mode == "image-only" else record.title
    if mode == "mask-brand":
        title = mask_brand(title, spellings.get(record.brand, ()))
    image = None if mode == "text-only" else picture_of(data, record)
    return Question(
        id=record.id, pair=Pair(image, title), brand=record.brand, product=record.product, title=record.title
    )


def picture_of(data: Dataset, record: Record) -> bytes:
    """A record's first picture. Raises PictureError when it is missing."""
    return data.picture(record.images[0])


def brand_spellings(data: Dataset) -> dict[str, tuple[str, ...]]:
    """Name and aliases of each brand of the catalogue, by its id."""
    return {brand.id: (brand.name, *brand.aliases) for brand in data.brands.values()}
