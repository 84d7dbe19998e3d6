"""A robot annotator for the demo: it searches, ticks what the demo shop knows to be the product, and submits."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotation import reviews, selectors, services
from annotation.models import Product, Review
from crawler.demo_shop.catalog import load_catalog
from crawler.models import Listing
from crawler.services import SearchResult, crawl_result, search
from mmproject.ids import content_id

ROBOT = "demo-robot"
SOURCE = "demo-shop"
WAIT_S = 120
MAX_PAGES = 5


class Command(BaseCommand):
    help = (
        "Label the demo shop's goods as a robot, through the crawler and an annotator's own services; most labels "
        "are approved, the rest wait for a reviewer. Needs a running crawl worker. Run again, it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--per-product", type=int, default=12, help="labels for each product (default 12)")
        parser.add_argument("--data", type=Path, default=os.environ.get("DEMO_DATA") or None, help="as the demo shop's")

    def handle(self, *args: Any, per_product: int, data: Path | None, **options: Any) -> None:
        robot, _ = User.objects.get_or_create(username=ROBOT, defaults={"is_active": False})
        product_of_item = {good.item_id: good.product_id for good in load_catalog(data and Path(data)).goods}
        labelled = 0
        products = list(Product.objects.filter(active=True).exclude(keywords=""))
        for product in tqdm(products, desc="labels", unit="product", disable=None):
            keyword = product.keywords.split(",")[0].strip()
            shown, matching, pages = [], [], 0
            for listings in self._pages(keyword):
                pages += 1
                shown += [listing for listing in listings if listing.image_sha256]
                matching = [listing for listing in shown if product_of_item.get(listing.item_id) == product.id]
                if len(matching) >= per_product:
                    break
            if matching:
                labelled += self._submit(robot, product, keyword, shown, matching[:per_product], pages)
        self.stdout.write(f"{labelled} labels by {ROBOT}")

    def _pages(self, keyword: str) -> Iterator[list[Listing]]:
        """The listings of a search, page by page, each waited for."""
        for page in range(1, MAX_PAGES + 1):
            result = self._wait(search(keyword=keyword, page=page, source=SOURCE, requested_by=ROBOT))
            yield result.listings
            if not result.has_next:
                return

    def _wait(self, result: SearchResult) -> SearchResult:
        deadline = time.monotonic() + WAIT_S
        while result.state == "pending" and result.crawl is not None:
            if time.monotonic() > deadline:
                raise CommandError(f"no crawl worker took up {result.keyword!r} within {WAIT_S} s: start one")
            time.sleep(0.3)
            result = crawl_result(crawl_id=result.crawl.id)
        if result.state == "failed":
            raise CommandError(f"searching for {result.keyword!r} failed: {result.error}")
        return result

    def _submit(
        self,
        robot: User,
        product: Product,
        keyword: str,
        shown: list[Listing],
        matching: list[Listing],
        pages: int,
    ) -> int:
        submission = services.submission_create(
            submission_id=content_id("demo-labels", product.id),
            product_name=product.name,
            keyword=keyword,
            source=SOURCE,
            pages=pages,
            shown_listing_ids=[listing.id for listing in shown],
            matched_listing_ids=[listing.id for listing in matching],
            annotator=robot,
        )
        labels = selectors.submission_labels(submission)
        approved = [label.id for label in labels[: max(1, len(labels) * 5 // 6)] if label.review == Review.PENDING]
        reviews.labels_review(label_ids=approved, review=Review.APPROVED, reviewer=robot)
        return len(labels)
