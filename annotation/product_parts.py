"""The parts of the annotators' page that follow from its product field: what can be chosen, and what counts for it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.product_search import products_matching
from annotation.selectors import product_named
from mmproject.roles import needs

MAX_TYPED = 200


def render_options(request: HttpRequest) -> HttpResponse:
    """The products that are found by what is typed, as options of the picker's list, and how many these are."""
    products = products_matching(request.GET.get("product", "")[:MAX_TYPED])
    return render(request, "annotation/product_options.html", {"products": products})


@require_GET
@needs("annotation.add_submission")
def product_options(request: HttpRequest) -> HttpResponse:
    """What annotators can choose."""
    return render_options(request)


@require_GET
@needs("annotation.add_submission")
def guidelines(request: HttpRequest) -> HttpResponse:
    """What counts for the product that is named, and its catalogue picture; nothing for one that is not there."""
    product = product_named(request.GET.get("product", "")[:MAX_TYPED])
    return render(request, "annotation/guidelines.html", {"product": product})
