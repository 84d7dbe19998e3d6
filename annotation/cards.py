"""A listing as a card of the annotators' page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.selectors import labelled_products
from crawler.look_alikes import look_alikes
from crawler.models import ImageState, Listing


@dataclass(frozen=True)
class Card:
    listing: Listing
    labelled: Sequence[str] = ()  # the products that it is labelled with already
    alike: str = ""  # the group of cards whose pictures look alike, which can be ticked together
    alike_count: int = 0  # how many these are; 0 on every card of the group but its first

    @property
    def is_fetching(self) -> bool:
        """Whether its picture is on its way."""
        return self.listing.image_state == ImageState.PENDING and self.listing.image_retry_at is not None


def cards(listings: Sequence[Listing], *, page: int, labelled: Mapping[str, Sequence[str]] | None = None) -> list[Card]:
    """The cards of one page in its order, but look-alikes beside the first of them.

    `labelled` is what `labelled_products` says of them; it is asked, by one query, when that is left out.
    """
    if labelled is None:
        labelled = labelled_products(listing.id for listing in listings)
    alike = look_alikes([listing.phash for listing in listings])
    made: list[Card] = []
    places: list[int] = []
    first_of: dict[int, int] = {}
    for place, (listing, group) in enumerate(zip(listings, alike, strict=True)):
        is_first = group is not None and group.group not in first_of
        name = f"{page}-{group.group}" if group else ""
        count = group.count if group and is_first else 0
        made.append(Card(listing, labelled.get(listing.id, ()), name, count))
        places.append(first_of.setdefault(group.group, place) if group else place)
    order = sorted(range(len(made)), key=lambda index: (places[index], index))
    return [made[index] for index in order]
