"""The shop's HTML pages, with schema.org JSON-LD as real shops carry it."""

import json
from html import escape
from typing import Any
from urllib.parse import urlencode

from crawler.demo_shop.catalog import DemoGood

PAGE_SIZE = 20

_STYLE = (
    "body{font:16px sans-serif;margin:2rem auto;max-width:70rem}ol{display:grid;gap:1rem;list-style:none;padding:0;"
    "grid-template-columns:repeat(auto-fill,minmax(12rem,1fr))}img{width:100%;aspect-ratio:1;object-fit:cover}"
)


def search_page(*, keyword: str, page: int, found: list[DemoGood], base: str) -> str:
    """One page of results; `base` is the shop's own address, for absolute links in the JSON-LD."""
    goods = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    items = [
        {"@type": "ListItem", "position": (page - 1) * PAGE_SIZE + number, "item": product_data(good, base=base)}
        for number, good in enumerate(goods, start=1)
    ]
    links = []
    if page > 1:
        links.append(f'<a rel="prev" class="prev" href="/search?{_query(keyword, page - 1)}">Previous</a>')
    if page * PAGE_SIZE < len(found):
        links.append(f'<a rel="next" class="next" href="/search?{_query(keyword, page + 1)}">Next</a>')
    cards = "\n".join(_card(good) for good in goods)
    body = (
        f'{_form(keyword)}<p class="count"><span id="total">{len(found)}</span> results</p>'
        f'<ol class="results">{cards}</ol><nav class="pages">{" ".join(links)}</nav>'
        f"{_json_ld({'@context': 'https://schema.org', '@type': 'ItemList', 'itemListElement': items})}"
    )
    return _document(f"{keyword} – Demo shop", body)


def encoded(html: str, *, how: str) -> tuple[bytes, str]:
    """A page as bytes, and its content type: in UTF-8, or as shops do that know no better.

    `how`: "gbk" (and says so), "gbk-undeclared", "invalid-utf8" (each name begins with bytes that are none). What
    GBK lacks is in GB 18030, of which it is a part, and as which browsers read it.
    """
    said = '<meta charset="utf-8">'
    if how == "gbk":
        return html.replace(said, '<meta charset="gbk">', 1).encode("gb18030"), "text/html; charset=gbk"
    if how == "gbk-undeclared":
        return html.replace(said, "", 1).encode("gb18030"), "text/html"
    body = html.encode()
    if how == "invalid-utf8":
        body = body.replace(b'"name": "', b'"name": "\xff\xfe').replace(
            b'<ol class="results">', b'\x80<ol class="results">'
        )
    return body, "text/html; charset=utf-8"


def item_page(good: DemoGood, *, base: str) -> str:
    body = (
        f'{_form("")}<main class="item"><h1>{escape(good.title)}</h1><img src="/pictures/{good.item_id}.jpg" alt="">'
        f'<p class="price">{_price(good)}</p><p>{_shop_link(good)}</p></main>'
        f"{_json_ld({'@context': 'https://schema.org'} | product_data(good, base=base))}"
    )
    return _document(f"{good.title} – Demo shop", body)


def shop_page(name: str, goods: list[DemoGood]) -> str:
    cards = "\n".join(_card(good) for good in goods[:PAGE_SIZE])
    return _document(f"{name} – Demo shop", f'{_form("")}<h1>{escape(name)}</h1><ol class="results">{cards}</ol>')


def home_page() -> str:
    return _document("Demo shop", f"<h1>Demo shop</h1>{_form('')}")


def product_data(good: DemoGood, *, base: str) -> dict[str, Any]:
    """schema.org Product with one Offer."""
    return {
        "@type": "Product",
        "name": good.title,
        "sku": good.item_id,
        "image": f"{base}/pictures/{good.item_id}.jpg",
        "url": f"{base}/items/{good.item_id}",
        "offers": {
            "@type": "Offer",
            "price": f"{good.price:.2f}",
            "priceCurrency": good.currency,
            "seller": {"@type": "Organization", "name": good.shop.name, "url": f"{base}/shops/{good.shop.id}"},
        },
    }


def _card(good: DemoGood) -> str:
    return (
        f'<li class="card" data-item="{good.item_id}"><a class="picture" href="/items/{good.item_id}">'
        f'<img loading="lazy" src="/pictures/{good.item_id}.jpg" alt=""></a>'
        f'<a class="title" href="/items/{good.item_id}">{escape(good.title)}</a> '
        f'<span class="price">{_price(good)}</span> {_shop_link(good)}</li>'
    )


def _shop_link(good: DemoGood) -> str:
    return f'<a class="shop" href="/shops/{good.shop.id}">{escape(good.shop.name)}</a>'


def _price(good: DemoGood) -> str:
    return {"CNY": "¥{:.2f}", "SEK": "{:.2f} kr", "EUR": "€{:.2f}"}[good.currency].format(good.price)


def _query(keyword: str, page: int) -> str:
    return escape(urlencode({"q": keyword, "page": page}))


def _form(keyword: str) -> str:
    return f'<form action="/search"><input name="q" value="{escape(keyword)}"><button>Search</button></form>'


def _json_ld(data: dict[str, Any]) -> str:
    # "<" would end the script element early, whatever a seller put into the title
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
