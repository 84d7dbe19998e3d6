"""What reviewers send."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.models import MAX_NOTE, RejectReason
from mmproject.ids import ID_LENGTH


class RejectForm(forms.Form):
    """Why a label is wrong, and what its annotator is told about it."""

    reason = forms.ChoiceField(
        choices=RejectReason.choices, label=_("Reason"), error_messages={"required": _("Choose why it is rejected.")}
    )
    note = forms.CharField(max_length=MAX_NOTE, required=False, label=_("Note to the annotator"))


class SeenForm(forms.Form):
    """The label that a reviewer decides on, and how many changes it had when he saw it."""

    label = forms.CharField(max_length=ID_LENGTH)
    seen = forms.IntegerField(min_value=0)


class QueueForm(forms.Form):
    """Which part of the queue, and where in it: `?product=…&annotator=…&source=…&after=…&label=…`.

    What makes no sense is as if it were not there.
    """

    product = forms.CharField(max_length=ID_LENGTH, required=False)
    annotator = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    source = forms.CharField(max_length=64, required=False)
    after = forms.CharField(max_length=ID_LENGTH, required=False)
    label = forms.CharField(max_length=ID_LENGTH, required=False)

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        values = {name: self.cleaned_data.get(name) for name in self.fields}
        return {name: value for name, value in values.items() if value not in (None, "")}
