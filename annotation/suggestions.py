"""What the active model suggests on the annotators' page: ticks for the chosen product, and the listings' order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from annotation import opinions
from annotation.opinions import Opinion
from annotation.selectors import product_named
from crawler.models import Listing

THRESHOLD = 0.5  # as sure as this the model must be for a tick
MAX_LOOKED_AT = 1000  # listings of one page


@dataclass(frozen=True)
class Suggestions:
    """What `model` has said of some listings so far. Without one there is nothing to offer."""

    model: str = ""
    on: bool = False
    product: str = ""  # the name that is chosen, whatever it is
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    ticks: Mapping[str, Opinion] = field(default_factory=dict)  # for the chosen product
    looked_at: int = 0
    total: int = 0  # listings that have a picture

    @property
    def complete(self) -> bool:
        return self.looked_at == self.total

    @property
    def orders(self) -> bool:
        return any(opinion.product_id for opinion in self.opinions.values())

    def ordered(self, listings: Sequence[Listing]) -> list[Listing]:
        """The most uncertain first; what the model has said nothing of comes last, in the shop's order."""
        return sorted(listings, key=self._certainty)

    def _certainty(self, listing: Listing) -> float:
        opinion = self.opinions.get(listing.id)
        return 1 - opinion.uncertainty if opinion and opinion.product_id else 2


def suggestions_for(listings: Sequence[Listing], *, wanted: bool, product_name: str) -> Suggestions:
    """What the active model suggests for these listings; what it has not seen yet it is asked to look at.

    Nothing is read or asked of listings unless there is a model and suggestions are `wanted`.
    """
    model = opinions.active_model()
    if not model or not wanted:
        return Suggestions(model=model)
    ids = [listing.id for listing in listings if listing.image_sha256]
    found = opinions.opinions_of(ids)
    opinions.ask([listing_id for listing_id in ids if listing_id not in found])
    product = product_named(product_name) if product_name.strip() else None
    ticks = {
        listing_id: opinion
        for listing_id, opinion in found.items()
        if product and opinion.product_id == product.id and opinion.confidence >= THRESHOLD
    }
    return Suggestions(
        model=model,
        on=True,
        product=product_name.strip(),
        opinions=found,
        ticks=ticks,
        looked_at=len(found),
        total=len(ids),
    )
