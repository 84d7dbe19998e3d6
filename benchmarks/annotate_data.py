"""What `benchmarks.annotate` works on: a catalogue, listings in cached searches, and labels of earlier submissions."""

import itertools
import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from benchmarks.harness import progress

SOURCE = "demo-shop"
PER_PAGE = 60
PER_SUBMISSION = 20
BATCH = 5000
_ENGLISH = [
    "Alpha",
    "Fresh",
    "Royal",
    "Golden",
    "Nordic",
    "Green",
    "Pure",
    "Grand",
    "Classic",
    "Sunny",
    "Premium",
    "Original",
    "Little",
    "Wild",
    "Sweet",
]
_GOODS = [
    "Orange Juice",
    "Whole Milk",
    "Honey",
    "Soy Drink",
    "Apple Tea",
    "Yoghurt",
    "Oat Drink",
    "Tomato Sauce",
    "Sour Cream",
    "Rice",
]
_CHINESE = [
    "可口可乐",
    "农夫山泉",
    "伊利纯牛奶",
    "统一绿茶",
    "王老吉凉茶",
    "康师傅红茶",
    "旺仔牛奶",
    "蒙牛酸奶",
    "汇源橙汁",
    "娃哈哈",
]


class Data:
    """Grows to a share of the full sizes; what is there already stays."""

    def __init__(self, *, listings: int, products: int, labels: int) -> None:
        self.full = {
            "listings": listings,
            "products": products,
            "labels": labels,
            "searches": listings // PER_PAGE,  # each shows listings of its own
            "submissions": labels // PER_SUBMISSION,
        }
        self.made = dict.fromkeys(self.full, 0)
        self._random = random.Random(1)

    def grow(self, share: float) -> None:
        """Add what is missing to `share` (0..1) of everything."""
        for name, make in (
            ("products", self._product),
            ("listings", self._listing),
            ("searches", self._search),
            ("submissions", self._submission),
            ("labels", self._label),
        ):
            first, last = self.made[name], int(self.full[name] * share)
            _write(make(number) for number in range(first, last))
            self.made[name] = last
            progress(f"{last:,} {name}")

    @staticmethod
    def keyword(number: int) -> str:
        return f"keyword {number}"

    @staticmethod
    def product_name(number: int) -> str:
        chinese = _CHINESE[number % len(_CHINESE)]
        return f"{_ENGLISH[number % len(_ENGLISH)]} {_GOODS[number % len(_GOODS)]} {chinese} {number}"

    @staticmethod
    def listing_id(number: int) -> str:
        from crawler.models import Listing

        return Listing.make_id(source=SOURCE, item_id=str(number))

    def _product(self, number: int) -> Any:
        from annotation.models import Brand, Product

        brand = _ENGLISH[number % len(_ENGLISH)]
        if number < len(_ENGLISH):
            Brand.objects.update_or_create(id=brand.lower(), defaults={"name": brand})
        name = self.product_name(number)
        return Product(
            id=f"product-{number}", name=name, brand_id=brand.lower(), brand_name=brand,
            keywords=f"{_GOODS[number % len(_GOODS)]}, {number}", image_sha256=f"{number:064x}",
        )  # fmt: skip

    def _listing(self, number: int) -> Any:
        from django.utils import timezone

        from crawler.models import ImageState, Listing

        now = timezone.now()
        return Listing(
            id=self.listing_id(number), source=SOURCE, item_id=str(number),
            title=f"{self.product_name(number % self.full['products'])} 1 L, 12 bottles, fresh from the farm",
            url=f"https://shop.example/item/{number}", price=number % 300 / 10, currency="CNY",
            shop_name=f"Shop {number % 500}", shop_url=f"https://shop.example/shops/{number % 500}",
            image_url=f"https://shop.example/{number}.jpg", image_sha256=f"{number:064x}", image_state=ImageState.DONE,
            phash=f"{self._random.getrandbits(64):016x}", first_seen_at=now, last_seen_at=now,
        )  # fmt: skip

    def _label(self, number: int) -> Any:
        from django.utils import timezone

        from annotation.models import Label, RejectReason, Review

        listing = number % self.made["listings"]
        product = number // PER_SUBMISSION % self.made["products"]
        review = (Review.PENDING, Review.APPROVED, Review.APPROVED, Review.REJECTED)[number % 4]
        moment = timezone.now() - timedelta(seconds=self.full["labels"] - number)
        submission = f"submission-{number // PER_SUBMISSION}"
        return Label(
            id=Label.make_id(submission_id=submission, listing_id=self.listing_id(listing)),
            submission_id=submission, listing_id=self.listing_id(listing), source=SOURCE,
            title=f"{self.product_name(product)} 1 L, 12 bottles", url=f"https://shop.example/item/{listing}",
            price=12.5, currency="CNY", shop_name=f"Shop {listing % 500}", image_sha256=f"{listing:064x}",
            product_id=f"product-{product}", product_name=self.product_name(product),
            product_image_sha256=f"{product:064x}", brand_id="alpha", brand_name=_ENGLISH[product % len(_ENGLISH)],
            keyword=self.keyword(number % 1000), annotator_id=1000 + number // PER_SUBMISSION % 20,
            annotator_name=f"annotator-{number // PER_SUBMISSION % 20}", created_at=moment, review=review,
            reject_reason=RejectReason.PRODUCT if review == Review.REJECTED else "",
            reviewer_name="" if review == Review.PENDING else "reviewer",
            reviewed_at=None if review == Review.PENDING else moment,
            changes=0 if review == Review.PENDING else 1,
        )  # fmt: skip

    def _submission(self, number: int) -> Any:
        from django.utils import timezone

        from annotation.models import Submission
        from crawler.models import WorkState

        product = number % self.made["products"]
        shown = [self.listing_id(number * PER_SUBMISSION % self.made["listings"] + place) for place in range(PER_PAGE)]
        return Submission(
            id=f"submission-{number}", product_id=f"product-{product}", product_name=self.product_name(product),
            keyword=self.keyword(number % 1000), source=SOURCE, pages=1, shown_listing_ids=shown,
            matched_listing_ids=shown[:PER_SUBMISSION], annotator_id=1000 + number % 20,
            annotator_name=f"annotator-{number % 20}", state=WorkState.DONE,
            created_at=timezone.now() - timedelta(seconds=self.full["submissions"] - number),
        )  # fmt: skip

    def _search(self, number: int) -> Any:
        from django.utils import timezone

        from crawler.keywords import normalized
        from crawler.models import SearchPage

        now = timezone.now()
        keyword = self.keyword(number)
        key = SearchPage.make_id(source=SOURCE, normalized_keyword=normalized(keyword), page=1)
        return SearchPage(
            id=key, source=SOURCE, keyword=keyword, page=1, total=PER_PAGE, has_next=False,
            listing_ids=[self.listing_id(number * PER_PAGE + place) for place in range(PER_PAGE)],
            fetched_at=now, fresh_until=now + timedelta(days=1), stale_until=now + timedelta(days=2),
        )  # fmt: skip


def _write(documents: Iterator[Any]) -> None:
    for batch in _batches(documents):
        type(batch[0]).objects.bulk_create(batch, ignore_conflicts=False)


def _batches(documents: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(documents)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch
