"""What annotators see of the active model's opinions, when they want to."""

import re

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import AnnotatorSettings
from annotation.preferences import preferences_change
from evaluation.models import ListingOpinion, ModelVersion
from mmproject.remembered import forget
from tests.evaluation.factories import make_cached_page, make_catalogue, make_listing, make_model

HTMX = {"HTTP_HX_REQUEST": "true"}
STATUS = "/annotation/suggestions/status/"


@pytest.fixture(autouse=True)
def _nobody_has_asked():
    cache.clear()


@pytest.fixture
def listings(person):
    make_catalogue()
    found = [make_listing(number) for number in range(4)]
    make_cached_page("tea", found)
    return found


@pytest.fixture
def annotator(sign_in, person, listings):
    preferences_change(annotator=person("annotator"), suggestions=True)
    return sign_in("annotator")


def say(listing_id: str, product_id: str, confidence: float, *, model: ModelVersion) -> None:
    ListingOpinion.objects.create(
        id=ListingOpinion.make_id(model_id=model.id, listing_id=listing_id),
        model_id=model.id,
        about_id=listing_id,
        product_id=product_id,
        product_name=product_id.replace("-", " ").title(),
        confidence=confidence,
        predicted_at=timezone.now(),
    )


def results(client, **query) -> str:
    answer = client.get("/annotation/", {"keyword": "tea", **query}, **HTMX)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def ticked(page: str) -> list[str]:
    return re.findall(r'class="tick" name="listing" value="(\w+)" checked', page)


def order(page: str) -> list[str]:
    return re.findall(r'name="shown" value="(\w+)"', page)


class TestTheSwitch:
    def test_it_is_offered_only_while_a_model_is_active(self, sign_in, listings):
        client = sign_in("annotator")
        assert "Suggestions of the model" not in results(client)
        make_model()
        forget()  # a process keeps the answer for two seconds
        assert "Suggestions of the model: off" in results(client)

    def test_it_is_kept_and_leads_back_to_the_search(self, sign_in, person, listings):
        make_model()
        client = sign_in("annotator")
        data = {"on": "true", "keyword": "tea & milk", "source": "demo-shop", "product": "Tea 0"}
        answer = client.post("/annotation/suggestions/", data)
        assert answer["Location"] == "/annotation/?keyword=tea+%26+milk&source=demo-shop&product=Tea+0"
        assert "Suggestions of the model: on" in results(client)
        client.post("/annotation/suggestions/", {"on": "false"})
        assert "Suggestions of the model: off" in results(client)
        assert AnnotatorSettings.objects.get().id == str(person("annotator").pk)

    def test_switching_leaves_the_other_settings_alone(self, person):
        AnnotatorSettings.objects.create(id=str(person("annotator").pk), page_size=96)
        preferences_change(annotator=person("annotator"), suggestions=True)
        assert (AnnotatorSettings.objects.get().page_size, AnnotatorSettings.objects.get().suggestions) == (96, True)

    @pytest.mark.parametrize("path", ["/annotation/suggestions/", STATUS])
    def test_only_annotators_may(self, sign_in, path):
        assert sign_in("evaluator").post(path).status_code == 403

    def test_switched_off_nothing_is_asked_or_suggested(self, sign_in, listings, nudges):
        model = make_model()
        say(listings[0].id, "tea-0", 0.9, model=model)
        page = results(sign_in("annotator"), product="Tea 0")
        assert nudges == []
        assert ticked(page) == []
        assert "suggested by" not in page
        assert "suggested_by" not in page
        assert order(page) == [listing.id for listing in listings]


class TestThePage:
    def test_what_the_model_is_sure_shows_the_product_is_ticked_and_says_so(self, annotator, listings):
        model = make_model("model 7")
        for listing, product, confidence in zip(
            listings, ["tea-0", "tea-0", "tea-1", ""], [0.93, 0.4, 0.9, 0.0], strict=True
        ):
            say(listing.id, product, confidence, model=model)
        page = results(annotator, product="Tea 0")
        assert ticked(page) == [listings[0].id]
        assert "suggested by model 7, 93 %" in page
        assert re.findall(r'name="suggested" value="(\w+)"', page) == [listings[0].id]
        assert '<input type="hidden" name="suggested_by" value="model 7">' in page
        assert "model 7 suggests 1 listing." in page

    def test_the_most_uncertain_come_first_and_what_it_has_not_said_last(self, annotator, listings):
        model = make_model()
        for listing, confidence in zip(listings[1:], [0.99, 0.55, 0.2], strict=True):
            say(listing.id, "tea-1", confidence, model=model)
        page = results(annotator)
        assert order(page) == [listings[2].id, listings[3].id, listings[1].id, listings[0].id]
        assert '<input type="hidden" name="ordered_by_model" value="true">' in page

    def test_what_is_missing_is_asked_for_once_and_the_page_says_how_far_it_is(self, annotator, listings, nudges):
        model = make_model("model 7")
        say(listings[0].id, "tea-0", 0.9, model=model)
        for _ in range(2):
            page = results(annotator, product="Tea 0")
        assert "model 7 is looking at the pictures: 1 of 4" in page
        assert "load delay:3s" in page
        assert [(name, set(rest)) for name, _model, *rest in nudges] == [
            ("evaluation.tasks.predict_opinions", {listing.id for listing in listings[1:]})
        ]

    def test_a_listing_without_a_picture_is_not_waited_for(self, annotator, listings, nudges):
        make_model()
        make_cached_page("bare", [make_listing(50, image_sha256="")])
        page = results(annotator, keyword="bare")
        assert nudges == []
        assert "is looking" not in page

    def test_without_a_product_it_asks_for_one(self, annotator, listings):
        model = make_model("model 7")
        for listing in listings:
            say(listing.id, "tea-0", 0.9, model=model)
        for query in ({}, {"product": " "}):
            page = results(annotator, **query)
            assert ticked(page) == []
            assert "Choose a product, and model 7 suggests what shows it." in page
        assert ticked(results(annotator, product="no such product")) == []

    def test_the_number_of_queries_does_not_grow_with_the_listings(self, annotator, listings):
        model = make_model()
        many = [make_listing(number) for number in range(100, 130)]
        make_cached_page("many", many)
        for listing in [*listings, *many]:
            say(listing.id, "tea-0", 0.9, model=model)
        counts = []
        results(annotator)
        for keyword in ("tea", "many"):
            with CaptureQueriesContext(connections["mongo"]) as queries:
                results(annotator, keyword=keyword, product="Tea 0")
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestTheStatus:
    def status(self, client, listings, **data) -> str:
        data = {"shown": [listing.id for listing in listings], **data}
        answer = client.post(STATUS, data, **HTMX)
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())

    def test_suggestions_that_come_later_wait_in_a_template(self, annotator, listings):
        model = make_model("model 7")
        say(listings[0].id, "tea-0", 0.9, model=model)
        page = self.status(annotator, listings, product="Tea 0")
        assert "1 of 4" in page
        assert "load delay:3s" in page
        for listing in listings[1:]:
            say(listing.id, "tea-1", 0.9, model=model)
        page = self.status(annotator, listings, product="Tea 0")
        assert "load delay" not in page
        template = page[page.index("<template>") :]
        assert f'name="suggested" value="{listings[0].id}"' in template
        assert "Show suggestions" in page

    def test_another_product_gets_other_suggestions(self, annotator, listings):
        model = make_model()
        for listing in listings:
            say(listing.id, "tea-1", 0.9, model=model)
        assert "data-suggest" not in self.status(annotator, listings, product="Tea 0")
        assert "suggests 4 listings." in self.status(annotator, listings, product="Tea 1")

    def test_what_makes_no_sense_is_nothing(self, annotator, listings):
        make_model()
        page = annotator.post(STATUS, {"shown": ["unknown", "x" * 900], "product": "x" * 900}, **HTMX)
        assert page.status_code == 200
        assert b"<template>" not in page.content

    def test_a_hostile_model_name_is_inert(self, annotator, listings):
        model = make_model("<script>alert(1)</script>")
        say(listings[0].id, "tea-0", 0.9, model=model)
        assert "<script" not in self.status(annotator, listings[:1], product="Tea 0")
