"""Ready-made configurations of storefronts. Shops change their pages: an operator copies one and adjusts it.

Tmall and Taobao want a signed-in session and forbid crawlers without permission: read docs/sources.md first.
"""

from typing import Any

DEMO_SHOP: dict[str, Any] = {
    "search_url": "search?q={keyword}&page={page}",
    "selectors": {
        "results": "ol.results",
        "card": "ol.results > li.card",
        "total": "#total",
        "next": "a.next",
        "item_id": "@data-item",
        "title": "a.title",
        "link": "a.title@href",
        "price": ".price",
        "shop_name": "a.shop",
        "shop_link": "a.shop@href",
        "picture": "img@src",
    },
}

# Values of a Source's fields, by the name of the preset: what the admin's form starts from.
PRESETS: dict[str, dict[str, Any]] = {
    "demo-shop": {"kind": "storefront", "rate": "20/second", "config": DEMO_SHOP},
}
