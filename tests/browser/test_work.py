"""Work queues and suggestions as people meet them, in a real Chromium."""

import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from annotation.models import AnnotatorSettings, Task
from tests.evaluation.factories import make_cached_page, make_catalogue, make_listing, make_model
from tests.evaluation.test_suggestions import say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


def test_a_reviewer_makes_tasks_and_an_annotator_does_the_next(visit, source):
    make_catalogue(2)
    listings = [make_listing(number) for number in range(3)]
    make_cached_page("tea", listings)

    page = visit("reviewer", "/admin/annotation/product/")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("create_tasks")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#preview")).to_contain_text("2 tasks, of 2 products.")
    page.get_by_label("Priority").fill("5")
    page.get_by_role("button", name="Create tasks").click()
    expect(page.locator(".messagelist")).to_contain_text("2 tasks are made.")
    assert set(Task.objects.values_list("keyword", "priority")) == {("tea", 5)}

    page = visit("annotator", "/annotation/work/")
    expect(page.get_by_role("link", name="Start")).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_label("Keyword to search for")).to_have_value("tea")
    expect(page.get_by_label("Product of our catalogue")).to_have_value(re.compile("Tea [01]"))
    expect(page.locator("#keyword-chips")).to_contain_text("tea")
    page.locator(".card .picture").first.click()
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("Saved: 1 label")
    expect(page.get_by_role("link", name="Next task")).to_be_visible()
    page.locator("body").press("t")
    expect(page).to_have_url(re.compile("task="))


def test_suggestions_are_ticked_and_marked_and_never_untick_what_the_annotator_did(visit, source):
    make_catalogue(2)
    listings = [make_listing(number) for number in range(4)]
    make_cached_page("tea", listings)
    model = make_model("model 7")
    for listing, product, confidence in zip(
        listings, ["tea-0", "tea-0", "tea-1", "tea-1"], [0.93, 0.6, 0.8, 0.7], strict=True
    ):
        say(listing.id, product, confidence, model=model)

    page = visit("annotator", "/annotation/?keyword=tea&product=Tea%200")
    card = [page.locator(f"#listing-{listing.id}") for listing in listings]
    expect(page.locator(".card .tick:checked")).to_have_count(0)
    page.get_by_role("switch", name="Suggestions of the model").click()
    expect(page.get_by_role("switch", name="Suggestions of the model: on")).to_be_visible()
    expect(card[0].get_by_text("suggested by model 7, 93 %")).to_be_visible()
    expect(page.locator(".card .tick:checked")).to_have_count(2)
    assert AnnotatorSettings.objects.get().suggestions

    # Another product: the model's ticks go, the annotator's stays; what it suggests now waits to be asked for.
    card[3].locator(".picture").click()
    product = page.get_by_label("Product of our catalogue")
    product.fill("Tea 1")
    product.dispatch_event("change")
    expect(page.locator(".card .tick:checked")).to_have_count(1)
    page.get_by_role("button", name="Show suggestions").click()
    expect(page.locator(".card .tick:checked")).to_have_count(2)
    expect(card[2].get_by_text("suggested by model 7, 80 %")).to_be_visible()
    expect(card[3].locator(".suggested")).to_have_count(0)
    card[2].locator(".picture").click()  # no: it goes along as suggested all the same

    with page.expect_request("**/annotation/submit/") as sent:
        page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("Saved: 1 label for Tea 1")
    fields = parse_qs(sent.value.post_data)
    assert (fields["listing"], fields["suggested"]) == ([listings[3].id], [listings[2].id])
    assert (fields["suggested_by"], fields["ordered_by_model"]) == (["model 7"], ["true"])
