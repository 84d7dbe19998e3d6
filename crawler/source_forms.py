"""The forms of the sources' admin: everything that would keep a source from being asked is said before it is saved."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crawler.errors import ConfigError
from crawler.models import Source, SourceKind
from crawler.services import MAX_PAGE, checked_keyword
from crawler.sources import check_config

TIMEOUT_S = (1, 45)
_YEAR_S = 365 * 24 * 3600
# field: its lowest and its highest value
LIMITS = {"timeout_s": TIMEOUT_S, "fresh_s": (10, _YEAR_S), "stale_s": (0, _YEAR_S), "empty_fresh_s": (0, _YEAR_S)}
_HOST = re.compile(r"(\*\.)?\w([\w-]*\w)?(\.\w([\w-]*\w)?)*|[0-9a-f:]+")  # a name or an address, without a port


class IndentedJSONField(forms.JSONField):
    """JSON as people read and write it: indented, in its own script, with the place of a mistake in the message."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField monospace", "rows": 16, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            try:
                json.loads(value)
            except (ValueError, RecursionError) as error:
                message = _("This is not JSON: %(error)s.")
                raise ValidationError(message % {"error": error}, code="invalid") from error
        return super().to_python(value)


class SourceForm(forms.ModelForm):
    """A source as an operator edits it. Refuses to overwrite what another operator has saved meanwhile."""

    fingerprint = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Source
        fields = "__all__"  # all of a source is the operator's
        field_classes = {"config": IndentedJSONField, "headers": IndentedJSONField}
        widgets = {
            "headers": forms.Textarea(attrs={"class": "vLargeTextField monospace", "rows": 4, "spellcheck": "false"}),
            "hosts": forms.Textarea(attrs={"class": "vLargeTextField monospace", "rows": 3, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["fingerprint"] = fingerprint(self.instance)

    def clean_headers(self) -> Any:
        return {} if self.cleaned_data["headers"] is None else self.cleaned_data["headers"]

    def clean_config(self) -> Any:
        return {} if self.cleaned_data["config"] is None else self.cleaned_data["config"]

    def clean_hosts(self) -> str:
        hosts = self.cleaned_data["hosts"].lower().split()
        for host in hosts:
            if not _HOST.fullmatch(host):
                message = _("“%(host)s” is not a host: write one a line, like shop.example or *.shop.example.")
                raise ValidationError(message % {"host": host[:100]})
        return "\n".join(hosts)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        self._check_unchanged(values)
        if not values.get("robots", True) and not values.get("robots_reason", "").strip():
            self.add_error("robots_reason", _("Say why: without a reason robots.txt is honoured."))
        for name, (lowest, highest) in LIMITS.items():
            value = values.get(name)
            if value is not None and not lowest <= value <= highest:
                message = _("%(value)s is out of range: from %(lowest)d to %(highest)d.")
                self.add_error(name, message % {"value": value, "lowest": lowest, "highest": highest})
        if not self.errors:
            self._check_home(values)
            self._check_config(values)
        return values

    def _check_unchanged(self, values: Mapping[str, Any]) -> None:
        if self.instance._state.adding:
            return
        stored = Source.objects.filter(pk=self.instance.pk).first()
        if stored is None:
            raise ValidationError(_("This source was deleted meanwhile."))
        if fingerprint(stored) != values.get("fingerprint"):
            raise ValidationError(
                _("Somebody else has changed this source since you opened this page: open it again in another tab.")
            )

    def _check_home(self, values: Mapping[str, Any]) -> None:
        hosts = set(values["hosts"].split())
        try:
            home = urlsplit(values["base_url"]).hostname or ""
        except ValueError:  # said by the check of the configuration
            return
        names = {home, *(f"*.{home.split('.', n)[-1]}" for n in range(1, home.count(".") + 1))}
        if home and hosts and not names & hosts:
            message = _("The host of the base URL, %(host)s, is not among them: nothing could be asked.")
            self.add_error("hosts", message % {"host": home})

    def _check_config(self, values: Mapping[str, Any]) -> None:
        names = {field.name for field in Source._meta.concrete_fields}
        source = Source(**{name: value for name, value in values.items() if name in names})
        try:
            check_config(source)
        except ConfigError as error:
            self.add_error(error.field if error.field in self.fields else "config", str(error))
        except KeyError:  # no adapter: what is imported is never asked
            if source.kind != SourceKind.FILES:
                self.add_error("kind", _("Sources of this kind cannot be searched."))


class TryForm(forms.Form):
    """What a source is asked for once, to see whether it works."""

    keyword = forms.CharField(max_length=200, label=gettext_lazy("Keyword"))
    page = forms.IntegerField(min_value=1, max_value=MAX_PAGE, initial=1, label=gettext_lazy("Page"))

    def clean_keyword(self) -> str:
        try:
            return checked_keyword(self.cleaned_data["keyword"])[0]
        except ValidationError as error:
            raise ValidationError(error.messages) from error


def fingerprint(source: Source) -> str:
    """What tells two states of a source apart."""
    values = {field.name: getattr(source, field.name) for field in Source._meta.concrete_fields}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
