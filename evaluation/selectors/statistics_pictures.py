"""The catalogue's pictures of products that are taken for one another."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.models import Product
from evaluation.selectors.statistics import MixUp


@dataclass(frozen=True)
class PicturedMixUp:
    """SHA-256 of either product's picture; empty: it has none."""

    mix_up: MixUp
    predicted_picture: str
    right_picture: str


def pictured(mix_ups: Sequence[MixUp]) -> list[PicturedMixUp]:
    """One query, none for none."""
    ids = {one for mix_up in mix_ups for one in (mix_up.predicted_id, mix_up.right_id) if one}
    found = dict(Product.objects.filter(id__in=sorted(ids)).values_list("id", "image_sha256")) if ids else {}
    return [PicturedMixUp(one, found.get(one.predicted_id, ""), found.get(one.right_id, "")) for one in mix_ups]
