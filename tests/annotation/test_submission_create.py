"""Saving what an annotator ticked."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from annotation import services
from annotation.models import Label, Product, Review, Submission
from annotation.reviews import labels_review
from crawler.models import WorkState
from tests.annotation.factories import make_listing, make_product

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def annotator(person):
    return person("annotator")


def submit(annotator, *, shown, matched, **changes):
    values = {
        "submission_id": "s-1",
        "product_name": "Alpha Orange Juice",
        "keyword": "juice",
        "source": "demo-shop",
        "pages": 1,
    }
    ids = {
        "shown_listing_ids": [listing.id for listing in shown],
        "matched_listing_ids": [listing.id for listing in matched],
    }
    return services.submission_create(annotator=annotator, **(values | ids | changes))


def test_it_saves_a_label_for_each_tick_with_what_was_seen(annotator):
    product = make_product(image_sha256="c" * 64)
    one, other, unticked = make_listing("橙汁 1L"), make_listing(), make_listing()
    submission = submit(annotator, shown=[one, other, unticked], matched=[one, other])
    assert submission.state == WorkState.DONE
    labels = {label.listing_id: label for label in Label.objects.all()}
    assert set(labels) == {one.id, other.id}
    label = labels[one.id]
    assert (label.title, label.shop_name, label.shop_url, label.price) == (
        "橙汁 1L",
        "Corner shop",
        "https://shop.example/",
        12.5,
    )
    assert (label.product_id, label.brand_name, label.product_image_sha256) == (product.id, "Alpha", "c" * 64)
    assert (label.annotator_name, label.keyword, label.review) == ("annotator", "juice", Review.PENDING)
    assert Submission.objects.get().shown_listing_ids == [one.id, other.id, unticked.id]


def test_the_same_submission_again_changes_nothing(annotator, person):
    make_product()
    listing = make_listing()
    submit(annotator, shown=[listing], matched=[listing])
    labels_review(label_ids=[Label.objects.get().id], review=Review.APPROVED, reviewer=person("reviewer"))
    submit(annotator, shown=[listing], matched=[listing])
    assert Label.objects.get().review == Review.APPROVED
    assert Submission.objects.count() == 1


def test_ten_equal_submissions_at_once_are_one(annotator):
    make_product()
    listings = [make_listing() for _ in range(5)]
    errors = []

    def send():
        try:
            submit(annotator, shown=listings, matched=listings)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Submission.objects.count() == 1
    assert Label.objects.count() == 5


def test_nobody_can_send_into_anothers_submission(annotator, person):
    make_product()
    listing = make_listing()
    submit(annotator, shown=[listing], matched=[listing])
    with pytest.raises(ValidationError, match="somebody else"):
        submit(person("reviewer"), shown=[listing], matched=[listing])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"product_name": "  "}, "Choose the product"),
        ({"product_name": "No Such Juice"}, "“No Such Juice” is not in the catalogue"),
        ({"matched_listing_ids": []}, "Tick at least one"),
        ({"matched_listing_ids": ["elsewhere"]}, "elsewhere was not on this page"),
        ({"shown_listing_ids": ["gone"], "matched_listing_ids": ["gone"]}, "gone was not on this page"),
        ({"submission_id": ""}, "out of date"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(annotator, changes, message):
    make_product()
    listing = make_listing()
    with pytest.raises(ValidationError, match=message):
        submit(annotator, shown=[listing], matched=[listing], **changes)
    assert not Submission.objects.exists()
    assert not Label.objects.exists()


def test_a_listing_without_picture_cannot_be_labelled(annotator):
    make_product()
    listing = make_listing("Blank", image_sha256="")
    with pytest.raises(ValidationError, match="“Blank” has no picture"):
        submit(annotator, shown=[listing], matched=[listing])


def test_an_inactive_product_cannot_be_chosen(annotator):
    make_product(active=False)
    listing = make_listing()
    with pytest.raises(ValidationError, match="not in the catalogue"):
        submit(annotator, shown=[listing], matched=[listing])


def test_a_crash_between_submission_and_labels_is_repaired(annotator, monkeypatch):
    make_product()
    listings = [make_listing(), make_listing()]
    with monkeypatch.context() as broken:
        broken.setattr(
            services, "submission_finish", lambda **_: (_ for _ in ()).throw(ConnectionError("mongod went away"))
        )
        with pytest.raises(ConnectionError):
            submit(annotator, shown=listings, matched=listings)
    assert Submission.objects.get().state == WorkState.PENDING
    assert services.submissions_resume() == 0  # a moment ago: its own request may still be at it
    monkeypatch.setattr(services, "RESUME_AFTER", -services.RESUME_AFTER)
    assert services.submissions_resume() == 1
    assert Submission.objects.get().state == WorkState.DONE
    assert Label.objects.count() == 2
    assert services.submissions_resume() == 0


def test_a_half_written_submission_gets_only_the_labels_it_lacks(annotator, person):
    make_product()
    listings = [make_listing(), make_listing()]
    submission = submit(annotator, shown=listings, matched=listings)
    kept = Label.objects.get(listing_id=listings[0].id)
    labels_review(label_ids=[kept.id], review=Review.REJECTED, reason="other", reviewer=person("reviewer"))
    Label.objects.filter(listing_id=listings[1].id).delete()
    assert services.submission_finish(submission=submission) == 1
    assert Label.objects.get(id=kept.id).review == Review.REJECTED


def test_a_product_carries_its_brands_name():
    product = make_product(brand="Beta")
    assert Product.objects.get(id=product.id).brand_name == "Beta"
    product.brand = None
    product.save()
    assert Product.objects.get(id=product.id).brand_name == ""
