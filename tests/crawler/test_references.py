"""Whatever refers to a listing or a picture keeps it from being cleaned away; all else of its age goes."""

import random

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.models import Label, Product, Submission
from crawler import cleaning
from crawler.cleaning import Cleaned, crawls_clean
from crawler.images import image_exists, image_name
from crawler.models import Crawl, Listing
from crawler.references import listing_references, picture_references, referred
from evaluation.models import Judgment, Prediction, PredictionRun, TrainingPicture
from tests.crawler.old_documents import make_listing, make_page, make_picture

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("own_store"),
]


# --- who refers -----------------------------------------------------------------------------------------------------


def names(references) -> set[str]:
    return {f"{model.__name__}.{field}" for model, field in references}


def test_exactly_these_fields_keep_listings():
    """A new one that follows the convention belongs here, and is then kept from being cleaned away."""
    assert names(listing_references()) == {
        "SearchPage.listing_ids",
        "Submission.shown_listing_ids",
        "Submission.matched_listing_ids",
        "Submission.refused_listing_ids",
        "Submission.unsure_listing_ids",
        "Submission.suggested_listing_ids",
        "Label.listing_id",
        "Dispute.listing_id",
        "PredictionRun.listing_ids",
        "Prediction.listing_id",
        "Judgment.listing_id",
    }


def test_exactly_these_fields_keep_pictures():
    assert names(picture_references()) == {
        "Listing.image_sha256",
        "Product.image_sha256",
        "Label.image_sha256",
        "Label.product_image_sha256",
        "Dispute.image_sha256",
        "Dispute.product_image_sha256",
        "TrainingPicture.image_sha256",
        "Prediction.image_sha256",
        "Judgment.image_sha256",
        "WordAlignment.image_sha256",
    }


def test_no_field_of_the_domain_looks_like_a_reference_without_being_one():
    """A listing or a picture named by another kind of field would be cleaned away from under it."""
    known = names(listing_references()) | names(picture_references())
    for app in ("crawler", "annotation", "evaluation"):
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                if "listing_id" in field.name or "sha256" in field.name or isinstance(field, models.ForeignKey):
                    owner = f"{model.__name__}.{field.name}"
                    assert owner in known or owner == "Product.brand", owner


def test_names_are_copied_from_earlier_models_to_later_ones():
    order = [model.__name__ for model, _field in picture_references()]
    assert order.index("Listing") < order.index("Label") < order.index("TrainingPicture")
    assert order.index("Listing") < order.index("Prediction") < order.index("Judgment")
    assert order.index("Product") < order.index("Label")


# --- a world of references -----------------------------------------------------------------------------------------

N = 6
numbers = st.integers(0, N - 1)
many = st.lists(numbers, max_size=4)
world = st.fixed_dictionaries(
    {
        "seen_days_ago": st.lists(st.sampled_from([1, 89, 91, 400]), min_size=N, max_size=N),
        "file_hours_ago": st.lists(st.sampled_from([1, 23, 25, 900]), min_size=N, max_size=N),
        "picture_of": st.lists(st.one_of(st.none(), numbers), min_size=N, max_size=N),
        "fresh_page": many,
        "expired_page": many,
        "shown": many,
        "matched": many,
        "run": many,
        "labels": st.lists(st.tuples(numbers, numbers, numbers), max_size=2),
        "predictions": st.lists(st.tuples(numbers, numbers), max_size=2),
        "judgments": st.lists(st.tuples(numbers, numbers), max_size=2),
        "products": st.lists(numbers, max_size=1),
        "trained": st.lists(numbers, max_size=2),
    }
)


def build(drawn) -> None:
    """The documents, with only the fields that refer to something or cannot be null."""
    now = timezone.now()
    shas = [make_picture(number, hours_ago=hours) for number, hours in enumerate(drawn["file_hours_ago"])]
    for number, days in enumerate(drawn["seen_days_ago"]):
        picture = drawn["picture_of"][number]
        make_listing(number, days_ago=days, sha="" if picture is None else shas[picture])
    ids = {name: [f"listing-{number}" for number in drawn[name]] for name in
           ("fresh_page", "expired_page", "shown", "matched", "run")}  # fmt: skip
    make_page(1, stale_days_ago=29, listing_ids=ids["fresh_page"])
    make_page(2, stale_days_ago=31, listing_ids=ids["expired_page"])
    Submission.objects.create(
        id="s", pages=1, annotator_id=1, created_at=now, shown_listing_ids=ids["shown"],
        matched_listing_ids=ids["matched"],
    )  # fmt: skip
    PredictionRun.objects.create(id="r", page=1, started_by_id=1, created_at=now, listing_ids=ids["run"])
    for n, (listing, picture, product) in enumerate(drawn["labels"]):
        Label.objects.create(
            id=f"l{n}", listing_id=f"listing-{listing}", image_sha256=shas[picture],
            product_image_sha256=shas[product], annotator_id=1, created_at=now,
        )  # fmt: skip
    for n, (listing, picture) in enumerate(drawn["predictions"]):
        Prediction.objects.create(
            id=f"p{n}", position=n, listing_id=f"listing-{listing}", image_sha256=shas[picture], leased_until=now,
            created_at=now,
        )  # fmt: skip
    for n, (listing, picture) in enumerate(drawn["judgments"]):
        Judgment.objects.create(
            id=f"j{n}", listing_id=f"listing-{listing}", image_sha256=shas[picture], evaluator_id=1, judged_at=now,
            product_confidence=1,
        )  # fmt: skip
    for picture in drawn["products"]:
        Product.objects.create(id="tea", name="Tea", image_sha256=shas[picture])
    for n, picture in enumerate(drawn["trained"]):
        TrainingPicture.objects.create(id=f"t{n}", run_id="r", image_sha256=shas[picture])


def expected(drawn) -> tuple[set[int], set[int]]:
    """The listings and pictures that must be left, by their numbers: the obvious way."""
    referred_listings = {*drawn["fresh_page"], *drawn["shown"], *drawn["matched"], *drawn["run"]}
    for group in ("labels", "predictions", "judgments"):
        referred_listings |= {entry[0] for entry in drawn[group]}
    listings = {n for n, days in enumerate(drawn["seen_days_ago"]) if days < 90 or n in referred_listings}
    referred_pictures = {drawn["picture_of"][n] for n in listings} | {*drawn["products"], *drawn["trained"]}
    for group in ("labels", "predictions", "judgments"):
        referred_pictures |= {picture for entry in drawn[group] for picture in entry[1:]}
    pictures = {n for n, hours in enumerate(drawn["file_hours_ago"]) if hours < 24 or n in referred_pictures}
    return listings, pictures


def left() -> tuple[set[int], set[int]]:
    listings = {int(one.removeprefix("listing-")) for one in Listing.objects.values_list("id", flat=True)}
    return listings, {number for number in range(N) if image_exists(f"{number:064x}")}


def empty_world() -> None:
    for model in {model for model, _field in [*listing_references(), *picture_references()]} | {Crawl}:
        model.objects.all().delete()
    for number in range(N):
        default_storage.delete(image_name(f"{number:064x}"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world, st.sampled_from([1, 2, 1000]))
def test_exactly_what_nothing_refers_to_is_removed(drawn, batch):
    empty_world()
    build(drawn)
    sizes = cleaning.BATCH, cleaning.REFERENCE_BATCH
    cleaning.BATCH, cleaning.REFERENCE_BATCH = batch, batch
    try:
        cleaned = crawls_clean()
        listings, pictures = expected(drawn)
        assert left() == (listings, pictures)
        assert (cleaned.listings, cleaned.pictures) == (N - len(listings), N - len(pictures))
        assert crawls_clean() == Cleaned()  # a second time there is nothing to do
        assert left() == (listings, pictures)
    finally:
        cleaning.BATCH, cleaning.REFERENCE_BATCH = sizes


def test_a_reference_is_found_in_any_place_of_a_list():
    make_page(1, listing_ids=["a", "b", "c"])
    assert referred(listing_references(), ["c", "d", "a"]) == {"a", "c"}
    assert referred(listing_references(), []) == set()


def test_random_worlds_keep_what_is_referred_to_beside_a_second_run():
    """Two runs interleaved batch by batch remove what one would."""
    for seed in range(5):
        empty_world()
        pick = random.Random(seed)
        drawn = {
            "seen_days_ago": [pick.choice([1, 91]) for _ in range(N)],
            "file_hours_ago": [pick.choice([1, 25]) for _ in range(N)],
            "picture_of": [pick.choice([None, *range(N)]) for _ in range(N)],
            **{name: pick.sample(range(N), 2) for name in ("fresh_page", "expired_page", "shown", "matched", "run")},
            **{name: [] for name in ("labels", "predictions", "judgments", "products", "trained")},
        }
        build(drawn)
        crawls_clean(progress=lambda what, count: crawls_clean())
        assert left() == expected(drawn)
