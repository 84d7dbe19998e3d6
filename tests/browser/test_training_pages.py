"""The trainings' pages in a real browser: curves are drawn, live, with the values at the pointer; forms by keyboard."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crawler.models import Listing, WorkState
from evaluation.models import ModelVersion, TrainingJournal, TrainingRun
from tests.evaluation.factories import make_catalogue, make_run
from tests.evaluation.trainings import make_alignment, make_labels, make_told, make_training

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

POINTS = (
    "id => Chart.getChart(document.querySelector(`[data-chart=${id}] canvas`)).data.datasets.map(d => d.data.length)"
)


def hovered(page: Page, chart: str) -> str:
    """What the tooltip says where the pointer now is."""
    return page.evaluate(
        """id => { const t = Chart.getChart(document.querySelector(`[data-chart=${id}] canvas`)).tooltip;
        return [...t.title, ...t.body.flatMap(part => part.lines)].join("\\n"); }""",
        chart,
    )


def test_a_training_is_watched_to_its_end(visit, person):
    later = timezone.now() + timedelta(minutes=5)
    progress = {"stage": "training", "step": 2, "total_steps": 9, "losses": {"total": 2.0}, "val": {}}
    run = make_training(state=WorkState.RUNNING, leased_until=later, progress=progress)
    journal = TrainingJournal.objects.create(id=run.id, curves={"losses": {"total": [[1, 3.0], [2, 2.0]]}})
    page = visit("operator", f"/evaluation/training/{run.id}/")
    expect(page.locator("[data-chart=losses]")).to_be_visible()
    expect(page.locator("[data-chart=accuracy]")).to_be_hidden()
    assert page.evaluate(POINTS, "losses") == [2]
    page.get_by_text("As a table").first.click()
    journal.curves = {"losses": {"total": [[1, 3.0], [2, 2.0], [3, 1.5]]}, "val": {"product": [[3, 0.5]]}}
    journal.log = ["record 17 is left out"]
    journal.save()
    expect(page.locator("[data-chart=accuracy]")).to_be_visible()
    assert page.evaluate(POINTS, "losses") == [3]
    expect(page.locator("#table-losses")).to_contain_text("1.5000")
    expect(page.locator("#log")).to_contain_text("record 17 is left out")
    TrainingRun.objects.update(state=WorkState.FAILED, error="no space left", finished_at=timezone.now())
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_text("no space left")).to_be_visible()


def test_the_pointer_shows_the_values_of_every_line(visit, person):
    run = make_told(1, {"product": [[1, 3.0], [50, 1.0], [100, 0.5]], "brand": [[1, 2.0], [49, 0.75], [100, 0.25]]})
    page = visit("operator", f"/evaluation/training/compare/?run={run.id}")
    canvas = page.locator("[data-chart=losses] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.53, box["y"] + box["height"] / 2)
    page.wait_for_function(f"({POINTS})('losses').length === 2")
    assert "1 · product: 1.000 (50)" in hovered(page, "losses")
    assert "1 · brand: 0.7500 (49)" in hovered(page, "losses")


def test_trainings_are_ticked_and_compared(visit, person):
    runs = [make_told(number, {"product": [[1, 3.0], [9, 1.0]]}) for number in (1, 2, 3)]
    page = visit("operator", "/evaluation/training/")
    for number in (1, 3):
        page.get_by_role("checkbox", name=f"Compare training {number}").check()
    page.get_by_role("button", name="Compare the ticked ones").click()
    page.wait_for_url("**/compare/?**")
    labels = (
        "() => Chart.getChart(document.querySelector('[data-chart=losses] canvas')).data.datasets.map(d => d.label)"
    )
    assert page.evaluate(labels) == ["1 · product", "3 · product"]
    assert len({run.id for run in runs}) == 3


def test_a_refused_training_is_mended_and_started_by_keyboard_alone(visit, person):
    make_labels(12)
    page = visit("operator", "/evaluation/training/")
    field = page.get_by_label("Parameters that differ")
    field.focus()
    page.keyboard.type("epochs=many")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#error-changes")).to_contain_text("epochs='many'")
    expect(field).to_have_value("epochs=many")
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("epochs=2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/training/*-*/")
    assert TrainingRun.objects.get().changes == "epochs=2"


def test_a_word_of_a_title_is_chosen_by_keyboard(visit, person):
    make_run(person("evaluator"), make_catalogue(2))
    model, listing = ModelVersion.objects.get(), Listing.objects.first()
    made = make_alignment(model, listing)
    page = visit("operator", f"/evaluation/models/{model.id}/words/")
    page.get_by_role("button", name=listing.title).press("Enter")
    page.wait_for_url(f"**/words/{listing.id}/")
    word, sha = made.words[1]
    page.get_by_role("link", name=word, exact=True).press("Enter")
    expect(page.locator(f"img[src*='{sha}']")).to_be_visible()
    assert page.locator("[aria-current=true]").inner_text() == word
