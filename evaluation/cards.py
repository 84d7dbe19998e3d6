"""A prediction as a card of the run page: what the model says, and what this evaluator has ticked or saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crawler.models import WorkState
from evaluation.forms import ABSENT, OTHER, PRODUCT
from evaluation.models import Judgment, Prediction, Verdict

SURE, DOUBTFUL = 0.9, 0.6


@dataclass(frozen=True)
class Choice:
    """A product that the model also thought of, offered as the right one."""

    value: str
    name: str
    percent: float


@dataclass(frozen=True)
class Card:
    prediction: Prediction
    verdict: str = ""
    right: str = ""  # one of the choices' values, `absent` or `other`
    typed: str = ""  # the product's name with `other`
    error: str = ""
    saved: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.prediction.state == WorkState.PENDING

    @property
    def is_answered(self) -> bool:
        return self.prediction.state == WorkState.DONE

    @property
    def percent(self) -> float:
        return 100 * (self.prediction.product_confidence or 0)

    @property
    def certainty(self) -> str:
        """The badge's colour: how sure the model says it is."""
        confidence = self.prediction.product_confidence or 0
        return "good" if confidence >= SURE else "warn" if confidence >= DOUBTFUL else "bad"

    @property
    def choices(self) -> list[Choice]:
        """What the model thought of besides its answer."""
        others = [row for row in self.prediction.top5 if row[0] != self.prediction.product_id]
        return [Choice(f"{PRODUCT}{product}", name, 100 * confidence) for product, name, confidence in others]


def cards_saved(predictions: Sequence[Prediction], judgments: Mapping[str, Judgment]) -> list[Card]:
    """The cards as they were saved, or empty."""
    return [_from_judgment(prediction, judgments.get(prediction.id)) for prediction in predictions]


def cards_posted(predictions: Sequence[Prediction], data: Mapping[str, str], errors: Mapping[str, str]) -> list[Card]:
    """The cards as they were sent, with what is wrong with each."""
    return [
        Card(
            prediction,
            verdict=data.get(f"verdict-{prediction.position}", ""),
            right=data.get(f"right-{prediction.position}", ""),
            typed=data.get(f"other-{prediction.position}", ""),
            error=errors.get(str(prediction.position), ""),
        )
        for prediction in predictions
    ]


def _from_judgment(prediction: Prediction, judgment: Judgment | None) -> Card:
    if judgment is None:
        return Card(prediction)
    card = Card(prediction, verdict=judgment.verdict, saved=True)
    if judgment.verdict != Verdict.WRONG:
        return card
    if not judgment.right_product_id:
        return Card(prediction, verdict=judgment.verdict, right=ABSENT, saved=True)
    value = f"{PRODUCT}{judgment.right_product_id}"
    if value in {choice.value for choice in card.choices}:
        return Card(prediction, verdict=judgment.verdict, right=value, saved=True)
    return Card(prediction, verdict=judgment.verdict, right=OTHER, typed=judgment.right_product_name, saved=True)
