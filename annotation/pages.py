"""Reads, a page at a time: brands, products and labels as programs list them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import Brand, Label, Product

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LABEL_FILTERS = {
    "review": "review",
    "product": "product_id",
    "brand": "brand_id",
    "annotator": "annotator_name",
    "source": "source",
    "listing": "listing_id",
    "submission": "submission_id",
    "keyword": "keyword",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}


def brands_page(*, q: str, page: int, size: int) -> tuple[list[Brand], bool]:
    """Page `page` (from 1) of the brands whose name or aliases contain every word of `q`, and whether more follow."""
    brands = Brand.objects.all()
    for word in q.split():
        brands = brands.filter(Q(name__icontains=word) | Q(aliases__icontains=word))
    return _page(brands.order_by("name", "id"), page=page, size=size)


def products_page(*, q: str, brand: str, active: bool | None, page: int, size: int) -> tuple[list[Product], bool]:
    """Page `page` (from 1) of the products by name, and whether more follow. Empty values do not filter.

    Each word of `q` is in the name, the brand's name or the search keywords.
    """
    products = Product.objects.all()
    if brand:
        products = products.filter(brand_id=brand)
    if active is not None:
        products = products.filter(active=active)
    for word in q.split():
        products = products.filter(
            Q(name__icontains=word) | Q(brand_name__icontains=word) | Q(keywords__icontains=word)
        )
    return _page(products.order_by("name"), page=page, size=size)


def labels_page(*, filters: dict[str, Any], annotator_id: int | None, after: str, size: int) -> tuple[list[Label], str]:
    """`size` labels, the newest first, and the cursor of what follows them ("" when nothing does).

    `filters` may name those of `_LABEL_FILTERS`; None and "" do not filter. `annotator_id` keeps to that person's.
    A cursor is a place in (created_at, id), so labels that arrive meanwhile shift nothing, and the hundredth page
    costs what the first does. Raises ValueError for what is no cursor of ours.
    """
    wanted = {_LABEL_FILTERS[name]: value for name, value in filters.items() if value not in (None, "")}
    labels = Label.objects.filter(**wanted)
    if annotator_id is not None:
        labels = labels.filter(annotator_id=annotator_id)
    if after:
        moment, label_id = _place(after)
        # The first condition says nothing new; an index can be entered by it, not by the OR.
        labels = labels.filter(created_at__lte=moment)
        labels = labels.filter(Q(created_at__lt=moment) | Q(created_at=moment, id__lt=label_id))
    found = list(labels.order_by("-created_at", "-id")[: size + 1])
    return found[:size], _cursor(found[size - 1]) if len(found) > size else ""


def _cursor(label: Label) -> str:
    return f"{(label.created_at - _EPOCH) // _MILLISECOND}-{label.id}"  # MongoDB keeps milliseconds


def _place(cursor: str) -> tuple[datetime, str]:
    milliseconds, dash, label_id = cursor.partition("-")
    if not dash or not label_id or not (milliseconds.isascii() and milliseconds.isdigit()):
        raise ValueError(f"{cursor!r} is not a cursor")
    try:
        return _EPOCH + int(milliseconds) * _MILLISECOND, label_id
    except OverflowError as error:
        raise ValueError(f"{cursor!r} is not a cursor") from error


def _page(rows: QuerySet, *, page: int, size: int) -> tuple[list[Any], bool]:
    found = list(rows[(page - 1) * size : page * size + 1])
    return found[:size], len(found) > size
