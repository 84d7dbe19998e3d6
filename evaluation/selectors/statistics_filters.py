"""What of the judgments somebody asks about: read from an address, written into one, and looked up in the columns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from urllib.parse import urlencode

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _

from evaluation.columns import CONFIDENCE_STEPS, DIMENSIONS, OUTCOMES, REFUSED, TRAINED_ON, VERDICTS
from evaluation.models import TallyName, Verdict

FRESH, KNOWN, ALL = "fresh", "known", "all"  # pictures that the model had not seen, those that it had, both
ABSENT = "absent"  # as the right product: none of our catalogue
BANDS = ("0-50", "50-60", "60-70", "70-80", "80-90", "90-95", "95-99", "99-100")  # per cent of confidence
_BAND = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)-(\d{1,3}(?:\.\d{1,2})?)")
_YES_NO = ("yes", "no")
MAX_VALUE = 300


@dataclass(frozen=True)
class Filters:
    """Empty: all. A dimension's value is an id or a name. `since` and `until` are days, both included."""

    model: str = ""
    product: str = ""
    brand: str = ""
    shop: str = ""
    source: str = ""
    evaluator: str = ""
    right: str = ""  # the right product where a judgment said wrong; ABSENT: none of ours
    verdict: str = ""
    confidence: str = ""  # LOW-HIGH in per cent; HIGH belongs to it only where it is 100
    refused: str = ""  # whether the model said "not in our catalogue": yes or no
    pictures: str = ""  # figures take it for FRESH, since a known picture proves nothing; the table shows all
    since: str = ""
    until: str = ""

    def query(self, **changed: str) -> str:
        """As the query of an address, without what is left at its default."""
        wanted = replace(self, **{name: value for name, value in changed.items() if name in _DEFAULTS})
        extra = {name: value for name, value in changed.items() if name not in _DEFAULTS and value}
        return urlencode({name: getattr(wanted, name) for name in wanted.given()} | extra)

    @property
    def counted(self) -> "Filters":
        """What figures are of."""
        return replace(self, pictures=self.pictures or FRESH)

    def given(self) -> list[str]:
        """The names of those that narrow."""
        return [name for name, default in _DEFAULTS.items() if getattr(self, name) != default]


_DEFAULTS = {field.name: str(field.default) for field in fields(Filters)}


def filters_from(data: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters that an address asks for, and what is wrong with it by field; what is wrong narrows nothing."""
    values = {name: data.get(name, "").strip()[:MAX_VALUE].replace("\0", "") for name in _DEFAULTS}
    problems = {name: problem for name, value in values.items() if value and (problem := _problem(name, value))}
    if not problems and values["since"] and values["until"] and values["since"] > values["until"]:
        problems["until"] = _("“%(value)s” is before the first day.") % {"value": values["until"]}
    return Filters(**{name: value for name, value in values.items() if name not in problems}), problems


def _problem(name: str, value: str) -> str:
    choices = {"verdict": Verdict.values, "refused": _YES_NO, "pictures": (FRESH, KNOWN, ALL)}.get(name)
    if choices and value not in choices:
        return _("“%(value)s” is none of: %(choices)s.") % {"value": value, "choices": ", ".join(choices)}
    if name in {"since", "until"}:
        try:
            if date.fromisoformat(value).isoformat() == value:
                return ""
        except ValueError:
            pass
        return _("“%(value)s” is not a day such as 2026-03-31.") % {"value": value}
    if name == "confidence" and steps_of(value) is None:
        return _("“%(value)s” is not a range of per cent such as 80-90.") % {"value": value}
    return ""


def steps_of(band: str) -> tuple[int, int] | None:
    """The first and the last confidence step of LOW-HIGH; None when it is no such range."""
    found = _BAND.fullmatch(band)
    if found is None:
        return None
    low, high = (round(float(part) * CONFIDENCE_STEPS / 100) for part in found.groups())
    if not low < high <= CONFIDENCE_STEPS:
        return None
    return low, high if high == CONFIDENCE_STEPS else high - 1


@dataclass(frozen=True)
class Selection:
    """Filters as the columns know them."""

    numbers: dict[str, list[int]]  # by dimension; an empty list: nothing is so
    outcomes: np.ndarray  # (OUTCOMES,) bool
    steps: tuple[int, int] | None
    since: str
    until: str

    @property
    def columns(self) -> set[str]:
        """The columns that `mask` reads."""
        wanted = set(self.numbers) | ({"confidence"} if self.steps else set())
        return wanted if self.outcomes.all() else wanted | {"outcome"}

    def mask(self, columns: Mapping[str, np.ndarray], count: int) -> np.ndarray | None:
        """Which of the rows are meant, (count,) bool; None: all."""
        masks = [] if self.outcomes.all() else [self.outcomes[columns["outcome"]]]
        for name, numbers in self.numbers.items():
            one = len(numbers) == 1
            masks.append(columns[name] == numbers[0] if one else np.isin(columns[name], numbers))
        if self.steps:
            masks.append((columns["confidence"] >= self.steps[0]) & (columns["confidence"] <= self.steps[1]))
        return np.logical_and.reduce(masks) if masks else None


def selection_of(filters: Filters) -> Selection:
    """Looks the values up: one query, none without any."""
    asked = {name: value for name in DIMENSIONS if (value := getattr(filters, name))}
    numbers: dict[str, list[int]] = {name: [] for name in asked}
    if asked:
        wanted = {name: ("" if name == "right" and value == ABSENT else value) for name, value in asked.items()}
        for found in TallyName.objects.filter(_any_of(wanted)).values("dimension", "value", "name", "number"):
            for name, value in wanted.items():
                is_it = found["value"] == value or (value and found["name"] == value)
                if found["dimension"] == DIMENSIONS[name].names and is_it:
                    numbers[name].append(found["number"])
    outcomes = np.ones(OUTCOMES, dtype=bool)
    places = np.arange(OUTCOMES)
    if filters.pictures not in {"", ALL}:
        outcomes &= (places >= TRAINED_ON) == (filters.pictures == KNOWN)
    verdict = str(Verdict.WRONG) if filters.right else filters.verdict
    if verdict:
        outcomes &= np.isin(places % TRAINED_ON, VERDICTS[Verdict(verdict)])
    if filters.right and filters.verdict not in {"", Verdict.WRONG}:
        outcomes &= False
    if filters.refused:
        outcomes &= np.isin(places % TRAINED_ON, REFUSED) == (filters.refused == "yes")
    steps = steps_of(filters.confidence) if filters.confidence else None
    return Selection(numbers, outcomes, steps, filters.since, filters.until)


def _any_of(wanted: Mapping[str, str]) -> Q:
    any_of = Q()
    for name, value in wanted.items():
        names = DIMENSIONS[name].names
        any_of |= Q(dimension=names, value=value) | Q(dimension=names, name=value)
    return any_of
