"""The evaluators' pages in a real browser: polling never wipes ticks, refusals lose nothing, charts are drawn."""

import pytest
from playwright.sync_api import expect

from crawler.models import WorkState
from evaluation.models import Judgment, Prediction, PredictionRun
from tests.evaluation.factories import make_catalogue, make_judgment, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


@pytest.fixture
def products(person):
    return make_catalogue(6)


@pytest.fixture
def half_done(person, products):
    """A run of four of which two still wait."""
    run = make_run(person("evaluator"), [products[0]] * 4)
    PredictionRun.objects.update(state=WorkState.RUNNING)
    Prediction.objects.filter(position__gte=2).update(state=WorkState.PENDING, predicted_at=None)
    return run


def test_polling_brings_cards_and_keeps_what_is_ticked(visit, half_done):
    page = visit("evaluator", f"/evaluation/runs/{half_done.id}/")
    page.locator("#card-0 .verdict .good").click()
    page.locator("#card-1 .verdict .bad").click()
    page.locator("#card-1 [value=other]").check()
    page.locator("#card-1 [name=other-1]").fill("Tea 4")
    Prediction.objects.filter(position=2).update(state=WorkState.DONE)
    page.locator("#card-2 .verdict .good").click()
    Prediction.objects.filter(position=3).update(state=WorkState.DONE)
    page.locator("#card-3 .verdict").wait_for()
    page.get_by_text("4 listings predicted").wait_for()
    assert page.locator("#card-0 [value=right]").is_checked()
    assert page.locator("#card-1 [name=other-1]").input_value() == "Tea 4"
    page.get_by_role("button", name="Submit the judgments").click()
    page.get_by_text("Saved: 3 judgments.").wait_for()
    page.get_by_text("3 of 4 saved").wait_for()
    assert {row.right_product_id for row in Judgment.objects.all()} == {"", "tea-4"}


def test_the_right_product_is_picked_from_the_list(visit, half_done):
    page = visit("evaluator", f"/evaluation/runs/{half_done.id}/")
    for number in (0, 1):  # one list serves the field of every card
        page.locator(f"#card-{number} .verdict .bad").click()
        page.locator(f"#card-{number} [value=other]").check()
        field = page.locator(f"#card-{number} [name=other-{number}]")
        field.press_sequentially(f"{number + 3} TEA")
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
        field.press("Enter")
        expect(field).to_have_value(f"Tea {number + 3}")


def test_a_refusal_is_told_at_the_card_and_mended_there(visit, person, products):
    run = make_run(person("evaluator"), [products[0]] * 3)
    page = visit("evaluator", f"/evaluation/runs/{run.id}/")
    page.locator("#card-0 .verdict .good").click()
    page.locator("#card-2 .verdict .bad").click()
    submit = page.get_by_role("button", name="Submit the judgments")
    submit.click()
    page.locator("#note-2").get_by_text("Which product is it?").wait_for()
    assert page.locator("#card-0 [value=right]").is_checked()
    assert not Judgment.objects.exists()
    page.locator("#card-2 [value=absent]").check()
    assert page.locator("#note-2").inner_text() == ""
    submit.click()
    page.get_by_text("Saved: 2 judgments.").wait_for()
    assert page.locator("#note-2").inner_text() == "✓ saved"


def test_a_run_is_judged_from_the_keyboard(visit, person, products):
    run = make_run(person("evaluator"), [products[0]] * 4)
    page = visit("evaluator", f"/evaluation/runs/{run.id}/")
    press = page.keyboard.press
    press("j")
    expect(page.locator("#card-0")).to_be_focused()
    press("r")
    expect(page.locator("#card-1")).to_be_focused()
    press("w")
    page.keyboard.type("4 tea")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    expect(page.locator("#card-1 [name=other-1]")).to_have_attribute("aria-expanded", "true")
    press("Enter")
    expect(page.locator("#card-1 [name=other-1]")).to_have_value("Tea 4")
    press("Escape")
    expect(page.locator("#card-1")).to_be_focused()
    press("ArrowDown")
    press("3")
    press("ArrowUp")
    press("ArrowUp")
    press("n")
    expect(page.locator("#card-3")).to_be_focused()
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("r")
    press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    press("Control+Enter")
    page.get_by_text("Saved: 3 judgments.").wait_for()
    saved = Judgment.objects.order_by("product_confidence", "id").values_list("verdict", "right_product_id")
    assert sorted(saved) == [("right", ""), ("unsure", ""), ("wrong", "tea-4")]


def test_letters_can_be_switched_off(visit, person, products):
    run = make_run(person("evaluator"), [products[0]] * 2)
    page = visit("evaluator", f"/evaluation/runs/{run.id}/")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Keys of a single letter or sign act").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("r")
    expect(page.locator("#card-0")).to_be_focused()
    assert page.locator(".verdict input:checked").count() == 0


def test_what_is_not_submitted_outlives_a_reload(visit, half_done):
    page = visit("evaluator", f"/evaluation/runs/{half_done.id}/")
    page.locator("#card-0 .verdict .good").click()
    page.locator("#card-1 .verdict .bad").click()
    page.locator("#card-1 [value=other]").check()
    page.locator("#card-1 [name=other-1]").fill("Tea 4")
    page.reload()
    expect(page.locator("#restored")).to_contain_text("2")
    assert page.locator("#card-0 [value=right]").is_checked()
    assert page.locator("#card-1 [value=other]").is_checked()
    assert page.locator("#card-1 [name=other-1]").input_value() == "Tea 4"
    page.get_by_role("button", name="Submit the judgments").click()
    page.get_by_text("Saved: 2 judgments.").wait_for()
    expect(page.locator("#restored")).to_be_hidden()
    page.reload()
    expect(page.locator("#card-0 .note")).to_contain_text("saved")
    expect(page.locator("#restored")).to_be_hidden()


def test_a_draft_can_be_discarded(visit, half_done):
    page = visit("evaluator", f"/evaluation/runs/{half_done.id}/")
    page.locator("#card-0 .verdict .good").click()
    page.reload()
    page.get_by_role("button", name="Discard").click()
    for _again in range(2):
        assert page.locator("#judging .verdict input:checked").count() == 0
        expect(page.locator("#restored")).to_be_hidden()
        page.reload()


def test_it_works_without_a_script(visit, person, products):
    run = make_run(person("evaluator"), [products[0]] * 2)
    page = visit("evaluator", f"/evaluation/runs/{run.id}/", java_script_enabled=False)
    correction = page.locator("#card-0 .correction")
    assert not correction.is_visible()
    page.locator("#card-0 .verdict .bad").click()
    assert correction.is_visible()
    submit = page.get_by_role("button", name="Submit the judgments")
    submit.click()
    page.get_by_text("Which product is it?").wait_for()
    assert page.locator("#card-0 [value=wrong]").is_checked()
    page.locator("#card-0 .correction [value='product:tea-1']").check()
    submit.click()
    page.get_by_text("Saved: 1 judgment.").wait_for()
    assert Judgment.objects.get().right_product_id == "tea-1"


def test_signed_out_while_polling_keeps_the_page(visit, half_done):
    page = visit("evaluator", f"/evaluation/runs/{half_done.id}/")
    page.locator("#card-0 .verdict .good").click()
    page.context.clear_cookies()
    page.get_by_text("You have been signed out").wait_for()
    assert page.locator("#card-0 [value=right]").is_checked()
    assert page.locator("#status").is_visible()


def test_the_charts_are_drawn(visit, products):
    for number in range(8):
        make_judgment(number, predicted=products[number % 3], verdict=["right", "wrong"][number % 2])
    page = visit("evaluator", "/evaluation/statistics/")
    drawn = "() => [...document.querySelectorAll('canvas')].filter(one => Chart.getChart(one)).length"
    assert page.evaluate(drawn) == 2
    page.locator("#curves").scroll_into_view_if_needed()  # comes when it is looked at
    page.get_by_text("Expected calibration error").wait_for()
    page.wait_for_function(f"({drawn})() === 4")
    page.get_by_role("link", name="least sure first").click()
    expect(page.locator("#judgments").get_by_role("link", name="least sure first")).to_have_attribute(
        "aria-current", "true"
    )
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"({drawn})() === 4")
