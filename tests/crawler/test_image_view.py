import pytest

from crawler.images import read_image

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def digest(shop, crawled) -> str:
    return crawled("hostile").listings[0].image_sha256


def test_it_works(sign_in, digest):
    response = sign_in("evaluator").get(f"/images/{digest}.jpg")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert b"".join(response.streaming_content) == read_image(digest)


def test_a_second_call_transfers_nothing(sign_in, digest):
    client = sign_in("evaluator")
    etag = client.get(f"/images/{digest}.jpg")["ETag"]
    response = client.get(f"/images/{digest}.jpg", headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")


def test_strangers_may_not(client, digest):
    response = client.get(f"/images/{digest}.jpg")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("name", ["a" * 64, "A" * 64, "a" * 63, "..%2f..%2fdb.sqlite3", "a" * 64 + "%0a"])
def test_unknown_pictures_are_not_found(sign_in, name):
    assert sign_in("evaluator").get(f"/images/{name}.jpg").status_code == 404


def test_it_only_allows_reading(sign_in, digest):
    assert sign_in("evaluator").post(f"/images/{digest}.jpg").status_code == 405
