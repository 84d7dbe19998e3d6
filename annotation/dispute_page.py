"""The page of disputes: one after the other, by keyboard. Its address says which product's, and where in the queue."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.dispute_queue import disputed_labels, last_decision, next_dispute, open_disputes
from annotation.disputes import DisputeDecidedError, dispute_decide, dispute_reopen
from annotation.models import MAX_NOTE, Dispute
from mmproject.ids import ID_LENGTH

SKIPPED = "disputes_skipped"  # in the session: left to others, by this reviewer, as long as he is signed in
MAX_SKIPPED = 200


class PlaceForm(forms.Form):
    """`?product=…&after=…&dispute=…`; what makes no sense is as if it were not there."""

    product = forms.CharField(max_length=ID_LENGTH, required=False)
    after = forms.CharField(max_length=ID_LENGTH, required=False)
    dispute = forms.CharField(max_length=ID_LENGTH, required=False)

    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name in self.fields if (value := self.cleaned_data.get(name))}


class DecisionForm(forms.Form):
    dispute = forms.CharField(max_length=ID_LENGTH)
    note = forms.CharField(max_length=MAX_NOTE, required=False, label=gettext_lazy("Note to the annotator"))


def show(request: HttpRequest, *, site: dict[str, Any]) -> HttpResponse:
    """The dispute that the address names, or the next one."""
    chosen = PlaceForm(request.GET).chosen()
    dispute = _named(chosen.get("dispute"))
    if "dispute" in chosen and dispute is None:
        messages.warning(request, _("That dispute is over: the annotators do not differ any more."))
    return _page(request, site=site, chosen=chosen, dispute=dispute, form=DecisionForm())


def decide(request: HttpRequest, *, site: dict[str, Any]) -> HttpResponse:
    """What a button says: a decision, skip, or undo. All lead back to the page, so that a reload repeats nothing."""
    chosen = PlaceForm(request.GET).chosen()
    what = request.POST.get("do", "")
    if what == "unskip":
        request.session.pop(SKIPPED, None)
        return _to(chosen)
    form = DecisionForm(request.POST)
    dispute_id = request.POST.get("dispute", "")[:ID_LENGTH]
    if what in _DECISIONS and not form.is_valid() and "dispute" not in form.errors:
        return _page(request, site=site, chosen=chosen, dispute=_named(dispute_id), form=form)
    if what not in {*_DECISIONS, "skip", "undo"} or not form.is_valid():
        messages.error(request, _("The page was out of date; nothing was saved."))
        return _to(chosen)
    if what == "undo":
        return _undo(request, chosen, dispute_id)
    if what == "skip":
        request.session[SKIPPED] = [*request.session.get(SKIPPED, []), dispute_id][-MAX_SKIPPED:]
        return _to(chosen, after=dispute_id)
    return _decide(request, chosen, dispute_id, is_match=_DECISIONS[what], note=form.cleaned_data["note"])


_DECISIONS = {"yes": True, "no": False}


def _decide(
    request: HttpRequest, chosen: Mapping[str, str], dispute_id: str, *, is_match: bool, note: str
) -> HttpResponse:
    try:
        dispute_decide(dispute_id=dispute_id, is_match=is_match, reviewer=request.user, note=note)
    except Dispute.DoesNotExist:
        messages.warning(request, _("That dispute is over: the annotators do not differ any more."))
    except DisputeDecidedError as conflict:
        text = _("Somebody was faster: %(reviewer)s has decided “%(decision)s”. What you said was not saved.")
        said = conflict.dispute
        messages.warning(request, text % {"reviewer": said.decided_by, "decision": decision_words(said)})
        return _to(chosen, dispute=dispute_id)
    return _to(chosen, after=dispute_id)


def _undo(request: HttpRequest, chosen: Mapping[str, str], dispute_id: str) -> HttpResponse:
    try:
        dispute = dispute_reopen(dispute_id=dispute_id, reviewer=request.user)
    except Dispute.DoesNotExist:
        messages.warning(request, _("There is nothing to undo."))
        return _to(chosen)
    return _to(chosen, dispute=dispute.id) if dispute else _to(chosen)


def decision_words(dispute: Dispute) -> str:
    """What was decided, in words; "" while it is open."""
    if dispute.is_match is None:
        return ""
    return _("shows the product") if dispute.is_match else _("does not show the product")


def _named(dispute_id: str | None) -> Dispute | None:
    return Dispute.objects.filter(id=dispute_id).first() if dispute_id else None


def _to(chosen: Mapping[str, str], **place: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('admin:annotation_dispute_decide')}?{_query(chosen, **place)}")


def _query(chosen: Mapping[str, str], **place: str) -> str:
    return urlencode({name: value for name, value in chosen.items() if name == "product"} | place)


def _page(
    request: HttpRequest, *, site: dict[str, Any], chosen: dict[str, str], dispute: Dispute | None, form: DecisionForm
) -> HttpResponse:
    skipped = request.session.get(SKIPPED, [])
    if dispute is None:
        dispute = next_dispute(chosen, after=_named(chosen.get("after")), skipped=skipped)
    waiting = open_disputes(chosen)
    last = last_decision(reviewer_name=request.user.get_username())
    context = site | {
        "title": _("Decide disputes"),
        "opts": Dispute._meta,
        "is_nav_sidebar_enabled": False,
        "dispute": dispute,
        "upcoming": next_dispute(chosen, after=dispute, skipped=skipped) if dispute else None,
        "decision": decision_words(dispute) if dispute else "",
        "labels": disputed_labels(dispute) if dispute else [],
        "left": waiting.count(),
        "skipped": waiting.filter(id__in=skipped).count() if skipped else 0,
        "last": last,
        "last_decision": decision_words(last) if last else "",
        "form": form,
        "product": chosen.get("product", ""),
        "query": _query(chosen),
    }
    return render(request, "admin/annotation/dispute/decide.html", context, status=422 if form.errors else 200)
