"""A listing for each of the most frequent confusions, to see what the model saw."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.data.errors import PictureError
from ml.data.images import load_image
from ml.data.records import Dataset, Record
from ml.evaluating.answers import HeadAnswers
from ml.evaluating.evaluate import class_name
from ml.evaluating.questions import picture_of
from ml.metrics.confusion import confused_pairs

SIDE = 96
EXAMPLES = 12


@dataclass(frozen=True, kw_only=True)
class Example:
    """A pair that was answered wrongly: names of the true and the answered class, how often these are confused."""

    id: str
    title: str
    truth: str
    said: str
    confidence: float
    count: int
    picture: str | None


def examples_of(
    answers: HeadAnswers,
    *,
    entries: Sequence[dict[str, str]],
    data: Dataset,
    records: Sequence[Record],
    rows: np.ndarray,
) -> list[Example]:
    """For each of the most frequent confusions the answer that was surest of itself; `rows` as of `Asked`."""
    known = answers.truth >= 0
    found = []
    for truth, said, count in confused_pairs(answers.truth[known], answers.predicted[known])[:EXAMPLES]:
        places = np.flatnonzero((answers.truth == truth) & (answers.predicted == said))
        surest = places[answers.confidence[places].argmax()]
        record = records[int(rows[surest])]
        found.append(
            Example(
                id=record.id,
                title=record.title,
                truth=class_name(entries[truth]),
                said=class_name(entries[said]),
                confidence=float(answers.confidence[surest]),
                count=count,
                picture=thumbnail(_picture(data, record)),
            )
        )
    return found


def _picture(data: Dataset, record: Record) -> bytes | None:
    try:
        return picture_of(data, record)
    except PictureError:
        return None


def thumbnail(source: Path | bytes | None) -> str | None:
    """A picture as a data URI: a small JPEG made anew, so that nothing else of the file is in it. None without one."""
    if source is None:
        return None
    try:
        image = load_image(source)
    except PictureError:
        return None
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
