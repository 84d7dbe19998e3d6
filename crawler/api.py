"""`/api/goodslist`: what is on sale for a keyword, from the cache or by a crawl that the caller waits for or polls."""

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

from crawler.look_alikes import LookAlikes, look_alikes
from crawler.models import Crawl, Listing, WorkState
from crawler.selectors import crawl_by_id, crawls_page
from crawler.services import MAX_PAGE, SearchResult, crawl_result, search

POLL_SECONDS = 1
MAX_WAIT_S = 25  # below the patience of browsers and proxies; a thread of the web server waits as long
HISTORY_PAGE = 50


class SearchQuery(serializers.Serializer):
    keyword = serializers.CharField(allow_blank=True, help_text="What to search for, at most 200 characters")
    page = serializers.IntegerField(default=1, min_value=1, max_value=MAX_PAGE)
    source = serializers.CharField(default=None, allow_null=True, help_text="Which shop; the first one by default")
    force_update = serializers.BooleanField(default=False, help_text="Crawl now, however fresh the cache is")
    wait = serializers.FloatField(
        default=0, min_value=0, max_value=MAX_WAIT_S, help_text="Seconds to wait for a crawl before answering 202"
    )


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
    look_alikes = serializers.IntegerField(
        allow_null=True, help_text="Number of the group of listings on this page whose pictures look alike"
    )


class GoodsList(serializers.Serializer):
    keyword = serializers.CharField()
    page = serializers.IntegerField()
    source = serializers.CharField()
    from_cache = serializers.BooleanField()
    fetched_at = serializers.DateTimeField()
    stale = serializers.BooleanField(help_text="Older than the cache keeps things fresh")
    stale_reason = serializers.CharField(help_text="Why something old is shown; empty when it is not")
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


class HistoryQuery(serializers.Serializer):
    keyword = serializers.CharField(default="", allow_blank=True, max_length=200, help_text="Exactly this keyword")
    source = serializers.CharField(default="", allow_blank=True, max_length=64)
    state = serializers.ChoiceField(choices=WorkState.choices, default=None, allow_null=True)
    page = serializers.IntegerField(default=1, min_value=1, max_value=1000)


class CrawlRecord(serializers.ModelSerializer):
    class Meta:
        model = Crawl
        fields = (
            *("id", "source", "keyword", "page", "state", "reason", "error", "error_kind", "requests", "attempts"),
            *("images_done", "images_total", "requested_by", "created_at", "started_at", "finished_at"),
        )


class CrawlHistory(serializers.Serializer):
    page = serializers.IntegerField()
    has_next = serializers.BooleanField()
    crawls = CrawlRecord(many=True)


_PROBLEM = OpenApiResponse(description="RFC 9457 problem document")


@extend_schema(
    parameters=[SearchQuery],
    responses={200: GoodsList, 202: CrawlState, 400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM},
    summary="Search a shop",
)
@api_view(["GET"])
def goodslist(request: Request) -> Response:
    """200 with the goods from the cache, or crawled within `wait` seconds; 202 when not yet: poll its Location."""
    query = SearchQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    values = query.validated_data
    wait_s = values.pop("wait")
    try:
        result = search(**values, wait_s=wait_s, requested_by=request.user.get_username())
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


@extend_schema(
    parameters=[HistoryQuery],
    responses={200: CrawlHistory, 400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM},
    summary="Crawls so far, the newest first",
)
@api_view(["GET"])
def crawls(request: Request) -> Response:
    """The crawls that the caller asked for; everybody's for those who may see crawls in the admin."""
    query = HistoryQuery(data=request.query_params)
    query.is_valid(raise_exception=True)
    values = query.validated_data
    own_only = "" if request.user.has_perm("crawler.view_crawl") else request.user.get_username()
    found, has_next = crawls_page(**values, requested_by=own_only, size=HISTORY_PAGE)
    return Response({"page": values["page"], "has_next": has_next, "crawls": CrawlRecord(found, many=True).data})


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
        "stale_reason": result.stale_reason,
        "has_next": result.has_next,
        "total": page.total,
        "listings": [
            _listing(listing, alike)
            for listing, alike in zip(
                result.listings, look_alikes([listing.phash for listing in result.listings]), strict=True
            )
        ],
    }


def _listing(listing: Listing, alike: LookAlikes | None) -> dict[str, Any]:
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
        "look_alikes": alike.group if alike else None,
    }
