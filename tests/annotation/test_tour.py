"""The tour comes by itself to those who do not know the page."""

import pytest
from django.urls import reverse

from annotation.models import AnnotatorSettings
from mmproject.ids import new_id
from tests.annotation.factories import make_listing, make_product

URL = "/annotation/tour-seen/"


def starts(client) -> bool:
    page = client.get(reverse("annotation:search")).content.decode()
    assert 'id="tour"' in page
    return "data-starts" in page


def test_it_comes_until_it_was_seen(sign_in, person):
    client = sign_in("annotator")
    assert starts(client)
    assert starts(client)
    assert client.post(URL).status_code == 204
    assert not starts(client)
    assert AnnotatorSettings.objects.get().id == str(person("annotator").pk)


def test_seeing_it_twice_keeps_one_document(sign_in):
    client = sign_in("annotator")
    for _ in range(2):
        client.post(URL)
    assert AnnotatorSettings.objects.count() == 1


def test_it_is_everybodys_own(sign_in):
    sign_in("annotator").post(URL)
    assert starts(sign_in("reviewer"))


def test_whoever_has_submitted_something_is_spared(sign_in):
    make_product()
    client, listing = sign_in("annotator"), make_listing()
    values = {"submission": new_id(), "product": "Alpha Orange Juice", "keyword": "juice", "source": "demo-shop"}
    client.post(reverse("annotation:submit"), values | {"pages": 1, "shown": listing.id, "listing": listing.id})
    assert not starts(client)


@pytest.mark.parametrize("role", ["nobody", "evaluator"])
def test_only_annotators_have_one(sign_in, role):
    assert sign_in(role).post(URL).status_code == 403
    assert not AnnotatorSettings.objects.exists()
