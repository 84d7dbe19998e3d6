"""Which column of a table is which field, whatever it is called; and those of a listing."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from crawler.imports.errors import ImportFileError

FIELDS = ("item_id", "title", "url", "price", "currency", "shop_name", "shop_url", "image")
_MAX_NAMED = 10

_ALIASES: dict[str, str] = {
    "item_id": "id itemid item item_no sku product_id goods_id num_iid 商品id 商品编号 商品编码 编号 宝贝id 货号",
    "title": "name item_name product_name product goods_name 商品标题 宝贝标题 名称 商品名称 商品名 品名 标题",
    "url": "link item_url item_link product_url 链接 商品链接 宝贝链接 网址 商品网址",
    "price": "sale_price 价格 商品价格 售价 现价 单价",
    "currency": "币种 货币",
    "shop_name": "shop store store_name seller merchant 店铺 店铺名 店铺名称 店名 卖家 商家",
    "shop_url": "shop_link store_url 店铺链接 店铺网址",
    "image": "image_url image_link img img_url picture picture_url pic pic_url photo 图片 图片链接 图片地址 "
    "主图 商品图片",
}


@dataclass(frozen=True)
class Columns:
    """What a table can hold: fields with the other names of their columns, and which of them it needs.

    `needs`: of each group of fields, at least one must be there.
    """

    aliases: Mapping[str, str]
    needs: Sequence[tuple[str, ...]] = ()

    @cached_property
    def _known(self) -> dict[str, str]:
        own = {field: field for field in self.aliases}
        return {alias: field for field, aliases in self.aliases.items() for alias in aliases.split()} | own

    def field_of(self, column: str) -> str:
        """The field that a column of this name holds, or "": full-width, case, spaces and hyphens do not matter."""
        folded = unicodedata.normalize("NFKC", column).casefold().strip()
        return self._known.get("_".join(folded.replace("-", " ").split()), "")

    def fields_of(self, header: Iterable[str]) -> list[str]:
        """The field of each column of a header, "" for unknown ones and for a second column of the same field."""
        fields: list[str] = []
        for column in header:
            field = self.field_of(column)
            fields.append("" if field in fields else field)
        return fields

    def check_header(self, header: list[str], fields: list[str]) -> None:
        """Raises ImportFileError when a column is missing that is needed, naming the columns that there are."""
        for group in self.needs:
            if not set(group) & set(fields):
                names = [*group, *self.aliases[group[0]].split()[-1:]][:2]
                shown = ", ".join(f"“{name[:30]}”" for name in header[:_MAX_NAMED] if name.strip()) or "–"
                message = _("No column “%(first)s” (or “%(second)s”): the columns of the first line are %(columns)s.")
                raise ImportFileError(message % {"first": names[0], "second": names[-1], "columns": shown})


LISTING_COLUMNS = Columns(_ALIASES, needs=[("title",)])


def unknown_columns(names: Iterable[str]) -> list[str]:
    """The warning, if any, about columns that are not imported."""
    unknown = [name for name in names if name.strip()]
    if not unknown:
        return []
    shown = ", ".join(f"“{name[:30]}”" for name in unknown[:_MAX_NAMED])
    return [_("Columns that are not imported: %(columns)s.") % {"columns": shown}]
