"""Pairs that are computed together are alike: pictures of a shape run as one, and little is padded."""

from collections.abc import Sequence

from ml.data.errors import PictureError
from ml.data.images import picture_size
from ml.serving.pairs import Pair


def alike(pairs: Sequence[Pair], size: int, *, by_shape: bool) -> list[list[int]]:
    """All places of `pairs` in parts of at most `size`, like ones together: by the length of the title, and before that
    with `by_shape` by the picture's proportions, of which only the file's head is read.
    """
    keys = [(_proportion(pair) if by_shape else 0.0, len(pair.title)) for pair in pairs]
    order = sorted(range(len(pairs)), key=keys.__getitem__)
    return [order[start : start + size] for start in range(0, len(order), size)]


def _proportion(pair: Pair) -> float:
    """Width over height; 0 for none, and for what is no picture."""
    if pair.image is None:
        return 0.0
    try:
        width, height = picture_size(pair.image)
    except PictureError:
        return 0.0
    return width / max(1, height)
