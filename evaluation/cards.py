"""A listing as a card of the run page, with one answer for each version: what it says, what this evaluator has ticked
or saved, and what others said once this one has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crawler.models import WorkState
from evaluation.forms import ABSENT, OTHER, PRODUCT
from evaluation.models import Judgment, Prediction, PredictionRun, Verdict

SURE, DOUBTFUL = 0.9, 0.6


@dataclass(frozen=True)
class Choice:
    """A product that the model thought of, with its catalogue picture where there is one."""

    value: str
    name: str
    percent: float
    image_sha256: str


@dataclass(frozen=True)
class Neighbour:
    """A catalogue picture that looks like the listing's to the model."""

    name: str
    image_sha256: str
    percent: float


@dataclass(frozen=True)
class Card:
    """One answer of a version, as it is judged."""

    prediction: Prediction
    pictures: Mapping[str, str] = field(default_factory=dict)  # product id: SHA-256 of its catalogue picture
    own: Judgment | None = None  # what this evaluator has said and saved
    others: Sequence[Judgment] = ()  # what other people said; empty until this evaluator has
    verdict: str = ""
    right: str = ""  # one of the choices' values, `absent` or `other`
    typed: str = ""  # the product's name with `other`
    error: str = ""
    version: str = ""  # stands above the answer where versions are compared
    is_blind: bool = False  # nothing may tell which version it is
    is_held: bool = False  # is not shown before the other version's answer: the order would tell

    @property
    def is_waiting(self) -> bool:
        return self.is_held or self.prediction.state == WorkState.PENDING

    @property
    def is_answered(self) -> bool:
        return not self.is_held and self.prediction.state == WorkState.DONE

    @property
    def percent(self) -> float:
        return 100 * (self.prediction.product_confidence or 0)

    @property
    def certainty(self) -> str:
        """The badge's colour: how sure the model says it is."""
        confidence = self.prediction.product_confidence or 0
        return "good" if confidence >= SURE else "warn" if confidence >= DOUBTFUL else "bad"

    @property
    def brand_percent(self) -> float:
        return 100 * (self.prediction.brand_confidence or 0)

    @property
    def picture(self) -> str:
        """The catalogue picture of the product that is said."""
        return self.pictures.get(self.prediction.product_id, "")

    @property
    def top5(self) -> list[Choice]:
        return [
            Choice(f"{PRODUCT}{product}", name, 100 * confidence, self.pictures.get(product, ""))
            for product, name, confidence in self.prediction.top5
        ]

    @property
    def choices(self) -> list[Choice]:
        """What may be the right product: what the model thought of besides its answer."""
        said = "" if self.prediction.rejected else f"{PRODUCT}{self.prediction.product_id}"
        return [choice for choice in self.top5 if choice.value != said]

    @property
    def nearest(self) -> list[Neighbour]:
        return [Neighbour(name, sha, 100 * likeness) for _product, name, sha, likeness in self.prediction.nearest]

    @property
    def agreeing(self) -> int:
        """How many of the others said the same."""
        return sum(_said(judgment) == _said(self.own) for judgment in self.others)

    @property
    def agreement(self) -> str:
        if not self.others:
            return ""
        if len(self.others) == 1:
            return _("another person agrees") if self.agreeing else _("another person says otherwise")
        text = ngettext("%(agreeing)d of %(all)d others agrees", "%(agreeing)d of %(all)d others agree", self.agreeing)
        return text % {"agreeing": self.agreeing, "all": len(self.others)}


@dataclass(frozen=True)
class ListingCard:
    """A listing with the answers to it, of one version or of two."""

    listing: Prediction  # any of them: each carries a snapshot
    cards: list[Card]


def cards_of(
    run: PredictionRun,
    predictions: Sequence[Prediction],
    *,
    judgments: Sequence[Judgment],
    evaluator_id: int,
    pictures: Mapping[str, str],
    revealed: bool,
) -> list[Card]:
    """The cards as this evaluator has saved them. `judgments` are everybody's; blind until `revealed`."""
    own = {one.prediction_id: one for one in judgments if one.evaluator_id == evaluator_id}
    blind = run.blind and not revealed
    waiting = {row.listing_id for row in predictions if row.state == WorkState.PENDING} if blind else set()
    return [
        _from_judgment(
            Card(
                row,
                pictures=pictures,
                own=own.get(row.id),
                others=[one for one in judgments if one.prediction_id == row.id and one.evaluator_id != evaluator_id]
                if row.id in own
                else [],
                version=_version(run, row, blind=blind),
                is_blind=blind,
                is_held=row.listing_id in waiting,
            )
        )
        for row in predictions
    ]


def cards_posted(cards: Sequence[Card], data: Mapping[str, str], errors: Mapping[str, str]) -> list[Card]:
    """The cards as they were sent, with what is wrong with each."""
    return [
        replace(
            card,
            own=None,
            others=[],
            verdict=data.get(f"verdict-{card.prediction.position}", ""),
            right=data.get(f"right-{card.prediction.position}", ""),
            typed=data.get(f"other-{card.prediction.position}", ""),
            error=errors.get(str(card.prediction.position), ""),
        )
        for card in cards
    ]


def by_listing(cards: Sequence[Card]) -> list[ListingCard]:
    """The cards in their order, those of one listing together."""
    groups = [list(group) for _listing, group in groupby(cards, key=lambda card: card.prediction.listing_id)]
    return [ListingCard(group[0].prediction, group) for group in groups]


def _from_judgment(card: Card) -> Card:
    own = card.own
    if own is None:
        return card
    card = replace(card, verdict=own.verdict)
    if own.verdict != Verdict.WRONG:
        return card
    if not own.right_product_id:
        return replace(card, right=ABSENT)
    value = f"{PRODUCT}{own.right_product_id}"
    if value in {choice.value for choice in card.choices}:
        return replace(card, right=value)
    return replace(card, right=OTHER, typed=own.right_product_name)


def _version(run: PredictionRun, prediction: Prediction, *, blind: bool) -> str:
    if not run.other_model_id:
        return ""
    return _("Answer %(number)d") % {"number": prediction.position % 2 + 1} if blind else prediction.model_name


def _said(judgment: Judgment | None) -> tuple[str, str] | None:
    return judgment and (judgment.verdict, judgment.right_product_id)
