"""A real Chromium for the browser tests. Where none can be had they skip, and one loud line at the end says so."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from annotation.models import AnnotatorSettings
from crawler.models import Listing
from crawler.services import crawl_run, search

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
_missing: list[str] = []
expect.set_options(timeout=20_000)  # a worker or a page may be slow on a busy machine


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missing:
        terminalreporter.write_sep("!", f"BROWSER TESTS SKIPPED: no Chromium here ({_missing[0]})", red=True, bold=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        except PlaywrightError as error:
            _missing.append(str(error).strip().splitlines()[0])
            pytest.skip("no Chromium can be started here")
        yield browser
        browser.close()


def tour_seen(client: Client) -> None:
    """Have the annotators' page spare this person the tour that it gives on the first visit."""
    key = client.session["_auth_user_id"]
    AnnotatorSettings.objects.update_or_create(id=key, defaults={"tour_seen_at": timezone.now()})


@pytest.fixture
def visit(browser: Browser, live_server, sign_in: Callable[[str], Client]) -> Iterator[Callable[..., Page]]:
    """`visit("annotator", "/annotation/")`: a page of a browser in which that person is signed in and knows the tour.

    Every page must stay free of script errors and of things that the Content-Security-Policy blocks.
    """
    contexts: dict[str, BrowserContext] = {}
    complaints: list[str] = []

    def go(role: str, path: str, *, tour: bool = False, **options) -> Page:
        if role not in contexts:
            contexts[role] = browser.new_context(base_url=live_server.url, **options)
            client = sign_in(role)
            if not tour:
                tour_seen(client)
            cookies = client.cookies
            contexts[role].add_cookies(
                [{"name": name, "value": cookies[name].value, "url": live_server.url} for name in cookies]
            )
        page = contexts[role].new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None
        )
        page.goto(path)
        return page

    yield go
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for role, context in contexts.items():
            for number, page in enumerate(context.pages):
                page.screenshot(path=Path(folder) / f"{role}-{number}.png", full_page=True)
    for context in contexts.values():
        context.close()
    assert not complaints


@pytest.fixture
def crawled_page():
    """`crawled_page("honey", page=2)`: the listings of a page of a search that a worker did."""

    def do(keyword: str, *, page: int = 1) -> list[Listing]:
        crawl = search(keyword=keyword, page=page).crawl
        assert crawl is not None
        crawl_run(crawl_id=crawl.id)
        return search(keyword=keyword, page=page).listings

    return do
