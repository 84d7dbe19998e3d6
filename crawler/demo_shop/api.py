"""The shop as a crawl platform answers: its search as JSON, by GET or POST.

`GET /api/search?q=…&page=…&size=…`, or `POST /api/search` with `{"keyword": …, "page": …, "size": …}`.
"""

from dataclasses import dataclass
from typing import Any

from crawler.demo_shop.catalog import DemoGood
from crawler.demo_shop.pages import PAGE_SIZE

_MOST = 100  # listings a page


@dataclass(frozen=True, kw_only=True)
class ApiQuery:
    keyword: str
    page: int
    size: int

    @classmethod
    def parse(cls, *, keyword: Any, page: Any, size: Any) -> "ApiQuery":
        """Raises ValueError, with a message for the caller, for what cannot be searched."""
        if not isinstance(keyword, str):
            raise ValueError("keyword should be a text")
        for name, value, most in (("page", page, 10_000), ("size", size, _MOST)):
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise ValueError(f"{name}={value!r} should be a whole number from 1 to {most}")
        return cls(keyword=keyword, page=page, size=size)

    @classmethod
    def of_address(cls, query: dict[str, str]) -> "ApiQuery":
        """Raises ValueError."""
        page, size = (
            int(text) if (text := query.get(name, str(usual))).isdecimal() and len(text) < 9 else text
            for name, usual in (("page", 1), ("size", PAGE_SIZE))
        )
        return cls.parse(keyword=query.get("q", ""), page=page, size=size)

    @classmethod
    def of_body(cls, data: Any) -> "ApiQuery":
        """Raises ValueError."""
        if not isinstance(data, dict):
            raise ValueError("send a JSON object")
        return cls.parse(keyword=data.get("keyword"), page=data.get("page", 1), size=data.get("size", PAGE_SIZE))


def found_answer(query: ApiQuery, found: list[DemoGood], *, host: str) -> dict[str, Any]:
    """`host` is the shop's own, with its port: addresses are written without a scheme, as shops like to do."""
    end = query.page * query.size
    return {
        "code": 0,
        "message": "ok",
        "data": {
            "total": len(found),
            "page": query.page,
            "more": end < len(found),
            "items": [_item(good, host=host) for good in found[end - query.size : end]],
        },
    }


def failed_answer(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "data": None}


def _item(good: DemoGood, *, host: str) -> dict[str, Any]:
    return {
        "id": int(good.item_id),
        "title": good.title,
        "price": f"{good.price:.2f}",
        "currency": good.currency,
        "link": f"//{host}/items/{good.item_id}",
        "shop": {"name": good.shop.name, "link": f"//{host}/shops/{good.shop.id}"},
        "images": [f"//{host}/pictures/{good.item_id}.jpg"],
    }
