"""What annotators submit, for the tests of marks, claims and undo."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from annotation import services
from annotation.models import Product, Submission
from crawler.models import Listing
from mmproject.ids import new_id
from tests.annotation.factories import make_product

PRODUCT = "Alpha Orange Juice"


def submit(
    annotator: AbstractBaseUser,
    shown: Sequence[Listing] = (),
    *,
    matched: Sequence[Listing] = (),
    refused: Sequence[Listing] = (),
    unsure: Sequence[Listing] = (),
    product: str = PRODUCT,
    **changes: Any,
) -> Submission:
    """Submit for a product, which is made when it is not there yet."""
    if product and not Product.objects.filter(name=product).exists():
        make_product(product)
    values: dict[str, Any] = {
        "submission_id": new_id(),
        "product_name": product,
        "keyword": "juice",
        "source": "demo-shop",
        "pages": 1,
        "shown_listing_ids": ids(shown),
        "matched_listing_ids": ids(matched),
        "refused_listing_ids": ids(refused),
        "unsure_listing_ids": ids(unsure),
        "annotator": annotator,
    }
    return services.submission_create(**(values | changes))


def ids(listings: Sequence[Listing]) -> list[str]:
    return [listing.id for listing in listings]
