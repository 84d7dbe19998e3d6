"""Is the crawler polite, and quick from the cache? `python -m benchmarks.crawl`, on servers of its own.

A shop of its own answers every search after 200 ms with 20 goods without pictures (decoding pictures is the processor's
work, which threads do not speed up). Everything runs through the real parts: MongoDB, Redis, a Celery worker with
threads, gunicorn with two processes.

- `single_flight_upstream_requests`: how often the shop is asked when 200 clients search the same at once.
- `speedup_16_threads`: the time of 300 different pages with one worker thread, over that with 16; from the first start
  to the last end as the crawls tell, so without the worker's own start.
- `peak_rate_over_limit`: the most requests that reached the shop within any second, over the source's rate.
- `cached_search_vs_empty_view`: the time of a cached search over that of an empty view of the same site that only looks
  who asks; one client, one connection each, alternating, medians.
- `look_alike_*`: of pairs of the demo shop's photos, the share that counts as look-alikes: the same photo scaled and
  saved again, and different photos of the same product.
"""

import http.client
import io
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.harness import parser, progress, report
from benchmarks.site import Site, get
from mmproject.environment import BASE_DIR
from mmproject.stack.server import die_with_parent, free_port

RATE_PER_S = 60
THREADS = 16
CLIENTS = 200
SOURCE = "upstream"


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory(prefix="mmproject-benchmark-") as scratch, ExitStack() as stack:
        site = Shop(Path(scratch), stack)
        figures = _look_alikes(pairs=40 if options.quick else 400)
        figures |= _single_flight(site)
        figures |= _speedup(site, pages=48 if options.quick else 300)
        figures |= _cached(site, rounds=100 if options.quick else 1000)
    report("crawl", figures)


class Shop:
    """The site, and the shop that it asks."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.port = free_port()
        address = f"127.0.0.1:{self.port}"
        self.site = Site(folder, stack, settings="benchmarks.site_settings", CRAWLER_PRIVATE_HOSTS=address)
        from crawler.management.commands.demo_source import demo_source
        from crawler.models import Source

        source: Source = demo_source(base_url=f"http://{address}")
        source.id, source.rate, source.robots = SOURCE, f"{RATE_PER_S}/second", False
        source.save()
        self.cookie = self.site.user("benchmark")
        shop = [sys.executable, "-m", "benchmarks.crawl_upstream", "--port", str(self.port)]
        self.site.start("shop", shop, port=self.port)
        self.site.serve(workers=2)

    def arrivals(self) -> list[float]:
        """When the shop was asked since the last call, in seconds of its clock."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_log", timeout=30) as answer:
            return sorted(json.load(answer))

    def get(self, connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
        return get(connection, path, cookie=self.cookie)


@contextmanager
def worker(threads: int) -> Iterator[None]:
    """A Celery worker for the crawl queue."""
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "mmproject", "worker", "--queues", "crawl"]
    command += ["--pool", "threads", "--concurrency", str(threads), "--loglevel", "WARNING"]
    command += ["--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        command, cwd=BASE_DIR, stdout=sys.stderr, start_new_session=True, preexec_fn=die_with_parent
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _single_flight(site: Shop) -> dict[str, float]:
    site.arrivals()
    answers: list[int] = []
    gate = threading.Barrier(CLIENTS)

    def ask() -> None:
        connection = site.site.connection()
        gate.wait()
        status, body = site.get(connection, "/api/goodslist?keyword=everybody&wait=20")
        answers.append(len(json.loads(body)["listings"]) if status == 200 else -status)

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    with worker(THREADS):
        for client in clients:
            client.join()
    upstream = len(site.arrivals())
    progress(f"{CLIENTS} equal searches at once: {upstream} upstream, answers {sorted(set(answers))}")
    if answers != [20] * CLIENTS:
        raise SystemExit(f"not everybody got the 20 goods: {sorted(answers)}")
    return {"single_flight_upstream_requests": upstream}


def _speedup(site: Shop, *, pages: int) -> dict[str, float]:
    one = _crawled(site, pages=pages, threads=1)
    many = _crawled(site, pages=pages, threads=THREADS)
    return {
        "speedup_16_threads": round(one.seconds / many.seconds, 2),
        "peak_rate_over_limit": round(max(one.peak, many.peak) / RATE_PER_S, 3),
        "pages_per_s_16_threads": round(pages / many.seconds, 1),
    }


class Crawled:
    def __init__(self, seconds: float, peak: int) -> None:
        self.seconds, self.peak = seconds, peak


def _crawled(site: Shop, *, pages: int, threads: int) -> Crawled:
    """Queue so many different pages, then start a worker and wait for all."""
    from crawler.models import Crawl
    from crawler.services import search

    site.arrivals()
    ids = []
    for page in range(1, pages + 1):
        crawl = search(keyword=f"by {threads}", page=page, source=SOURCE).crawl
        assert crawl is not None
        ids.append(crawl.id)
    with worker(threads):
        while left := Crawl.objects.filter(state__in=["pending", "running"]).count():
            progress(f"{threads} threads: {pages - left} of {pages} pages")
            time.sleep(2)
    crawls = list(Crawl.objects.filter(id__in=ids))
    assert all(crawl.state == "done" for crawl in crawls), {crawl.error for crawl in crawls}
    seconds = (max(c.finished_at for c in crawls) - min(c.started_at for c in crawls)).total_seconds()
    arrivals = site.arrivals()
    assert len(arrivals) == pages, f"{len(arrivals)} requests for {pages} pages"
    peak = most_within_a_second(arrivals)
    progress(f"{threads} threads: {pages} pages in {seconds:.1f} s, at most {peak} in a second")
    return Crawled(seconds, peak)


def most_within_a_second(times: Sequence[float]) -> int:
    """The largest number of `times` (sorted) that lie within any half-open second."""
    most = first = 0
    for last, moment in enumerate(times):
        while moment - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def _cached(site: Shop, *, rounds: int) -> dict[str, float]:
    """The page of `_single_flight`, from the cache."""
    ours, empty = site.site.connection(), site.site.connection()
    seconds: dict[str, list[float]] = {"/api/goodslist?keyword=everybody": [], "/empty": []}
    for number in range(rounds + 50):
        for connection, path in ((ours, "/api/goodslist?keyword=everybody"), (empty, "/empty")):
            start = time.perf_counter()
            status, body = site.get(connection, path)
            took = time.perf_counter() - start
            assert status == 200, (path, status, body[:200])
            if number >= 50:  # warm by now
                seconds[path].append(took)
    search_ms, empty_ms = (1000 * statistics.median(times) for times in seconds.values())
    progress(f"a cached search {search_ms:.2f} ms, an empty view {empty_ms:.2f} ms")
    return {
        "cached_search_vs_empty_view": round(search_ms / empty_ms, 2),
        "cached_search_ms": round(search_ms, 2),
        "empty_view_ms": round(empty_ms, 2),
    }


def _look_alikes(*, pairs: int) -> dict[str, float]:
    from PIL import Image

    from crawler.demo_shop.catalog import load_catalog
    from crawler.look_alikes import look_alikes, perceptual_hash

    chosen = random.Random(1)
    goods = load_catalog(None).goods
    copies = others = 0
    by_product = itertools.groupby(sorted(goods, key=lambda good: good.product_id), key=lambda good: good.product_id)
    groups = [list(group) for _product, group in by_product]
    for _ in range(pairs):
        one, other = chosen.sample(chosen.choice(groups), 2)
        photo = Image.open(io.BytesIO(one.picture())).convert("RGB")
        buffer = io.BytesIO()
        photo.resize((300, 300)).save(buffer, "JPEG", quality=60)
        hashes = [perceptual_hash(image) for image in (photo, Image.open(buffer))]
        copies += look_alikes(hashes)[0] is not None
        second = perceptual_hash(Image.open(io.BytesIO(other.picture())).convert("RGB"))
        others += look_alikes([hashes[0], second])[0] is not None
    progress(f"of {pairs} copies {copies} look alike, of as many other photos of the same product {others}")
    return {
        "look_alike_copies": round(copies / pairs, 3),
        "look_alike_other_photos": round(others / pairs, 3),
    }


if __name__ == "__main__":
    main()
