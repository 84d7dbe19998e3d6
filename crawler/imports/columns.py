"""Which column of a table is which field of a listing, whatever it is called."""

import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext as _

from crawler.imports.errors import ImportFileError

FIELDS = ("item_id", "title", "url", "price", "currency", "shop_name", "shop_url", "image")
_MAX_NAMED = 10

_ALIASES: dict[str, str] = {
    "item_id": "id itemid item item_no sku product_id goods_id num_iid 商品id 商品编号 商品编码 编号 宝贝id 货号",
    "title": "name item_name product_name product goods_name 标题 商品标题 宝贝标题 名称 商品名称 商品名 品名",
    "url": "link item_url item_link product_url 链接 商品链接 宝贝链接 网址 商品网址",
    "price": "sale_price 价格 商品价格 售价 现价 单价",
    "currency": "币种 货币",
    "shop_name": "shop store store_name seller merchant 店铺 店铺名 店铺名称 店名 卖家 商家",
    "shop_url": "shop_link store_url 店铺链接 店铺网址",
    "image": "image_url image_link img img_url picture picture_url pic pic_url photo 图片 图片链接 图片地址 "
    "主图 商品图片",
}
_KNOWN = {field: field for field in FIELDS} | {
    alias: field for field, aliases in _ALIASES.items() for alias in aliases.split()
}


def field_of(column: str) -> str:
    """The field that a column of this name holds, or "": full-width letters, case, spaces and hyphens do not matter."""
    folded = unicodedata.normalize("NFKC", column).casefold().strip()
    return _KNOWN.get("_".join(folded.replace("-", " ").split()), "")


def fields_of(header: Iterable[str]) -> list[str]:
    """The field of each column of a header, "" for unknown ones and for a second column of the same field."""
    fields: list[str] = []
    for column in header:
        field = field_of(column)
        fields.append("" if field in fields else field)
    return fields


def check_header(header: list[str], fields: list[str]) -> None:
    """Raises ImportFileError when no column holds the titles, naming the columns that there are."""
    if "title" not in fields:
        shown = ", ".join(f"“{name[:30]}”" for name in header[:_MAX_NAMED] if name.strip()) or "–"
        message = _("No column “title” (or “标题”): the columns of the first line are %(columns)s.")
        raise ImportFileError(message % {"columns": shown})


def unknown_columns(names: Iterable[str]) -> list[str]:
    """The warning, if any, about columns that are not imported."""
    unknown = [name for name in names if name.strip()]
    if not unknown:
        return []
    shown = ", ".join(f"“{name[:30]}”" for name in unknown[:_MAX_NAMED])
    return [_("Columns that are not imported: %(columns)s.") % {"columns": shown}]
