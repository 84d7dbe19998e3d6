"""Is the statistics tab quick with a million judgments? `python -m benchmarks.statistics`

1,000,000 judgments of a year by 25 evaluators, on 12 model versions, 5,000 products of 400 brands, 2,000 shops and 6
sources, one of 20 judged by a second evaluator; gunicorn as in the Procfile, one process. The clients, the web server,
MongoDB and Redis share the machine's cores. Two clients ask one after the other without pausing, every time for
something else: no filter, one of each kind, several at once, every breakdown.

- `tab_p95_ms`: the whole tab: figures, charts, breakdown, first page of the table.
- `table_p95_ms`: a page of the table, of all depths, orders and filters.
- `curves_p95_ms`, `pairs_p95_ms`: what the tab loads after itself: calibration and threshold; agreement and McNemar.
- `tab_after_judgment_p50_ms`: the tab right after somebody judged, one client: the day is counted first.
- `web_rss_mb`, `web_rss_growth_mb`: the web server's memory after all of it, and how much more than after its first
  answers (each question once).
- `count_all_s`: counting every judgment anew, as every night. `facet_s`: the same figures as one MongoDB aggregation
  over all judgments, as the tab was before.

Leaves out: the network, the browser, and people judging while others look.
"""

import http.client
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.annotate import _rss_mb
from benchmarks.harness import parser, progress, report
from benchmarks.site import Site

CLIENTS = 2
MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}  # as in the Procfile
DAYS, MODELS, PRODUCTS, BRANDS, SHOPS, SOURCES, EVALUATORS = 365, 12, 5_000, 400, 2_000, 6, 25
BATCH = 5_000
Path_ = Callable[[random.Random], str]


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    count, requests = (20_000, 40) if options.quick else (1_000_000, 400)
    with tempfile.TemporaryDirectory(prefix="mmproject-benchmark-") as scratch, ExitStack() as stack:
        site = Site(Path(scratch), stack, settings="benchmarks.site_settings", **MEMORY)
        cookies = [site.user(f"person-{number}", "administrator") for number in range(CLIENTS)]
        _judge(count)
        figures: dict[str, float] = {"judgments": count, "count_all_s": _count_all(), "facet_s": _facet()}
        web = site.serve(workers=1)
        questions = _questions(count)
        chance = random.Random(0)
        for path in questions.values():
            for _round in range(3):
                _timed(site.connection(), path(chance), cookies[0])
        before = _rss_mb(web.process.pid)
        for name, path in questions.items():
            figures[f"{name}_p95_ms"] = _p95(site, name, path, cookies=cookies, requests=requests)
        figures["tab_after_judgment_p50_ms"] = _after_judgment(site, cookies[0], count=count)
        figures["web_rss_mb"] = round(_rss_mb(web.process.pid), 1)
        figures["web_rss_growth_mb"] = round(_rss_mb(web.process.pid) - before, 1)
    report("statistics", figures)


def _judge(count: int) -> None:
    from evaluation.models import Judgment

    chance = random.Random(1)
    for first in range(0, count, BATCH):
        Judgment.objects.bulk_create([_judgment(number, count, chance) for number in range(first, first + BATCH)])
        if first % 100_000 == 0:
            progress(f"{first:,} judgments")


def _judgment(number: int, count: int, chance: random.Random):
    from django.utils import timezone

    from evaluation.models import Judgment, Verdict

    second = number % 20 == 19  # the prediction before, by somebody else
    pair = number - second
    subject = random.Random(pair)
    product = min(int(subject.paretovariate(0.6)), PRODUCTS) - 1
    confidence = 1 - subject.random() ** 3
    roll = chance.random()
    verdict = Verdict.UNSURE if roll > 0.97 else Verdict.RIGHT if roll < confidence else Verdict.WRONG
    right = chance.randrange(PRODUCTS) if verdict == Verdict.WRONG and chance.random() < 0.8 else None
    model, shop, evaluator = pair // 7 % MODELS, int(subject.random() ** 2 * SHOPS), (number * 7 + second) % EVALUATORS
    moment = timezone.now() - timedelta(days=DAYS) * ((count - number) / count)
    return Judgment(
        id=Judgment.make_id(prediction_id=f"prediction-{pair}", evaluator_id=evaluator),
        prediction_id=f"prediction-{pair}", run_id=f"run-{pair // 60}", model_id=f"model-{model}",
        model_name=f"grocery #{model}", listing_id=f"listing-{pair // 14}", keyword=f"keyword {pair // 60 % 3000}",
        trained_on=pair % 25 == 0, source=f"source-{shop % SOURCES}", title=f"Product {product} 1 L, 12 bottles, fresh",
        url=f"https://shop.example/item/{pair}", price=12.5, currency="CNY", shop_name=f"Shop {shop}",
        image_sha256=f"{pair:064x}", predicted_brand_id=f"brand-{product % BRANDS}",
        predicted_brand_name=f"Brand {product % BRANDS}", predicted_product_id=f"product-{product}",
        predicted_product_name=f"Product {product}", product_confidence=confidence, rejected=confidence < 0.1,
        verdict=verdict, right_product_id="" if right is None else f"product-{right}",
        right_product_name="" if right is None else f"Product {right}",
        right_brand_id="" if right is None else f"brand-{right % BRANDS}",
        right_brand_name="" if right is None else f"Brand {right % BRANDS}", evaluator_id=evaluator,
        evaluator_name=f"evaluator-{evaluator}", judged_at=moment,
    )  # fmt: skip


def _count_all() -> float:
    from evaluation.services import days_count, days_find

    began = time.perf_counter()
    days_find()
    days_count()
    return round(time.perf_counter() - began, 1)


def _facet() -> float:
    """Right, wrong and unsure by model, product and day, in one aggregation."""
    from evaluation.models import Judgment
    from mmproject.mongo.collections import collection

    counts = {name: {"$sum": {"$cond": [{"$eq": ["$verdict", name]}, 1, 0]}} for name in ("right", "wrong", "unsure")}
    day = {"$dateToString": {"format": "%Y-%m-%d", "date": "$judged_at"}}
    keys = {"total": None, "model": "$model_id", "product": "$predicted_product_id", "day": day}
    began = time.perf_counter()
    list(
        collection(Judgment).aggregate(
            [{"$facet": {name: [{"$group": {"_id": key, **counts}}] for name, key in keys.items()}}]
        )
    )
    return round(time.perf_counter() - began, 2)


def _filters(chance: random.Random) -> dict[str, object]:
    one = {
        "model": lambda: f"model-{chance.randrange(MODELS)}",
        "product": lambda: f"product-{min(int(chance.paretovariate(0.6)), PRODUCTS) - 1}",
        "brand": lambda: f"Brand {chance.randrange(BRANDS)}",
        "shop": lambda: f"Shop {chance.randrange(SHOPS)}",
        "source": lambda: f"source-{chance.randrange(SOURCES)}",
        "evaluator": lambda: chance.randrange(EVALUATORS),
        "confidence": lambda: chance.choice(["0-50", "50-60", "90-95", "99-100"]),
        "verdict": lambda: chance.choice(["right", "wrong", "unsure"]),
    }
    return {name: one[name]() for name in chance.sample(sorted(one), chance.choice([0, 0, 1, 1, 1, 2, 3]))}


def _questions(count: int) -> dict[str, Path_]:
    breakdowns = ["model", "product", "brand", "shop", "source", "evaluator", "confidence", "day"]
    orders = ["newest", "newest", "oldest", "sure", "unsure"]

    def tab(chance: random.Random) -> str:
        return f"/evaluation/statistics/?{urlencode({**_filters(chance), 'by': chance.choice(breakdowns)})}"

    def table(chance: random.Random) -> str:
        page = {"page": chance.randrange(1, count // 50), "order": chance.choice(orders)}
        return f"/evaluation/statistics/judgments/?{urlencode({**_filters(chance), **page})}"

    def curves(chance: random.Random) -> str:
        return f"/evaluation/statistics/curves/?{urlencode(_filters(chance))}"

    def pairs(chance: random.Random) -> str:
        first, second = chance.sample(range(MODELS), 2)
        versions = {"model": f"model-{first}", "other": f"model-{second}"}
        return f"/evaluation/statistics/pairs/?{urlencode({**_filters(chance), **versions})}"

    return {"tab": tab, "table": table, "curves": curves, "pairs": pairs}


def _timed(connection: http.client.HTTPConnection, path: str, cookie: str) -> float:
    headers = {"Cookie": cookie, "Accept-Encoding": "identity"}
    if "/judgments/" in path:
        headers |= {"HX-Request": "true", "HX-Target": "judgments"}
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {text[:400]!r}")
    return time.perf_counter() - began


def _p95(site: Site, name: str, path: Path_, *, cookies: list[str], requests: int) -> float:
    times: list[float] = []
    failed: list[BaseException] = []

    def client(number: int, cookie: str) -> None:
        chance = random.Random(f"{name} {number}")
        connection = site.connection()
        try:
            times.extend(_timed(connection, path(chance), cookie) for _request in range(requests // len(cookies)))
        except BaseException as error:  # told by the main thread
            failed.append(error)

    clients = [threading.Thread(target=client, args=pair) for pair in enumerate(cookies)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    if failed:
        raise failed[0]
    p95 = 1000 * statistics.quantiles(times, n=20)[-1]
    progress(f"{name}: {len(times)} requests, median {1000 * statistics.median(times):.0f} ms, p95 {p95:.0f} ms")
    return round(p95, 1)


def _after_judgment(site: Site, cookie: str, *, count: int) -> float:
    from evaluation.models import Judgment

    connection, times = site.connection(), []
    chance = random.Random(2)
    for number in range(10):
        row = _judgment(count + 20 * number, count, chance)
        row.judged_at -= timedelta(hours=2)
        Judgment.objects.bulk_create([row])
        times.append(_timed(connection, "/evaluation/statistics/", cookie))
    return round(1000 * statistics.median(times), 1)


if __name__ == "__main__":
    main()
