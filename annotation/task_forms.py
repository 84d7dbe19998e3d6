"""What reviewers choose about tasks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.keywords import MAX_SUGGESTED
from annotation.work import MAX_OVERLAP, MAX_PRIORITY, check_overlap
from annotation.work_queue import annotators
from crawler.selectors import enabled_sources


class CreateTasksForm(forms.Form):
    """Which tasks are made of the chosen products."""

    source = forms.ChoiceField(label=_("Source"))
    own = forms.BooleanField(label=_("the product's own keywords"), required=False, initial=True)
    suggested = forms.BooleanField(label=_("keywords that its name and brand suggest"), required=False)
    at_most = forms.IntegerField(
        label=_("At most this many keywords for each product"), min_value=1, max_value=MAX_SUGGESTED, initial=3
    )
    overlap = forms.IntegerField(
        label=_("Annotators wanted for each task"), min_value=1, max_value=MAX_OVERLAP, initial=1
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        initial=0,
        help_text=_("The highest comes first."),
    )
    assignees = forms.ModelMultipleChoiceField(
        label=_("Assigned to"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Several take turns from product to product. Nobody: open to all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = [(source.id, source.name) for source in enabled_sources()]
        self.fields["source"].choices = sources
        self.fields["source"].initial = sources[0][0] if sources else ""
        self.fields["assignees"].queryset = annotators()

    def defaults(self) -> dict[str, Any]:
        """What is chosen before anybody chooses."""
        return {name: field.initial for name, field in self.fields.items()} | {"assignees": []}

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("own") and not data.get("suggested"):
            self.add_error("own", _("Choose which keywords the tasks are made of."))
        if data.get("overlap"):
            check_overlap(data["overlap"], assigned=bool(data.get("assignees")))
        return data


class AssignForm(forms.Form):
    """Whom the chosen tasks are for."""

    assignee = forms.ModelChoiceField(
        label=_("Assigned to"), queryset=None, required=False, empty_label=_("everybody: open to all")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = annotators()


class PriorityForm(forms.Form):
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        initial=0,
        help_text=_("The highest comes first."),
    )
