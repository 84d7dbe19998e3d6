"""A picture and a title that somebody sent: one listing for the same two, and nothing stored of what is refused."""

import io

import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from crawler.images import image_exists
from crawler.models import ImageState, Listing
from crawler.uploads import MAX_TITLE, UPLOAD, listing_of_upload

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def png(colour=(10, 90, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 60), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_is_a_listing_with_its_picture_stored():
    listing = listing_of_upload(picture=png(), title="  Green\n tea ")
    listing.refresh_from_db()
    assert (listing.source, listing.title, listing.image_state) == (UPLOAD, "Green tea", ImageState.DONE)
    assert image_exists(listing.image_sha256)
    assert len(listing.phash) == 16
    assert (listing.url, listing.price) == ("", None)


def test_sent_again_it_is_the_same_listing_seen_again():
    first = listing_of_upload(picture=png(), title="tea")
    again = listing_of_upload(picture=png(), title="tea")
    assert again.id == first.id
    assert again.first_seen_at == Listing.objects.get().first_seen_at
    assert again.last_seen_at > again.first_seen_at


def test_another_picture_or_title_is_another_listing():
    ids = {
        listing_of_upload(picture=png(), title="tea").id,
        listing_of_upload(picture=png((200, 10, 10)), title="tea").id,
        listing_of_upload(picture=png(), title="").id,
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("picture", "title", "field"),
    [(b"<svg/>", "tea", "picture"), (b"", "tea", "picture"), (png(), "x" * (MAX_TITLE + 1), "title")],
)
def test_what_is_refused_names_the_field_and_stores_nothing(picture, title, field):
    with pytest.raises(ValidationError) as error:
        listing_of_upload(picture=picture, title=title)
    assert list(error.value.message_dict) == [field]
    assert not Listing.objects.exists()
