"""The parts of the annotators' page that suggest: the model's ticks, and keywords for the chosen product."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from annotation.keywords import suggested_keywords
from annotation.preferences import preferences_change, preferences_of
from annotation.selectors import product_named
from annotation.suggestions import MAX_LOOKED_AT, suggestions_for
from crawler.selectors import listings_by_ids
from mmproject.roles import needs

may_annotate = needs("annotation.add_submission")
_KEPT = ("keyword", "source", "product")


@require_POST
@may_annotate
def switch(request: HttpRequest) -> HttpResponse:
    """Switch the model's suggestions on or off, and show the same search again."""
    preferences_change(annotator=request.user, suggestions=request.POST.get("on") == "true")
    kept = {name: request.POST[name][:200] for name in _KEPT if request.POST.get(name)}
    return HttpResponseRedirect(f"{reverse('annotation:search')}?{urlencode(kept)}")


@require_POST
@may_annotate
def status(request: HttpRequest) -> HttpResponse:
    """How many of the listings that are shown the model has looked at, and what it suggests for the product."""
    listings = listings_by_ids(request.POST.getlist("shown")[:MAX_LOOKED_AT])
    product = request.POST.get("product", "")[:200]
    wanted = preferences_of(request.user).suggestions
    found = suggestions_for(listings, wanted=wanted, product_name=product)
    return render(request, "annotation/suggestion_status.html", {"suggestions": found, "late": True})


@require_GET
@may_annotate
def keywords(request: HttpRequest) -> HttpResponse:
    """Keywords worth searching for the product that is chosen; nothing for what is no product."""
    name = request.GET.get("product", "")[:200]
    product = product_named(name) if name.strip() else None
    found: list[str] = []
    if product:
        found = suggested_keywords(
            name=product.name,
            brand_name=product.brand_name,
            aliases=product.brand.aliases if product.brand else "",
            keywords=product.keywords,
        )
    return render(request, "annotation/keyword_chips.html", {"keywords": found, "chosen": product})
