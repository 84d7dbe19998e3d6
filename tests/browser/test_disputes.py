"""A reviewer decides disputes by keys, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from annotation.models import Dispute, Label
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


def test_disputes_are_decided_by_keyboard_alone(visit, person):
    product, listings = make_product(), [make_listing(f"juice {number}") for number in range(3)]
    for number, listing in enumerate(listings):
        make_submission(product, [listing], by=person("annotator"), matched=[listing], ago=100 - number)
        make_submission(product, [listing], by=person("administrator"), refused=[listing], ago=50 - number)
    page = visit("reviewer", "/admin/annotation/dispute/decide/")
    title, left = page.locator("h2.what"), page.locator("#left")
    expect(left).to_have_text("3 left")

    page.keyboard.press("y")
    expect(title).to_have_text("juice 1")
    page.get_by_label("Note to the annotator").focus()
    page.keyboard.type("my nose says no")  # none of these letters is a key here
    page.keyboard.press("Enter")  # and this decides nothing
    expect(title).to_have_text("juice 1")
    page.keyboard.press("Tab")
    page.keyboard.press("n")
    expect(title).to_have_text("juice 2")
    page.keyboard.press("u")
    expect(title).to_have_text("juice 1")
    page.keyboard.press("n")
    expect(title).to_have_text("juice 2")
    page.keyboard.press("s")
    expect(page.get_by_text("Only disputes that you skipped are left.")).to_be_visible()
    assert dict(Label.objects.values_list("title", "review")) == {
        "juice 0": "approved",
        "juice 1": "rejected",
        "juice 2": "pending",
    }
    assert Dispute.objects.filter(state="pending").count() == 1
