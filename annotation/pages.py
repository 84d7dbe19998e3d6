"""Reads, a page at a time: brands, products, labels and tasks as programs list them."""

from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import Brand, Label, Product, Task
from mmproject.cursors import newest

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
_TASK_FILTERS = {
    "state": "state",
    "product": "product_id",
    "source": "source",
    "assignee": "assignee_name",
    "priority_min": "priority__gte",
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
    Raises ValueError for what is no cursor of ours.
    """
    labels = Label.objects.filter(**_wanted(filters, _LABEL_FILTERS))
    if annotator_id is not None:
        labels = labels.filter(annotator_id=annotator_id)
    return newest(labels, by="created_at", after=after, size=size)


def tasks_page(
    *, filters: dict[str, Any], assignee_id: int | None, visible_to: int | None, after: str, size: int
) -> tuple[list[Task], str]:
    """`size` tasks, the newest first, and the cursor of what follows them ("" when nothing does).

    `filters` may name those of `_TASK_FILTERS`; None and "" do not filter. `assignee_id` keeps to that person's,
    `visible_to` to that person's and the open ones. Raises ValueError for what is no cursor of ours.
    """
    tasks = Task.objects.filter(**_wanted(filters, _TASK_FILTERS))
    if assignee_id is not None:
        tasks = tasks.filter(assignee_id=assignee_id)
    if visible_to is not None:
        tasks = tasks.filter(Q(assignee_id=visible_to) | Q(assignee_id__isnull=True))
    return newest(tasks, by="created_at", after=after, size=size)


def _wanted(filters: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in filters.items() if value not in (None, "")}


def _page(rows: QuerySet, *, page: int, size: int) -> tuple[list[Any], bool]:
    found = list(rows[(page - 1) * size : page * size + 1])
    return found[:size], len(found) > size
