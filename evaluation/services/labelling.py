"""Judgments become labels, which reviewers then approve or reject as any other.

A label's key comes from its listing and product: whoever says the same of a listing, it is one label to review. The
label is written first, then the judgments that stand behind it name it; done again, it changes nothing.
"""

from collections.abc import Sequence

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Label, LabelChange, Product, Review
from evaluation.models import Judgment, Verdict
from mmproject.ids import content_id


def label_id(*, listing_id: str, product_id: str) -> str:
    """The key of the label that judgments make of this listing and product."""
    return content_id("label of judgments", listing_id, product_id)


def product_said(judgment: Judgment) -> str:
    """The id of the product that the listing shows, as the judgment says; "" when it says of none."""
    if judgment.verdict == Verdict.RIGHT:
        return "" if judgment.rejected else judgment.predicted_product_id
    return judgment.right_product_id if judgment.verdict == Verdict.WRONG else ""


def unlabelled_judgments() -> QuerySet[Judgment]:
    """Those that can still become labels, the newest first; some may say of no product (see `product_said`)."""
    said = Judgment.objects.filter(label_id="").exclude(image_sha256="").exclude(verdict=Verdict.UNSURE)
    return said.order_by("-judged_at", "-id")


def judgments_label(*, judgment_ids: Sequence[str]) -> int:
    """Make labels to review of these judgments; returns how many labels are new.

    One that says of no product of our catalogue, or has a label already, is left alone.
    """
    judgments = [row for row in unlabelled_judgments().filter(id__in=list(judgment_ids)) if product_said(row)]
    products = Product.objects.in_bulk({product_said(row) for row in judgments})
    new = 0
    for judgment in judgments:
        product = products.get(product_said(judgment))
        if product is None:
            continue
        label = _label(judgment, product)
        try:
            label.save(force_insert=True)
            new += 1
        except IntegrityError:  # somebody said the same of this listing before: that label speaks for both
            pass
        Judgment.objects.filter(id=judgment.id, judged_at=judgment.judged_at).update(label_id=label.id)
    return new


def label_withdraw(*, label_id: str) -> None:
    """Delete a label that no judgment stands behind any more, unless a reviewer has spoken of it."""
    if Judgment.objects.filter(label_id=label_id).exists() or LabelChange.objects.filter(label_id=label_id).exists():
        return
    Label.objects.filter(id=label_id, review=Review.PENDING, changes=0).exclude(judgment_id="").delete()


def _label(judgment: Judgment, product: Product) -> Label:
    return Label(
        id=label_id(listing_id=judgment.listing_id, product_id=product.id),
        submission_id="",
        judgment_id=judgment.id,
        listing_id=judgment.listing_id,
        **judgment.offer(),
        product_id=product.id,
        product_name=product.name,
        product_image_sha256=product.image_sha256,
        brand_id=product.brand_id or "",
        brand_name=product.brand_name,
        keyword=judgment.keyword,
        annotator_id=judgment.evaluator_id,
        annotator_name=judgment.evaluator_name,
        created_at=timezone.now(),
        suggested_by=judgment.model_name if judgment.verdict == Verdict.RIGHT else "",
    )
