"""`/api/goodslist`: what is on sale for a keyword, from the cache or by a crawl that the caller polls."""

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crawler.models import Listing
from crawler.selectors import crawl_by_id
from crawler.services import MAX_PAGE, SearchResult, crawl_result, search

POLL_SECONDS = 1


class SearchQuery(serializers.Serializer):
    keyword = serializers.CharField(allow_blank=True, help_text="What to search for, at most 200 characters")
    page = serializers.IntegerField(default=1, min_value=1, max_value=MAX_PAGE)
    source = serializers.CharField(default=None, allow_null=True, help_text="Which shop; the first one by default")
    force_update = serializers.BooleanField(default=False, help_text="Crawl now, however fresh the cache is")


class ListingData(serializers.Serializer):
    id = serializers.CharField()
    title = serializers.CharField(help_text="As the seller wrote it: text, never markup")
    price = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(help_text="ISO 4217 code, or empty when the shop gives none")
    shop_name = serializers.CharField()
    shop_url = serializers.CharField()
    url = serializers.CharField()
    image = serializers.CharField(allow_null=True, help_text="Path of the picture on this site; null when it failed")
    image_error = serializers.CharField(help_text="Why there is no picture")


class GoodsList(serializers.Serializer):
    keyword = serializers.CharField()
    page = serializers.IntegerField()
    source = serializers.CharField()
    from_cache = serializers.BooleanField()
    fetched_at = serializers.DateTimeField()
    stale = serializers.BooleanField(help_text="Older than the cache keeps things fresh")
    has_next = serializers.BooleanField()
    total = serializers.IntegerField(allow_null=True, help_text="Of all pages, when the shop tells")
    listings = ListingData(many=True)


class CrawlState(serializers.Serializer):
    crawl = serializers.CharField()
    state = serializers.ChoiceField(choices=["pending", "ready", "failed"])
    poll = serializers.CharField(help_text="Ask here until the state is ready or failed")
    images_done = serializers.IntegerField()
    images_total = serializers.IntegerField()
    error = serializers.CharField()
    result = GoodsList(
        allow_null=True, help_text="The goods when ready; before that, or on a failure, what the cache had"
    )


_PROBLEM = OpenApiResponse(description="RFC 9457 problem document")


@extend_schema(
    parameters=[SearchQuery],
    responses={200: GoodsList, 202: CrawlState, 400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM},
    summary="Search a shop",
)
@api_view(["GET"])
def goodslist(request: Request) -> Response:
    """200 with the goods from the cache; 202 when a crawl was queued or joined: poll its Location."""
    query = SearchQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    try:
        result = search(**query.validated_data, requested_by=request.user.get_username())
    except ValidationError as error:
        raise serializers.ValidationError(error.message_dict) from error
    if result.state == "ready":
        return Response(_goods(result))
    data = _crawl_state(result)
    headers = {"Location": data["poll"], "Retry-After": str(POLL_SECONDS)}
    return Response(data, status=status.HTTP_202_ACCEPTED, headers=headers)


@extend_schema(responses={200: CrawlState, 401: _PROBLEM, 403: _PROBLEM, 404: _PROBLEM}, summary="Poll a crawl")
@api_view(["GET"])
def crawl(request: Request, crawl_id: str) -> Response:
    """Where a crawl stands, with its goods once it is ready."""
    if crawl_by_id(crawl_id) is None:
        raise NotFound
    result = crawl_result(crawl_id=crawl_id)
    return Response(
        _crawl_state(result), headers={"Retry-After": str(POLL_SECONDS)} if result.state == "pending" else None
    )


def _crawl_state(result: SearchResult) -> dict[str, Any]:
    assert result.crawl is not None
    return {
        "crawl": result.crawl.id,
        "state": result.state,
        "poll": reverse("crawler:crawl", args=[result.crawl.id]),
        "images_done": result.crawl.images_done,
        "images_total": result.crawl.images_total,
        "error": result.error,
        "result": _goods(result) if result.search_page else None,
    }


def _goods(result: SearchResult) -> dict[str, Any]:
    page = result.search_page
    assert page is not None
    return {
        "keyword": result.keyword,
        "page": result.page,
        "source": result.source,
        "from_cache": result.from_cache,
        "fetched_at": page.fetched_at,
        "stale": page.fresh_until <= timezone.now(),
        "has_next": result.has_next,
        "total": page.total,
        "listings": [_listing(listing) for listing in result.listings],
    }


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "id": listing.id,
        "title": listing.title,
        "price": listing.price,
        "currency": listing.currency,
        "shop_name": listing.shop_name,
        "shop_url": listing.shop_url,
        "url": listing.url,
        "image": reverse("crawler:image", args=[listing.image_sha256]) if listing.image_sha256 else None,
        "image_error": listing.image_error,
    }
