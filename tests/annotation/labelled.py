"""Labels as annotators make them, for the tests of what reviewers do with them."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from annotation import services
from annotation.models import Label, Product
from mmproject.ids import new_id
from tests.annotation.factories import make_listing, make_product


def make_labels(
    titles: Sequence[str], *, annotator: AbstractBaseUser, product: str = "Alpha Orange Juice", **listing: Any
) -> list[Label]:
    """A label for each title, all of one submission, in the order of the review queue."""
    if not Product.objects.filter(name=product).exists():
        make_product(product)
    ids = [make_listing(title, **listing).id for title in titles]
    submission = services.submission_create(
        submission_id=new_id(),
        product_name=product,
        keyword="juice",
        source="demo-shop",
        pages=1,
        shown_listing_ids=ids,
        matched_listing_ids=ids,
        annotator=annotator,
    )
    return list(Label.objects.filter(submission_id=submission.id).order_by("created_at", "id"))
