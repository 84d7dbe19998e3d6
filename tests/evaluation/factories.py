"""A small world to evaluate in: a catalogue, stored pictures, cached searches, labels, a model, predictions."""

import io
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from PIL import Image

from annotation.models import Brand, Label, Product, Review
from crawler.images import store_image
from crawler.keywords import normalized
from crawler.models import Crawl, ImageState, Listing, SearchPage, WorkState
from evaluation.models import Judgment, ModelVersion, Prediction, PredictionRun, Verdict
from mmproject.ids import new_id

SOURCE = "demo-shop"


def make_catalogue(count: int = 3) -> list[Product]:
    """`count` products "Tea 0", "Tea 1", … of two brands."""
    brands = [Brand.objects.create(id=f"brand-{n}", name=f"Brand {n}") for n in range(2)]
    return [
        Product.objects.create(id=f"tea-{n}", name=f"Tea {n}", brand=brands[n % 2], keywords="tea")
        for n in range(count)
    ]


def make_picture(number: int) -> str:
    """A stored picture that no other number has; its SHA-256."""
    image = Image.new("RGB", (48, 48), ((37 * number) % 256, (91 * number) % 256, (number // 3) % 256))
    image.putpixel((number % 48, (number // 48) % 48), (255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return store_image(buffer.getvalue()).sha256


def make_listing(number: int, **values: object) -> Listing:
    """A listing with a picture of its own, unless `image_sha256` says otherwise."""
    now = timezone.now()
    item_id = f"item-{number}"
    fields: dict = {
        "title": f"Green tea {number}",
        "url": f"https://shop.example/items/{number}",
        "price": 9.5 + number,
        "currency": "CNY",
        "shop_name": "Tea house",
        "shop_url": "https://shop.example/",
        "image_sha256": make_picture(number) if "image_sha256" not in values else "",
        "image_state": ImageState.DONE,
        "first_seen_at": now,
        "last_seen_at": now,
    } | values
    listing_id = Listing.make_id(source=SOURCE, item_id=item_id)
    return Listing.objects.create(id=listing_id, source=SOURCE, item_id=item_id, **fields)


def make_cached_page(keyword: str, listings: Sequence[Listing], *, page: int = 1) -> SearchPage:
    """What the crawler's cache holds after it fetched this page."""
    now = timezone.now()
    return SearchPage.objects.create(
        id=SearchPage.make_id(source=SOURCE, normalized_keyword=normalized(keyword), page=page),
        source=SOURCE,
        keyword=keyword,
        page=page,
        listing_ids=[listing.id for listing in listings],
        fetched_at=now,
        fresh_until=now + timedelta(hours=1),
    )


def finish_crawl(crawl_id: str, *, listings: Sequence[Listing]) -> None:
    """What the crawl worker does."""
    crawl = Crawl.objects.get(id=crawl_id)
    make_cached_page(crawl.keyword, listings, page=crawl.page)
    Crawl.objects.filter(id=crawl_id).update(state=WorkState.DONE, finished_at=timezone.now())


def make_model(name: str = "model 1", *, folder: str = "", active: bool = True) -> ModelVersion:
    now = timezone.now()
    model_id = new_id()
    return ModelVersion.objects.create(
        id=model_id, name=name, folder=folder or model_id, created_at=now, activated_at=now if active else None
    )


def make_label(listing: Listing, product: Product, *, review: str = Review.APPROVED) -> Label:
    now = timezone.now()
    submission_id = new_id()
    return Label.objects.create(
        id=Label.make_id(submission_id=submission_id, listing_id=listing.id),
        submission_id=submission_id,
        listing_id=listing.id,
        **listing.offer(),
        product_id=product.id,
        product_name=product.name,
        brand_id=product.brand_id or "",
        brand_name=product.brand_name,
        keyword="tea",
        annotator_id=1,
        annotator_name="annotator",
        created_at=now,
        review=review,
        reviewed_at=now if review != Review.PENDING else None,
    )


def make_run(
    user: AbstractBaseUser, predicted: Sequence[Product | None], *, model: ModelVersion | None = None
) -> PredictionRun:
    """A finished run, in which each listing was predicted to be that product; None: the prediction failed."""
    model = model or make_model()
    now = timezone.now()
    first = Listing.objects.count()
    listings = [make_listing(first + number) for number in range(len(predicted))]
    run = PredictionRun.objects.create(
        model_id=model.id,
        model_name=model.name,
        keyword="tea",
        source=SOURCE,
        page=1,
        state=WorkState.DONE,
        listing_ids=[listing.id for listing in listings],
        total=len(listings),
        started_by_id=user.pk,
        started_by=user.get_username(),
        created_at=now,
        finished_at=now,
    )
    Prediction.objects.bulk_create(
        [_prediction(run, number, listing, predicted[number]) for number, listing in enumerate(listings)]
    )
    return run


def _prediction(run: PredictionRun, position: int, listing: Listing, product: Product | None) -> Prediction:
    prediction = Prediction(
        id=Prediction.make_id(run_id=run.id, model_id=run.model_id, listing_id=listing.id),
        run_id=run.id,
        position=position,
        model_id=run.model_id,
        model_name=run.model_name,
        listing_id=listing.id,
        **listing.offer(),
        state=WorkState.FAILED,
        error="damaged picture",
        leased_until=run.created_at,
        created_at=run.created_at,
        predicted_at=run.created_at,
    )
    if product is not None:
        prediction.state, prediction.error = WorkState.DONE, ""
        prediction.product_id, prediction.product_name = product.id, product.name
        prediction.brand_id, prediction.brand_name = product.brand_id, product.brand_name
        prediction.product_confidence = prediction.brand_confidence = 0.8
        others = Product.objects.exclude(id=product.id).order_by("id")[:4]
        prediction.top5 = [[product.id, product.name, 0.8], *([other.id, other.name, 0.05] for other in others)]
    return prediction


def make_judgment(
    number: int,
    *,
    predicted: Product,
    verdict: str = Verdict.RIGHT,
    right: Product | None = None,
    listing: Listing | None = None,
    **values: object,
) -> Judgment:
    """A judgment on a prediction of its own."""
    fields: dict = {
        "prediction_id": f"prediction-{number}",
        "run_id": "run",
        "model_id": "model",
        "model_name": "Model",
        "listing_id": listing.id if listing else f"listing-{number}",
        "keyword": "tea",
        "source": SOURCE,
        "title": listing.title if listing else f"Green tea {number}",
        "url": f"https://shop.example/items/{number}",
        "price": 9.5,
        "currency": "CNY",
        "shop_name": "Tea house",
        "image_sha256": listing.image_sha256 if listing else "0" * 64,
        "predicted_brand_id": predicted.brand_id or "",
        "predicted_brand_name": predicted.brand_name,
        "predicted_product_id": predicted.id,
        "predicted_product_name": predicted.name,
        "product_confidence": 0.8,
        "verdict": verdict,
        "right_product_id": right.id if right else "",
        "right_product_name": right.name if right else "",
        "right_brand_id": (right.brand_id or "") if right else "",
        "right_brand_name": right.brand_name if right else "",
        "evaluator_id": 1,
        "evaluator_name": "evaluator",
        "judged_at": timezone.now(),
    } | values
    judgment_id = Judgment.make_id(prediction_id=str(fields["prediction_id"]), evaluator_id=int(fields["evaluator_id"]))
    return Judgment.objects.create(id=judgment_id, **fields)
