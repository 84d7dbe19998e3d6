"""Submissions with every kind of mark, for the tests of what follows from them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from annotation.models import Product, Submission
from annotation.services import submission_finish
from crawler.models import Listing
from mmproject.ids import new_id


def make_submission(
    product: Product,
    shown: Sequence[Listing],
    *,
    by: AbstractBaseUser,
    matched: Sequence[Listing] = (),
    refused: Sequence[Listing] = (),
    unsure: Sequence[Listing] = (),
    ago: float = 0,
    finish: bool = True,
    **fields: Any,
) -> Submission:
    """What `by` said `ago` seconds ago of the listings `shown` to him; its labels and all else follow."""
    submission = Submission(
        id=new_id(),
        product_id=product.id,
        product_name=product.name,
        keyword="juice",
        source="demo-shop",
        pages=1,
        shown_listing_ids=[one.id for one in shown],
        matched_listing_ids=[one.id for one in matched],
        refused_listing_ids=[one.id for one in refused],
        unsure_listing_ids=[one.id for one in unsure],
        annotator_id=by.pk,
        annotator_name=by.get_username(),
        created_at=timezone.now() - timedelta(seconds=ago),
        **fields,
    )
    submission.save(force_insert=True)
    if finish:
        submission_finish(submission=submission, product=product)
    return submission
