"""Which tasks a reviewer's choice comes to, before anything is written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from annotation.keywords import listed, suggested_keywords
from annotation.models import Brand


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task to be made. Without an assignee it is open to everybody."""

    product_id: str
    product_name: str
    brand_name: str = ""
    keyword: str
    source: str
    overlap: int = 1
    priority: int = 0
    assignee_id: int | None = None
    assignee_name: str = ""


def planned_tasks(
    products: Iterable[dict[str, Any]],
    *,
    source: str,
    own: bool,
    suggested: bool,
    at_most: int,
    overlap: int,
    priority: int,
    assignees: Sequence[AbstractBaseUser],
) -> Iterator[NewTask]:
    """A task for each product and keyword; one query, for the brands.

    `products`: rows with id, name, brand_id, brand_name and keywords. `own` takes the product's own keywords,
    `suggested` what else its name and brand suggest, together `at_most` of each product. Several `assignees` take turns
    from product to product, so that all keywords of a product are one person's.
    """
    aliases = dict(Brand.objects.values_list("id", "aliases"))
    turns = cycle(assignees) if assignees else cycle([None])
    for product, assignee in zip(products, turns, strict=False):
        for keyword in _keywords(product, aliases, own=own, suggested=suggested)[:at_most]:
            yield NewTask(
                product_id=product["id"],
                product_name=product["name"],
                brand_name=product["brand_name"],
                keyword=keyword,
                source=source,
                overlap=overlap,
                priority=priority,
                assignee_id=assignee.pk if assignee else None,
                assignee_name=assignee.get_username() if assignee else "",
            )


def _keywords(product: dict[str, Any], aliases: dict[str, str], *, own: bool, suggested: bool) -> list[str]:
    mine = listed(product["keywords"])
    if not suggested:
        return mine if own else []
    every = suggested_keywords(
        name=product["name"],
        brand_name=product["brand_name"],
        aliases=aliases.get(product["brand_id"] or "", ""),
        keywords=product["keywords"],
    )
    return every if own else [keyword for keyword in every if keyword not in mine]
