"""Reads: the catalogue as people search it, and what is already labelled."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from annotation.models import Label, Product, Review, Submission
from crawler.models import Crawl, WorkState
from mmproject.mongo.collections import collection
from mmproject.remembered import remembered

WAITS_AFTER = timedelta(seconds=4)


def product_named(name: str) -> Product | None:
    """The active product of exactly this name."""
    return Product.objects.filter(name=name.strip(), active=True).first()


def recent_products(annotator: AbstractBaseUser, *, limit: int = 8) -> list[str]:
    """The names of the products that `annotator` submitted last, the latest first; one query over 50 submissions."""
    mine = Submission.objects.filter(annotator_id=annotator.pk, cancelled_at=None)
    names = mine.order_by("-created_at").values_list("product_name", flat=True)[:50]
    return list(dict.fromkeys(names))[:limit]


def example_keyword() -> str:
    """A keyword worth searching, for someone who has none: of a product that has no approved label yet.

    Of the first fifty products that have keywords: all of them would take longer the more is labelled. Every submit
    asks, so a process keeps the answer for some seconds.
    """
    return remembered("example keyword", _example_keyword, seconds=5)


def _example_keyword() -> str:
    products = Product.objects.filter(active=True).exclude(keywords="").order_by("name")
    keywords = dict(products.values_list("id", "keywords")[:50])
    labels = Label.objects.filter(review=Review.APPROVED, product_id__in=list(keywords))
    labelled = set(labels.values_list("product_id", flat=True).distinct())
    unlabelled = [words for product_id, words in keywords.items() if product_id not in labelled]
    return (unlabelled or list(keywords.values()))[0].split(",")[0].strip() if keywords else ""


def labelled_products(listing_ids: Iterable[str]) -> dict[str, list[str]]:
    """For each listing, the names of the products that it is already labelled with (rejected labels aside).

    Asks MongoDB itself: every search page asks for hundreds of labels, of which the ORM would make rows first.
    """
    found: dict[str, list[str]] = {}
    wanted = {"listing_id": {"$in": list(listing_ids)}, "review": {"$ne": str(Review.REJECTED)}}
    fields = {"_id": 0, "listing_id": 1, "product_name": 1}
    for label in collection(Label).find(wanted, fields, batch_size=1000):  # all in one answer
        names = found.setdefault(label["listing_id"], [])
        if label["product_name"] not in names:
            names.append(label["product_name"])
    return found


def submission_labels(submission: Submission) -> list[Label]:
    """The labels of one submission, in the order of its ticks."""
    labels = {label.listing_id: label for label in Label.objects.filter(submission_id=submission.id)}
    return [labels[listing_id] for listing_id in submission.matched_listing_ids if listing_id in labels]


def waits_for_worker(crawl: Crawl) -> bool:
    """Whether nobody is at it: not taken up after some seconds, or its worker has been gone for a whole lease."""
    now = timezone.now()
    if crawl.state == WorkState.PENDING:
        return crawl.created_at < now - WAITS_AFTER
    return crawl.state == WorkState.RUNNING and crawl.leased_until < now
