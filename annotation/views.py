"""The annotators' page: search, claim, tick, submit, undo."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from annotation import selectors, services
from annotation.cards import cards
from annotation.claims import ClaimedError, claim_release, claim_take, task_overlap
from annotation.forms import ClaimForm, SearchForm, SubmissionForm
from annotation.models import AnnotatorSettings, SkipReason, Submission, Task
from annotation.preferences import PAGE_SIZES, preferences_of
from annotation.shown_pages import shown_pages
from annotation.suggestions import suggestions_for
from annotation.templatetags.listing_cards import rendered_cards
from annotation.undo import as_it_was, submission_undo, undoable_submissions
from annotation.wording import saved_text, undone_text
from crawler.pictures import picture_retry
from crawler.selectors import enabled_sources, listings_by_ids
from crawler.services import SearchResult, crawl_result, search
from mmproject.ids import new_id
from mmproject.roles import needs

may_annotate = needs("annotation.add_submission")


@require_GET
@may_annotate
def search_page(request: HttpRequest) -> HttpResponse:
    """The page, or with htmx its results alone. A keyword in the address is searched at once."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return _problem(request, form.errors.as_data())
    data = form.cleaned_data
    is_part = bool(request.htmx) and not request.htmx.history_restore_request
    context = {"form": data} if is_part else _workspace(request, data)
    if not data["keyword"].strip():
        template = "annotation/empty.html" if is_part else "annotation/search.html"
        return render(request, template, context | _nothing_searched(request))
    try:
        result = _searched(request, data)
    except ValidationError as error:
        return _problem(request, error.error_dict)
    template = "annotation/results.html" if is_part else "annotation/search.html"
    chosen = context.get("preferences") or preferences_of(request.user)
    context |= _results(request, result, chosen=chosen, before=data["shown"], product_name=data["product"])
    return render(request, template, context)


@require_GET
@may_annotate
def crawl_progress(request: HttpRequest, crawl_id: str) -> HttpResponse:
    """What a page that waits for a crawl polls: its progress, and in the end the results."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return _problem(request, form.errors.as_data())
    data = form.cleaned_data
    chosen, result = preferences_of(request.user), crawl_result(crawl_id=crawl_id)
    context = _results(request, result, chosen=chosen, before=data["shown"], product_name=data["product"])
    return render(request, "annotation/results.html", context)


@require_http_methods(["GET", "POST"])
@may_annotate
def picture(request: HttpRequest, listing_id: str) -> HttpResponse:
    """The card of one listing; POST has its picture fetched once more, and the card then polls itself."""
    if request.method == "POST":
        picture_retry(listing_id=listing_id)
    listings = listings_by_ids([listing_id])
    if not listings:
        raise Http404
    return HttpResponse(rendered_cards(cards(listings, page=0)))


@require_POST
@may_annotate
def claim(request: HttpRequest) -> HttpResponse:
    """Take or renew the claim on a product and keyword, and say whose it is; the claim that was `held` before goes."""
    form = ClaimForm(request.POST)
    if not form.is_valid():
        return _problem(request, form.errors.as_data())
    work = {name: form.cleaned_data[name] for name in ("source", "keyword")}
    product = selectors.product_named(form.cleaned_data["product"])
    mine, lines = None, []
    if product and all(work.values()):
        overlap = task_overlap(Task.make_id(product_id=product.id, **work)) or 1
        try:
            mine = claim_take(product=product, **work, annotator=request.user, overlap=overlap)
        except ClaimedError as error:
            lines = error.messages
    held = form.cleaned_data["held"]
    if held and (mine is None or mine.id != held):
        claim_release(claim_id=held, annotator=request.user)
    return render(request, "annotation/claim.html", {"claim": mine, "lines": lines})


@require_POST
@may_annotate
def submit(request: HttpRequest) -> HttpResponse:
    """Save the ticks and marks, or a skip. On a failure (422) only the message changes: what was said stays."""
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _problem(request, form.errors.as_data())
    try:
        submission = services.submission_create(**_said(request, form.cleaned_data), annotator=request.user)
    except ValidationError as error:
        return _problem(request, error.error_dict, claimed=isinstance(error, ClaimedError))
    messages.success(request, saved_text(submission))
    kept = {"product": submission.product_name, "source": submission.source}
    context = _nothing_searched(request) | {"saved": submission}
    if request.htmx:
        context |= {"recent": selectors.recent_products(request.user)}
    else:
        context |= _workspace(request, kept)
    response = render(request, "annotation/saved.html" if request.htmx else "annotation/search.html", context)
    response["HX-Push-Url"] = f"{reverse('annotation:search')}?{urlencode(kept)}"
    return response


@require_POST
@may_annotate
def undo(request: HttpRequest, submission_id: str) -> HttpResponse:
    """Take one's own submission back and show it as it was; somebody else's is not found, an old one is a 422."""
    try:
        undone = submission_undo(submission_id=submission_id, annotator=request.user)
    except Submission.DoesNotExist as error:
        raise Http404 from error
    except ValidationError as error:
        return _problem(request, error.error_dict)
    messages.success(request, undone_text(undone))
    address = reverse("annotation:taken_back", args=[submission_id])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_GET
@may_annotate
def taken_back(request: HttpRequest, submission_id: str) -> HttpResponse:
    """A submission of one's own that was taken back, as it was: its listings with their ticks and marks."""
    mine = Submission.objects.filter(id=submission_id, annotator_id=request.user.pk)
    submission = mine.exclude(cancelled_at=None).first()
    if submission is None:
        raise Http404
    form = {"product": submission.product_name, "keyword": submission.keyword, "source": submission.source}
    context = _workspace(request, form)
    context |= _results(request, as_it_was(submission), chosen=context["preferences"], before=None, product_name="")
    context |= {"restored": submission, "address": f"{reverse('annotation:search')}?{urlencode(form)}"}
    return render(request, "annotation/search.html", context)


def _said(request: HttpRequest, data: dict) -> dict:
    """What a submission says, as the arguments of `submission_create`."""
    same = ("keyword", "source", "pages", "skip_reason", "skip_note", "second_opinion")
    lists = {"shown": "shown", "listing": "matched", "refused": "refused", "unsure": "unsure", "suggested": "suggested"}
    return {
        "submission_id": data["submission"],
        "product_name": data["product"],
        **{name: data[name] for name in (*same, "suggested_by", "ordered_by_model")},
        **{f"{name}_listing_ids": request.POST.getlist(field) for field, name in lists.items()},
    }


def _nothing_searched(request: HttpRequest) -> dict:
    """The context of what stands below while there are no results."""
    return {"example": selectors.example_keyword(), "submits": undoable_submissions(request.user)}


def _searched(request: HttpRequest, data: dict) -> SearchResult:
    return search(
        keyword=data["keyword"],
        page=data["page"],
        source=data["source"] or None,
        force_update=data["spider"],
        requested_by=request.user.get_username(),
    )


def _workspace(request: HttpRequest, form: dict) -> dict:
    """The context of what stands above the results."""
    preferences = preferences_of(request.user)
    recent = selectors.recent_products(request.user)
    return {
        "form": form,
        "product": selectors.product_named(form["product"]) if form.get("product") else None,
        "recent": recent,
        "sources": enabled_sources(),
        "preferences": preferences,
        "page_sizes": PAGE_SIZES,
        # Whoever has submitted something knows the page.
        "starts_tour": preferences.tour_seen_at is None and not recent,
    }


def _results(
    request: HttpRequest, result: SearchResult, *, chosen: AnnotatorSettings, before: int | None, product_name: str
) -> dict:
    """The context of the results, whatever their state. What replaces `#more` is appended to the grid.

    `before` is how many listings are shown already, where the page goes on by itself until there are enough, as
    they were `chosen`.
    """
    before = 0 if before is None and result.page == 1 else before
    suggest = partial(suggestions_for, wanted=chosen.suggestions, product_name=product_name)
    shown = shown_pages(result, wanted=chosen.page_size, before=before, suggest=suggest)
    names = {source.id: source.name for source in enabled_sources()}
    return {
        "result": shown.result,
        "source_name": names.get(result.source, result.source),
        "cards": shown.cards,
        "goes_on": shown.goes_on,
        "shown_query": "" if before is None else f"shown={shown.count}",
        "saves_data": request.headers.get("Save-Data") == "on",
        "suggestions": shown.suggestions,
        "append": request.htmx.target == "more",
        "waits_for_worker": result.crawl is not None and selectors.waits_for_worker(result.crawl),
        "submission_id": new_id(),
        "skip_reasons": SkipReason.choices,
        "next_page": shown.result.page + 1,
    }


def _problem(request: HttpRequest, errors: dict, *, claimed: bool = False) -> HttpResponse:
    """422 with the messages of `errors`, shown where the page asked from; nothing else of the page changes.

    `claimed` offers to send the same again as a second opinion.
    """
    texts = [text for field_errors in errors.values() for error in field_errors for text in error.messages]
    sender = request.htmx.trigger or "submission"  # the form's id
    context = {"texts": texts, "claimed": claimed, "sender": sender, "sent": request.POST.lists()}
    template = "annotation/problem.html" if request.htmx else "annotation/problem_page.html"
    response = render(request, template, context, status=422)
    target = "#skip-problems" if sender == "skip-form" else "#messages"
    response["HX-Retarget"], response["HX-Reswap"] = target, "innerHTML"
    response["HX-Push-Url"] = "false"
    return response
