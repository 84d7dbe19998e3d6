"""Ready-made sources, as values of the fields of Source: an operator copies one and adjusts it.

Tmall and Taobao want a signed-in session and forbid crawlers without permission: read docs/sources.md first. Their
selectors follow the classic layouts of their search pages as publicly described; shops change their pages.
"""

from typing import Any

from crawler.models import SourceKind

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

# The id itself, or that in a link: //detail.tmall.com/item.htm?spm=…&id=…
_ITEM_ID = r"(?:^|[?&]id=)(\d+)"

TMALL: dict[str, Any] = {
    "search_url": "search_product.htm?q={keyword}&s={offset}&sort=s&style=g",
    "encoding": "gbk",
    "page_size": 60,
    "currency": "CNY",
    "item_id_pattern": _ITEM_ID,
    "selectors": {
        "results": ["#J_ItemList", ".searchTip"],
        "empty": ".searchTip",
        "card": "#J_ItemList .product",
        "total": [".j_ResultsNumber span", ".crumbTitle span"],
        "next": "a.ui-page-next",
        "item_id": ["@data-id", ".productTitle a@href", "a.productImg@href"],
        "title": [".productTitle a@title", ".productTitle"],
        "link": [".productTitle a@href", "a.productImg@href"],
        "price": [".productPrice em@title", ".productPrice em", ".productPrice"],
        "shop_name": [".productShop-name", ".productShop a"],
        "shop_link": ["a.productShop-name@href", ".productShop a@href"],
        # A picture further down the page is loaded when it is scrolled to: until then its src is a blank one.
        "picture": [".productImg img@data-ks-lazyload", ".productImg img@data-src", ".productImg img@src"],
    },
}

TAOBAO: dict[str, Any] = {
    "search_url": "search?q={keyword}&s={offset}&ie=utf8",
    "page_size": 44,
    "currency": "CNY",
    "item_id_pattern": _ITEM_ID,
    "selectors": {
        "results": ["#mainsrp-itemlist .items", ".m-itemlist .items"],
        "card": [".m-itemlist .items > .item", "#mainsrp-itemlist .items > .item"],
        "next": ".m-page .next:not(.next-disabled) a",
        "item_id": ["a.J_ItemPicA@data-nid", "a.J_ClickStat@data-nid", ".title a@href", "a.pic-link@href"],
        "title": ["img.J_ItemPic@alt", ".title a"],
        "link": [".title a@href", "a.J_ItemPicA@data-href", "a.pic-link@href"],
        "price": [".price strong", ".price"],
        "shop_name": ["a.shopname span:last-child", "a.shopname", ".shop a"],
        "shop_link": ["a.shopname@href", ".shop a@href"],
        "picture": ["img.J_ItemPic@data-ks-lazyload", "img.J_ItemPic@data-src", "img.J_ItemPic@src"],
    },
}

# The demo shop's own, at /api/search: a start for the configuration of any other.
PLATFORM: dict[str, Any] = {
    "search_url": "api/search",
    "method": "POST",
    "body": {"keyword": "{keyword}", "page": "{page}", "size": 20},
    "page_size": 20,
    "paths": {
        "listings": "$.data.items[*]",
        "total": "$.data.total",
        "has_next": "$.data.more",
        "error": "$[?$.code != 0 && @ == $.message]",
        "item_id": "$.id",
        "title": "$.title",
        "url": "$.link",
        "price": "$.price",
        "currency": "$.currency",
        "shop_name": "$.shop.name",
        "shop_url": "$.shop.link",
        "picture": "$.images",
    },
}

_DEMO_ADDRESS = "http://127.0.0.1:8010/"
# Sign-in pages, shops and pictures of either may be at the other's.
_ALIBABA_HOSTS = "\n".join(f"{name}\n*.{name}" for name in ("tmall.com", "taobao.com", "alicdn.com"))
_ALIBABA_MANNERS: dict[str, Any] = {"hosts": _ALIBABA_HOSTS, "rate": "6/minute", "fresh_s": 7 * 24 * 3600}

PRESETS: dict[str, dict[str, Any]] = {
    "demo-shop": {
        "name": "Demo shop 演示店",
        "kind": str(SourceKind.STOREFRONT),
        "base_url": _DEMO_ADDRESS,
        "rate": "20/second",
        "config": DEMO_SHOP,
    },
    "files": {"name": "Imported files 导入的文件", "kind": str(SourceKind.FILES)},
    "platform": {
        "name": "Crawl platform 爬虫平台",
        "kind": str(SourceKind.PLATFORM),
        "base_url": _DEMO_ADDRESS,
        "rate": "10/second",
        "config": PLATFORM,
    },
    "tmall": {
        "name": "Tmall 天猫",
        "kind": str(SourceKind.STOREFRONT),
        "base_url": "https://list.tmall.com/",
        "headers": {"Cookie": "${CRAWLER_SECRET_TMALL_COOKIE}"},
        "config": TMALL,
        **_ALIBABA_MANNERS,
    },
    "taobao": {
        "name": "Taobao 淘宝",
        "kind": str(SourceKind.STOREFRONT),
        "base_url": "https://s.taobao.com/",
        "headers": {"Cookie": "${CRAWLER_SECRET_TAOBAO_COOKIE}"},
        "config": TAOBAO,
        **_ALIBABA_MANNERS,
    },
}
