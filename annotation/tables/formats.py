"""The columns of each table: those that are exported, and those that an import understands."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from annotation.models import Brand, Label, Product, TableKind
from crawler.imports.columns import Columns


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    model: type[models.Model]
    exported: tuple[str, ...]  # fields, and the names of their columns
    columns: Columns


FORMATS: Mapping[str, TableFormat] = {
    str(TableKind.BRANDS): TableFormat(
        model=Brand,
        exported=("id", "name", "aliases"),
        columns=Columns(
            {
                "id": "brand_id key 编号",
                "name": "brand brand_name 名称 品牌",
                "aliases": "alias 别名",
            },
            needs=[("name", "id")],
        ),
    ),
    str(TableKind.PRODUCTS): TableFormat(
        model=Product,
        exported=("id", "name", "brand_id", "brand_name", "keywords", "description", "guidelines", "active"),
        columns=Columns(
            {
                "id": "product_id key 编号",
                "name": "product product_name title 名称 商品 商品名称",
                "brand_id": "品牌编号",
                "brand": "brand_name 品牌",
                "keywords": "keyword search_keywords 关键词 搜索关键词",
                "description": "描述",
                "guidelines": "guideline 标注说明",
                "active": "enabled 启用",
            },
            needs=[("name", "id")],
        ),
    ),
    str(TableKind.LABELS): TableFormat(
        model=Label,
        exported=(
            "id", "submission_id", "listing_id", "source", "title", "url", "price", "currency", "shop_name", "shop_url",
            "image_sha256", "product_id", "product_name", "brand_id", "brand_name", "keyword", "annotator_name",
            "created_at", "suggested_by", "review", "reject_reason", "review_note", "reviewer_name", "reviewed_at",
        ),
        columns=Columns(
            {
                "listing_id": "listing",
                "source": "来源",
                "item_id": "item item_no 商品id",
                "product_id": "",
                "product": "product_name 商品 商品名称",
                "keyword": "关键词",
            },
            needs=[("listing_id", "item_id"), ("product_id", "product")],
        ),
    ),
}  # fmt: skip
