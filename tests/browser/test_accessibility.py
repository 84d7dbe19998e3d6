"""WCAG 2.2 AA as far as a program can tell: axe-core finds nothing on any page, in either language, light or dark."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from annotation.agreement import agreement_compute
from annotation.models import Label, Webhook
from annotation.preferences import preferences_change
from annotation.undo import submission_undo
from crawler.models import Listing
from evaluation.selectors.models import active_model
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission
from tests.annotation.submitted import submit
from tests.annotation.table_files import csv_file, dry_run
from tests.annotation.work_to_do import make_claim, make_task
from tests.browser.conftest import tour_seen
from tests.evaluation.factories import (
    make_cached_page,
    make_catalogue,
    make_judgment,
    make_label,
    make_model,
    make_run,
)
from tests.evaluation.test_suggestions import say
from tests.evaluation.trainings import make_alignment, make_finished_training, make_running_training

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
WITH_CARDS = {"annotation, results", "annotation, suggestions", "annotation, claimed", "annotation, taken back", "run"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CHECK = """async rules => (await axe.run(document, {runOnly: {type: 'tag', values: rules}})).violations.flatMap(
    found => found.nodes.map(node => `${found.id}: ${node.html} (${node.failureSummary})`))"""


@pytest.fixture
def world(person, source) -> dict[str, str]:
    """Something on every page; the addresses of the pages, by name."""
    products = make_catalogue(3)
    run = make_run(person("superuser"), [products[0], products[1], None])
    listings = list(Listing.objects.all())
    make_cached_page("tea", listings)
    for listing, product in zip(listings, products, strict=True):
        make_label(listing, product)
    for number in range(4):
        verdict = ["right", "wrong"][number % 2]
        make_judgment(number, predicted=products[number % 3], verdict=verdict, listing=listings[0])
    Label.objects.update(annotator_id=person("superuser").pk)
    make_model("model 2", active=False)
    superuser, names = person("superuser"), [product.name for product in products]
    submit(superuser, listings, matched=listings[:1], product=names[0], keyword="tea")
    back = submit(superuser, listings, refused=listings[:1], unsure=listings[1:2], product=names[1], keyword="tea")
    submission_undo(submission_id=back.id, annotator=superuser)
    submit(person("annotator"), listings, matched=listings[:1], product=names[2], keyword="tea")
    preferences_change(annotator=person("superuser"), suggestions=True)
    model = active_model()
    for listing in listings:
        say(listing.id, products[0].id, 0.9, model=model)
    make_claim(make_task("tea", overlap=2), person("annotator"), until=timezone.now() + timedelta(hours=1))
    make_task("juice", assignee=person("superuser"), brand_name="Brand 0")
    running, trained = make_running_training(), make_finished_training()
    words = f"/evaluation/models/{model.id}/words/"
    make_alignment(model, listings[0])
    return {
        "annotation, empty": "/annotation/",
        "annotation, claimed": f"/annotation/?keyword=tea&product={names[2]}",
        "annotation, taken back": f"/annotation/submissions/{back.id}/",
        "annotation, results": "/annotation/?keyword=tea&product=Tea+0",
        "own work": "/annotation/mine/",
        "annotation, suggestions": "/annotation/?keyword=tea&product=Tea%200&task=any",
        "my work": "/annotation/work/",
        "predict": "/evaluation/",
        "run": f"/evaluation/runs/{run.id}/",
        "statistics": "/evaluation/statistics/",
        "training": "/evaluation/training/",
        "training, running": f"/evaluation/training/{running.id}/",
        "training, done": f"/evaluation/training/{trained.id}/",
        "trainings compared": f"/evaluation/training/compare/?run={trained.id}&run={running.id}",
        "models": "/evaluation/models/",
        "alignment, choose": words,
        "alignment, drawn": f"{words}{listings[0].id}/?word=1",
        "profile": "/profile/",
    }


@pytest.fixture
def reviewed(person) -> dict[str, str]:
    """Disputes, figures of agreement, an import and a webhook; the addresses of their pages in the admin."""
    product, listings = make_product(), [make_listing(f"juice {number}") for number in range(3)]
    make_submission(product, listings, by=person("annotator"), matched=listings[:2], ago=9)
    make_submission(product, listings, by=person("reviewer"), matched=[listings[0]], refused=[listings[1]])
    agreement_compute()
    table = csv_file(["name", "keywords", "active"], [product.name, "new", ""], ["Tea", "", "x"])
    dry = dry_run(table, kind="products", by=person("superuser"))
    webhook = Webhook.objects.create(name="shop", url="https://a.example/", created_at=timezone.now())
    return {
        "disputes, one by one": "/admin/annotation/dispute/decide/",
        "agreement": "/admin/annotation/submission/agreement/",
        "import, upload": "/admin/annotation/tableimport/add/",
        "import, dry run": f"/admin/annotation/tableimport/{dry.id}/change/",
        "webhook": f"/admin/annotation/webhook/{webhook.id}/change/",
    }


@pytest.fixture
def look(browser: Browser, live_server, sign_in) -> Iterator[Callable[..., Page]]:
    """`look("dark", "en", role="superuser")`: an empty page of a browser in which axe may be injected."""
    contexts = []

    def open_page(scheme: str, language: str, *, role: str = "") -> Page:
        # Our Content-Security-Policy rightly refuses the injected script: it is bypassed in these tests alone.
        context = browser.new_context(base_url=live_server.url, color_scheme=scheme, bypass_csp=True)
        contexts.append(context)
        cookies = {"django_language": language}
        if role:
            client = sign_in(role)
            tour_seen(client)
            cookies |= {name: morsel.value for name, morsel in client.cookies.items()}
        context.add_cookies([{"name": k, "value": v, "url": live_server.url} for k, v in cookies.items()])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def violations(page: Page, path: str = "") -> list[str]:
    """What axe finds wrong with this page, each with its element and how to mend it."""
    if path:
        assert page.goto(path).ok
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE)
    return page.evaluate(CHECK, RULES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_page_violates_the_guidelines(look, world, scheme, language):
    found = {"login": violations(look(scheme, language), "/login/")}
    page = look(scheme, language, role="superuser")
    for name, path in world.items():
        found[name] = violations(page, path)
        assert page.locator("html").get_attribute("lang") == language
        assert name not in WITH_CARDS or page.locator(".card").count()
    page.locator("form[action='/profile/token/'] button").click()
    page.locator("#token").wait_for()
    found["profile, new token"] = violations(page)
    page.goto(world["annotation, claimed"])
    page.locator("[data-opens=skip]").click()
    found["skip"] = violations(page)
    page.keyboard.press("Escape")
    page.locator(".card .mark input").first.check()
    page.locator("#submission button.primary").click()
    page.locator("#messages [name=second_opinion]").click()
    page.locator("#messages form.undo").wait_for()
    found["saved"] = violations(page)
    wrong = [f"{name}: {text}" for name, texts in found.items() for text in texts]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_neither_the_open_picker_nor_the_tour_violates_them(look, world, scheme):
    page = look(scheme, "en", role="superuser")
    page.goto("/annotation/")
    page.get_by_label("Product of our catalogue").press_sequentially("tea")
    page.get_by_role("listbox").get_by_role("option").first.wait_for()
    assert not violations(page)
    page.get_by_label("Product of our catalogue").press("Escape")
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Show the tour again").click()
    assert not violations(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_does_a_page_of_reviewers_and_operators(look, reviewed, scheme):
    page = look(scheme, "en", role="superuser")
    found = {name: violations(page, path) for name, path in reviewed.items()}
    page.get_by_role("button", name="Make a new secret").click()
    page.locator("#secret").wait_for()
    found["webhook, new secret"] = violations(page)
    wrong = [f"{name}: {text}" for name, texts in found.items() for text in texts]
    assert not wrong, "\n".join(wrong)


def test_a_violation_would_be_found(look):
    page = look("light", "en")
    page.goto("/login/")
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<img src=\"/favicon.ico\">')")
    assert any(text.startswith("image-alt") for text in violations(page))
