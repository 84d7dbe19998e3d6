"""A listing as a card of the annotators' page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.translation import ngettext

from annotation.opinions import Opinion
from annotation.selectors import labelled_products
from crawler.look_alikes import look_alikes
from crawler.models import ImageState, Listing
from crawler.picture_paths import picture_path


@dataclass(frozen=True)
class Card:
    listing: Listing
    labelled: Sequence[str] = ()  # the products that it is labelled with already
    alike: str = ""  # the group of cards whose pictures look alike, which can be ticked together
    alike_count: int = 0  # how many these are; 0 on every card of the group but its first
    suggestion: Opinion | None = None  # the model's, which ticks it

    @property
    def is_fetching(self) -> bool:
        """Whether its picture is on its way."""
        return self.listing.image_state == ImageState.PENDING and self.listing.image_retry_at is not None

    @property
    def picture(self) -> str:
        """The path of its picture; empty when it has none."""
        return picture_path(self.listing.image_sha256) if self.listing.image_sha256 else ""

    @property
    def price(self) -> str:
        """Price and currency; empty when the shop tells none."""
        return "" if self.listing.price is None else f"{self.listing.price:.2f} {self.listing.currency}"

    @property
    def alike_text(self) -> str:
        text = ngettext("%(count)s looks alike", "%(count)s look alike", self.alike_count)
        return text % {"count": self.alike_count}


def cards(
    listings: Sequence[Listing],
    *,
    page: int,
    labelled: Mapping[str, Sequence[str]] | None = None,
    suggested: Mapping[str, Opinion] = MappingProxyType({}),
) -> list[Card]:
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
        suggestion = suggested.get(listing.id)
        made.append(Card(listing, labelled.get(listing.id, ()), name, count, suggestion))
        places.append(first_of.setdefault(group.group, place) if group else place)
    order = sorted(range(len(made)), key=lambda index: (places[index], index))
    return [made[index] for index in order]
