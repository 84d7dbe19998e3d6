"""What the active model thinks that listings show. Whoever runs models registers as the provider; there may be none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What `model` says of one listing. No product: it looked and could not say."""

    listing_id: str
    product_id: str
    product_name: str
    brand_name: str
    confidence: float  # 0 … 1
    model: str

    @property
    def percent(self) -> int:
        return round(100 * self.confidence)

    @property
    def text(self) -> str:
        """Beside a tick that it made."""
        return _("suggested by %(model)s, %(percent)d %%") % {"model": self.model, "percent": self.percent}

    @property
    def uncertainty(self) -> float:
        """From 0, quite sure either way, to 1, undecided."""
        return 1 - 2 * abs(self.confidence - 0.5)

    def against(self, product_id: str) -> str:
        """In words, what it says of a label that says `product_id`."""
        if not self.product_id:
            return _("could not say")
        if self.product_id == product_id:
            return _("agrees, %(percent)d %%") % {"percent": self.percent}
        return _("disagrees: %(product)s, %(percent)d %%") % {"product": self.product_name, "percent": self.percent}


class Provider(Protocol):
    """What the functions below ask."""

    def active_model(self) -> str: ...

    def opinions_of(self, listing_ids: Sequence[str]) -> dict[str, Opinion]: ...

    def ask(self, listing_ids: Sequence[str]) -> None: ...


_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Have `provider` answer from now on."""
    _providers[:] = [provider]


def active_model() -> str:
    """The name of the model that answers; empty when none does."""
    return _providers[0].active_model() if _providers else ""


def opinions_of(listing_ids: Sequence[str]) -> dict[str, Opinion]:
    """What the active model has said of these listings, by listing id; a constant number of queries."""
    return _providers[0].opinions_of(listing_ids) if _providers and listing_ids else {}


def ask(listing_ids: Sequence[str]) -> None:
    """Have the active model look at those of these listings that it has not seen yet; returns at once."""
    if _providers and listing_ids:
        _providers[0].ask(listing_ids)
