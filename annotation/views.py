"""The annotators' page: search, tick, submit."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation import selectors, services
from annotation.cards import cards
from annotation.forms import SearchForm, SubmissionForm
from annotation.suggestions import suggestions_for
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
    context = _workspace(request, data)
    if not data["keyword"].strip():
        template = "annotation/empty.html" if request.htmx else "annotation/search.html"
        return render(request, template, context | {"example": selectors.example_keyword()})
    try:
        result = search(
            keyword=data["keyword"],
            page=data["page"],
            source=data["source"] or None,
            force_update=data["spider"],
            requested_by=request.user.get_username(),
        )
    except ValidationError as error:
        return _problem(request, error.error_dict)
    template = "annotation/results.html" if request.htmx else "annotation/search.html"
    return render(request, template, context | _results(request, result, product_name=data["product"]))


@require_GET
@may_annotate
def crawl_progress(request: HttpRequest, crawl_id: str) -> HttpResponse:
    """What a page that waits for a crawl polls: its progress, and in the end the results."""
    product_name = request.GET.get("product", "")[:200]
    context = _results(request, crawl_result(crawl_id=crawl_id), product_name=product_name)
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
    return render(request, "annotation/card.html", {"card": cards(listings, page=0)[0]})


@require_GET
@may_annotate
def product_options(request: HttpRequest) -> HttpResponse:
    """The products that match what is typed, as options of the datalist."""
    products = selectors.products_matching(request.GET.get("product", "")[:200])
    return render(request, "annotation/product_options.html", {"products": products})


@require_POST
@may_annotate
def submit(request: HttpRequest) -> HttpResponse:
    """Save the ticks. On a failure (422) only the message changes: what was ticked and typed stays."""
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _problem(request, form.errors.as_data())
    data = form.cleaned_data
    try:
        submission = services.submission_create(
            submission_id=data["submission"],
            product_name=data["product"],
            keyword=data["keyword"],
            source=data["source"],
            pages=data["pages"],
            shown_listing_ids=request.POST.getlist("shown"),
            matched_listing_ids=request.POST.getlist("listing"),
            annotator=request.user,
        )
    except ValidationError as error:
        return _problem(request, error.error_dict)
    count = len(submission.matched_listing_ids)
    text = ngettext("Saved: %(count)d label for %(product)s.", "Saved: %(count)d labels for %(product)s.", count)
    messages.success(request, text % {"count": count, "product": submission.product_name})
    kept = {"product": submission.product_name, "source": submission.source}
    context = _workspace(request, kept)
    template = "annotation/saved.html" if request.htmx else "annotation/search.html"
    response = render(request, template, context | {"example": selectors.example_keyword()})
    response["HX-Push-Url"] = f"{reverse('annotation:search')}?{urlencode(kept)}"
    return response


def _workspace(request: HttpRequest, form: dict) -> dict:
    """The context of what stands above the results."""
    return {
        "form": form,
        "products": selectors.products_matching(""),
        "recent": selectors.recent_products(request.user),
        "sources": enabled_sources(),
    }


def _results(request: HttpRequest, result: SearchResult, *, product_name: str = "") -> dict:
    """The context of the results, whatever their state. What replaces `#more` is appended to the grid."""
    # While a crawl is under way the page only waits: ticks on an older result would be swapped away.
    listings = [] if result.state == "pending" else result.listings
    suggestions = suggestions_for(user=request.user, product_name=product_name, listings=listings)
    names = {source.id: source.name for source in enabled_sources()}
    return {
        "result": result,
        "source_name": names.get(result.source, result.source),
        "cards": cards(suggestions.ordered(listings), page=result.page, suggested=suggestions.ticks),
        "suggestions": suggestions,
        "append": request.htmx.target == "more",
        "waits_for_worker": result.crawl is not None and selectors.waits_for_worker(result.crawl),
        "submission_id": new_id(),
        "next_page": result.page + 1,
    }


def _problem(request: HttpRequest, errors: dict) -> HttpResponse:
    """422 with the messages of `errors`, shown in the page's message area; nothing else of the page changes."""
    texts = [text for field_errors in errors.values() for error in field_errors for text in error.messages]
    template = "annotation/problem.html" if request.htmx else "annotation/problem_page.html"
    response = render(request, template, {"texts": texts}, status=422)
    response["HX-Retarget"], response["HX-Reswap"] = "#messages", "innerHTML"
    response["HX-Push-Url"] = "false"
    return response
