"""What the evaluators' pages send."""

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from evaluation.models import RunKind, Verdict
from evaluation.services.judgments import Answer

ABSENT = "absent"  # the value of the choice "not in our catalogue"
OTHER = "other"  # the value of the choice "another product", whose name stands in the text field
PRODUCT = "product:"  # prefixes a product id, so that no id can pass for one of the two above
POSITION = re.compile("[0-9]{1,5}")
STARTED_HERE = [(RunKind.SEARCH, _("Keyword")), (RunKind.ADDRESS, _("Address")), (RunKind.UPLOAD, _("Picture"))]
WEB_ADDRESS = re.compile("https?://", re.IGNORECASE)


class RunForm(forms.Form):
    """A test: `kind` says which of `keyword`, `address`, and `picture` with `title` it is about."""

    kind = forms.ChoiceField(choices=STARTED_HERE, required=False)
    keyword = forms.CharField(max_length=200, required=False, label=_("Keyword"))
    address = forms.CharField(max_length=4000, required=False, label=_("Address"))
    picture = forms.FileField(required=False, label=_("Picture"))
    title = forms.CharField(max_length=500, required=False, label=_("Title"))
    source = forms.CharField(max_length=64, required=False, label=_("Source"))
    page = forms.IntegerField(min_value=1, max_value=1000, required=False, label=_("Page"))
    force_update = forms.BooleanField(required=False)
    model = forms.CharField(max_length=64, required=False, label=_("Version"))
    other_model = forms.CharField(max_length=64, required=False, label=_("Compared with"))
    blind = forms.BooleanField(required=False)

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or str(RunKind.SEARCH)

    def clean_source(self) -> str | None:
        return self.cleaned_data["source"] or None

    def clean_page(self) -> int:
        return self.cleaned_data["page"] or 1

    def clean(self) -> dict[str, Any]:
        """What is needed for the kind; an address that was pasted as a keyword is an address."""
        values = super().clean() or self.cleaned_data
        if values.get("kind") == RunKind.SEARCH and WEB_ADDRESS.search(values.get("keyword", "")):
            values |= {"kind": RunKind.ADDRESS, "address": values["keyword"]}
        kind = values.get("kind")
        if kind == RunKind.SEARCH and not values.get("keyword") and "keyword" not in self.errors:
            self.add_error("keyword", _("Type a keyword to search for."))
        if kind == RunKind.ADDRESS and not values.get("address") and "address" not in self.errors:
            self.add_error("address", _("Paste the address of a listing."))
        if kind == RunKind.UPLOAD and not values.get("picture") and "picture" not in self.errors:
            self.add_error("picture", _("Choose a picture: JPEG, PNG or WebP."))
        return values


class TrainingForm(forms.Form):
    """A training to start; whether its values can be trained, `services.training_start` says.

    `run_id` is made with the form, so that a second click starts no second training.
    """

    config = forms.CharField(max_length=100)
    dataset_of = forms.CharField(max_length=64, required=False)
    start_from = forms.CharField(max_length=64, required=False)
    changes = forms.CharField(max_length=2000, required=False, widget=forms.Textarea)
    run_id = forms.RegexField("^[0-9a-f-]{36}$", required=False)

    def clean_changes(self) -> list[str]:
        """One key=value a line; empty lines and comments count for nothing."""
        lines = (line.strip() for line in self.cleaned_data["changes"].splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def answers_in(data: QueryDict) -> list[Answer]:
    """The answers of a submitted page: `verdict-3`, and for a wrong one `right-3` and `other-3`, 3 being a position.

    A typed name counts with the choice “another product”, or with none.
    """
    answers = []
    for field in data:
        name, _dash, number = field.partition("-")
        if name != "verdict" or POSITION.fullmatch(number) is None:
            continue
        verdict, choice = data[field], data.get(f"right-{number}", "")
        typed = data.get(f"other-{number}", "").strip()[:200] if choice in {"", OTHER} else ""
        is_wrong = verdict == Verdict.WRONG
        answers.append(
            Answer(
                position=int(number),
                verdict=verdict[:10],
                right_product_id=choice.removeprefix(PRODUCT)[:64] if is_wrong and choice.startswith(PRODUCT) else "",
                right_product_name=typed if is_wrong else "",
                absent=is_wrong and choice == ABSENT,
            )
        )
    return answers
