"""The review page: one label at a time. Its address says which part of the queue it is, and where in it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from annotation.models import Label, LabelChange, RejectReason, Review
from annotation.opinions import opinions_of
from annotation.review_forms import QueueForm, RejectForm, SeenForm
from annotation.review_queue import FILTERS, last_change, next_labels, other_labels, queue_choices, waiting_labels
from annotation.reviews import ReviewConflictError, label_review, label_undo
from crawler.selectors import enabled_sources

SKIPPED = "review_skipped"  # in the session: left to others, by this reviewer, as long as he is signed in
MAX_SKIPPED = 200


def show(request: HttpRequest, *, site: dict[str, Any]) -> HttpResponse:
    """The label that the address names, or the next one of the queue."""
    chosen = QueueForm(request.GET).chosen()
    named = _named(chosen.get("label"))
    if "label" in chosen and named is None:
        messages.warning(request, _("That label is not there any more."))
    return _page(request, site=site, chosen=chosen, label=named, form=RejectForm())


def decide(request: HttpRequest, *, site: dict[str, Any]) -> HttpResponse:
    """What a button says: a verdict, skip, or undo. All lead back to the page, so that a reload repeats nothing."""
    chosen = QueueForm(request.GET).chosen()
    what = request.POST.get("do", "")
    if what == "undo":
        return _undo(request, chosen)
    if what == "unskip":
        request.session.pop(SKIPPED, None)
        return _to(chosen)
    seen = SeenForm(request.POST)
    if not seen.is_valid() or what not in {"approve", "reject", "skip"}:
        messages.error(request, _("The page was out of date; nothing was saved."))
        return _to(chosen)
    label_id = seen.cleaned_data["label"]
    if what == "skip":
        request.session[SKIPPED] = [*request.session.get(SKIPPED, []), label_id][-MAX_SKIPPED:]
        return _to(chosen, after=label_id)
    form = RejectForm(request.POST)
    if what == "reject" and not form.is_valid():
        return _page(request, site=site, chosen=chosen, label=_named(label_id), form=form)
    why = form.cleaned_data if what == "reject" else {}
    return _verdict(request, chosen, seen=seen.cleaned_data, review=_REVIEWS[what], why=why)


_REVIEWS = {"approve": Review.APPROVED, "reject": Review.REJECTED}


def _verdict(
    request: HttpRequest, chosen: Mapping[str, Any], *, seen: Mapping[str, Any], review: str, why: Mapping[str, str]
) -> HttpResponse:
    try:
        label_review(label_id=seen["label"], seen_changes=seen["seen"], review=review, reviewer=request.user, **why)
    except Label.DoesNotExist:
        messages.warning(request, _("That label is not there any more."))
    except ReviewConflictError as conflict:
        _tell_conflict(request, conflict.label)
        return _to(chosen, label=seen["label"])
    return _to(chosen, after=seen["label"])


def _undo(request: HttpRequest, chosen: Mapping[str, Any]) -> HttpResponse:
    try:
        change = label_undo(change_id=request.POST.get("change", ""), reviewer=request.user)
    except (LabelChange.DoesNotExist, Label.DoesNotExist):
        messages.warning(request, _("There is nothing to undo."))
        return _to(chosen)
    except ReviewConflictError as conflict:
        _tell_conflict(request, conflict.label)
        return _to(chosen, label=conflict.label.id)
    return _to(chosen, label=change.label_id) if change else _to(chosen)


def _tell_conflict(request: HttpRequest, label: Label) -> None:
    text = _("Somebody was faster: %(reviewer)s has set this label to “%(review)s”. What you said was not saved.")
    messages.warning(request, text % {"reviewer": label.reviewer_name, "review": label.get_review_display()})


def _named(label_id: str | None) -> Label | None:
    return Label.objects.filter(id=label_id).first() if label_id else None


def _to(chosen: Mapping[str, Any], **place: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('admin:annotation_label_review')}?{_query(chosen, **place)}")


def _query(chosen: Mapping[str, Any], **place: str) -> str:
    return urlencode({name: value for name, value in chosen.items() if name in FILTERS} | place)


def _page(
    request: HttpRequest, *, site: dict[str, Any], chosen: dict[str, Any], label: Label | None, form: RejectForm
) -> HttpResponse:
    skipped = request.session.get(SKIPPED, [])
    if label is None:
        found = next_labels(chosen, after=_named(chosen.get("after")), skipped=skipped)
        label, upcoming = (found[0] if found else None), found[1:]
    else:
        upcoming = next_labels(chosen, after=label, skipped=skipped, count=1)
    waiting = waiting_labels(chosen)
    last = last_change(reviewer_id=request.user.pk)
    context = site | {
        "title": _("Review labels"),
        "opts": Label._meta,
        "is_nav_sidebar_enabled": False,
        "label": label,
        "upcoming": upcoming[0] if upcoming else None,
        "others": other_labels(label) if label else [],
        "opinion": _opinion(label) if label else "",
        "left": waiting.count(),
        "skipped": waiting.filter(id__in=skipped).count() if skipped else 0,
        "last": last,
        "last_review": Review(last.after["review"]).label if last else "",
        "form": form,
        "reasons": list(RejectReason.choices),
        "filters": _filters(chosen),
        "filtered": any(name in chosen for name in FILTERS),
        "query": _query(chosen),
        "next_query": _query(chosen, after=label.id) if label else "",
    }
    return render(request, "admin/annotation/label/review.html", context, status=422 if form.errors else 200)


def _opinion(label: Label) -> str:
    """What the model says of the label's listing, in words; empty where it has not looked."""
    opinion = opinions_of([label.listing_id]).get(label.listing_id)
    return f"{opinion.model}: {opinion.against(label.product_id)}" if opinion else ""


def _filters(chosen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices of each filter; what is chosen is among them even when nothing of it waits any more."""
    titles = {"product": _("Product"), "annotator": _("Annotator"), "source": _("Source")}
    sources = {source.id: source.name for source in enabled_sources()}
    found = []
    for name, choices in queue_choices().items():
        options = [(value, sources.get(value, title) if name == "source" else title, n) for value, title, n in choices]
        value = chosen.get(name, "")
        if value != "" and value not in {option[0] for option in options}:
            options.append((value, sources.get(value, str(value)), 0))
        found.append({"name": name, "title": titles[name], "value": value, "options": options})
    return found
