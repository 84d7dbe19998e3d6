"""How long does a person at the keyboard wait for us? `python -m benchmarks.annotate_keys`

A real Chromium labels 60 listings by keyboard alone on a whole site: the demo shop, a crawl worker, gunicorn. It
searches, chooses the product, walks over all sixty cards, ticks those that show the product, and submits. The script
knows which these are from the demo shop, and reads nothing: what is measured is the system's time alone, from the press
of each key until the page has answered it on the screen, or shows what was waited for.

- `system_s_per_listing`: all of that time, over the listings; the crawl of the three pages is in it.
- `system_s_per_listing_cached`: the same once more for a second product, with the search in the cache.
- `keys_per_listing`: how many keys it took.
- `ticked`, `labels`: the listings that were ticked, and the labels that are in MongoDB afterwards.

`--screenshots FOLDER` keeps a picture of each step. Chromium must be installed (`make browser`).
"""

import itertools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.crawl import worker
from benchmarks.harness import parser, progress, report
from benchmarks.site import Site
from mmproject.stack.server import free_port

LISTINGS = 60
KEYWORD = "juice"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--screenshots", type=Path, metavar="FOLDER", help="keep a picture of each step here")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="mmproject-benchmark-") as scratch, ExitStack() as stack:
        port = free_port()
        address = f"127.0.0.1:{port}"
        site = Site(
            Path(scratch), stack, settings="benchmarks.site_settings", CRAWLER_PRIVATE_HOSTS=address, DEMO_DATA=""
        )
        site.start("shop", [sys.executable, "-m", "crawler.demo_shop", "--port", str(port)], port=port, path="/")
        products, shows = _catalogue(f"http://{address}")
        cookie = site.user("annotator", "annotator")
        _knows_the_page("annotator")
        site.serve(workers=1)
        stack.enter_context(worker(16))
        with _Browser(f"http://127.0.0.1:{site.web_port}", cookie) as page:
            typist = Typist(page, options.screenshots)
            page.goto("/annotation/")
            page.wait_for_selector("#keyword")
            first = _label(typist, product=products[0], shows=shows)
            second = _label(typist, product=products[1], shows=shows)
        figures = {
            "system_s_per_listing": round(first.seconds / LISTINGS, 4),
            "system_s_per_listing_cached": round(second.seconds / LISTINGS, 4),
            "keys_per_listing": round((first.keys + second.keys) / (2 * LISTINGS), 2),
            "listings": 2 * LISTINGS,
            "ticked": first.ticked + second.ticked,
            "labels": _labels(),
        }
    report("annotate_keys", figures)


@dataclass
class Total:
    """What it took to label one search."""

    seconds: float = 0.0
    keys: int = 0
    ticked: int = 0


class Typist:
    """Presses keys, and counts them and the time until the page has answered."""

    def __init__(self, page: Page, screenshots: Path | None) -> None:
        self.page, self._folder = page, screenshots
        self._numbers = itertools.count(1)
        if screenshots:
            screenshots.mkdir(parents=True, exist_ok=True)
        self.total = Total()

    def press(self, *keys: str, until: Callable[[], Any] | None = None) -> None:
        """Press keys one after the other; after the last one wait for what `until` waits for."""
        for place, key in enumerate(keys):
            began = time.perf_counter()
            self.page.keyboard.press(key)
            self.page.evaluate(PAINTED)
            if until and place == len(keys) - 1:
                until()
            self.total.seconds += time.perf_counter() - began
            self.total.keys += 1

    def type(self, text: str) -> None:
        self.press(*text)

    def shoot(self, name: str) -> None:
        if self._folder:
            self.page.screenshot(path=self._folder / f"{next(self._numbers):02d}-{name}.png")


class _Browser:
    """A page of Chromium in which somebody is signed in."""

    def __init__(self, address: str, cookie: str) -> None:
        self._address, self._cookie = address, cookie

    def __enter__(self) -> Page:
        self._playwright = sync_playwright().start()
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        self._browser = self._playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = self._browser.new_context(base_url=self._address, viewport={"width": 1400, "height": 900})
        name, _, value = self._cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": self._address}])
        return context.new_page()

    def __exit__(self, *error: object) -> None:
        self._browser.close()
        self._playwright.stop()


def _catalogue(address: str) -> tuple[list[str], dict[str, str]]:
    """Every product of the demo shop becomes ours. Returns two that the search shows, and which listing shows what."""
    from annotation.models import Brand, Product
    from crawler.demo_shop.catalog import load_catalog
    from crawler.management.commands.demo_source import demo_source
    from crawler.models import Listing

    demo_source(base_url=address).save()
    shop = load_catalog(None)
    for brand in shop.brands:
        Brand(id=brand.id, name=brand.name).save()
    names = {}
    for product in shop.products:
        Product(id=product.id, name=product.name, brand_id=product.brand_id, keywords=product.keywords).save()
        names[product.id] = product.name
    shows = {Listing.make_id(source="demo-shop", item_id=good.item_id): names[good.product_id] for good in shop.goods}
    return [name for name in names.values() if KEYWORD in name.lower()][:2], shows


def _knows_the_page(username: str) -> None:
    """Nobody who works here for hours sees the tour of the first visit."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from annotation.preferences import preferences_change

    preferences_change(annotator=User.objects.get(username=username), tour_seen_at=timezone.now())


def _label(typist: Typist, *, product: str, shows: dict[str, str]) -> Total:
    """Label the first sixty listings of the search with one product."""
    typist.total = total = Total()
    page = typist.page
    ticks = lambda count: page.locator(".card .tick").nth(count - 1).wait_for(state="attached", timeout=120_000)  # noqa: E731
    chosen = page.locator("#product[aria-expanded=false]")
    page.evaluate("document.activeElement.blur()")
    typist.press("/")
    typist.type(KEYWORD)
    typist.press("Enter", until=lambda: ticks(20))  # leads to the first card
    typist.shoot("found")
    for shown in (40, 60):
        typist.press("m", until=lambda shown=shown: ticks(shown))
    typist.press("p")
    typist.type(product[:-1])
    typist.press(product[-1], until=lambda: page.locator("#product-options [role=option]").first.wait_for())
    typist.shoot("product")
    typist.press("Enter", until=lambda: chosen.wait_for())
    typist.press("Escape")  # back to the pictures
    for place in range(LISTINGS):
        if place:
            typist.press("l")
        if shows.get(page.evaluate("document.activeElement.value")) == product:
            typist.press("Space")
            total.ticked += 1
        if place % 20 == 19:
            typist.shoot(f"ticked-{place + 1}")
    saved = page.locator("#messages .success", has_text=product)
    typist.press("s", until=lambda: saved.wait_for())
    typist.shoot("saved")
    progress(f"{product}: {total.ticked} of {LISTINGS} ticked, {total.keys} keys, {total.seconds:.1f} s of the system")
    return total


def _labels() -> int:
    from annotation.models import Label

    return Label.objects.count()


if __name__ == "__main__":
    main()
