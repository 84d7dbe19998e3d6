"""A reviewer's keys, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from annotation.models import Label
from tests.annotation.labelled import make_labels

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


def test_five_labels_are_reviewed_by_keyboard_alone(visit, person):
    labels = make_labels([f"juice {n}" for n in range(6)], annotator=person("annotator"))
    page = visit("reviewer", "/admin/annotation/label/review/")
    title, left = page.locator("h2.what"), page.locator("#left")
    expect(left).to_have_text("6 left")

    page.keyboard.press("a")
    expect(title).to_have_text(labels[1].title)
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text(labels[2].title)
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    page.keyboard.type("a 2 L bottle")  # none of these letters is a key here
    page.keyboard.press("Enter")
    expect(title).to_have_text(labels[3].title)
    page.keyboard.press("r")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(title).to_have_text(labels[4].title)
    page.keyboard.press("u")
    expect(title).to_have_text(labels[3].title)
    page.keyboard.press("a")
    expect(title).to_have_text(labels[4].title)
    page.keyboard.press("n")
    expect(title).to_have_text(labels[5].title)
    page.keyboard.press("?")
    expect(page.get_by_text("skip: leave it to others")).to_be_visible()
    page.keyboard.press("a")
    expect(title).to_have_text(labels[4].title)
    expect(left).to_have_text("1 left")

    now = [Label.objects.get(id=label.id) for label in labels]
    assert [label.review for label in now] == ["approved", "approved", "rejected", "approved", "pending", "approved"]
    assert (now[2].reject_reason, now[2].review_note) == ("variant", "a 2 L bottle")
