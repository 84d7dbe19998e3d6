"""Are the annotators' pages quick, with a big catalogue and twenty people? `python -m benchmarks.annotate`

100,000 listings in cached searches of 60, 20,000 products, 200,000 labels; gunicorn as in the Procfile, one process.
All runs on one machine: the clients, the web server, MongoDB and Redis share its cores.

Twenty clients, each a person of his own with a connection of his own, ask at random times, each every two seconds on
average: ten times as often as an annotator at the keyboard does. What is asked is different every time. The p95 is over
all requests of all clients. `*_saturated_p95_ms` is the same with clients that never pause: what queueing makes of it.

- `search_page_p95_ms`: the annotators' page with 60 listings from the cache and a product chosen.
- `label_list_p95_ms`: the admin's list of labels, unfiltered and filtered, its first pages and later ones.
- `label_search_p95_ms`: a search in that list, for a word that many labels have, or few, or none.
- `picker_p95_ms`: the product picker, a different thing typed every time.
- `submit_p95_ms`: a submit of 60 shown listings, 20 of them ticked.
- `search_page_vs_empty_view`: the time of that search page over that of an empty view that only looks who asks; one
  client, alternating, medians.
- `*_queries`: how many queries of all databases a page makes; `*_queries_at_1_percent`: with a hundredth of the data.
- `web_rss_mb`: the resident memory of the web server's processes together, after all of it.

Leaves out: the crawl itself (see `benchmarks.crawl`), the network, and the browser.
"""

import http.client
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from pymongo import monitoring

from benchmarks.annotate_data import PER_PAGE, PER_SUBMISSION, SOURCE, Data
from benchmarks.harness import parser, progress, report
from benchmarks.site import Site

CLIENTS = 20
PAUSE_S = 2.0
CSRF = "c" * 32
COMMANDS: list[str] = []  # that MongoDB was sent, by whichever way
Ask = Callable[[http.client.HTTPConnection, str, random.Random], int]


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    share = 0.01 if options.quick else 1.0
    seconds = 3 if options.quick else 30
    monitoring.register(_Listener())
    with tempfile.TemporaryDirectory(prefix="mmproject-benchmark-") as scratch, ExitStack() as stack:
        site = Site(Path(scratch), stack, settings="benchmarks.site_settings")
        data = Data(listings=100_000, products=20_000, labels=200_000)
        _source()
        cookies = [site.user(f"person-{number}", "administrator") for number in range(CLIENTS)]
        data.grow(0.01)
        figures = {f"{name}_at_1_percent": count for name, count in _queries(data).items()}
        if share > 0.01:
            data.grow(share)
        figures |= _queries(data)
        web = site.serve(workers=1)
        figures |= _against_empty(site, data, cookie=cookies[0], rounds=40 if options.quick else 300)
        for name, ask in _questions(data).items():
            figures[f"{name}_p95_ms"] = _p95(site, name, ask, cookies=cookies, seconds=seconds, pause_s=PAUSE_S)
        for name, ask in _questions(data).items():
            key = f"{name}_saturated_p95_ms"
            figures[key] = _p95(site, name, ask, cookies=cookies, seconds=seconds / 3, pause_s=0)
        figures["web_rss_mb"] = round(_rss_mb(web.process.pid), 1)
    report("annotate", figures)


def _source() -> None:
    from crawler.management.commands.demo_source import demo_source

    source = demo_source(base_url="http://127.0.0.1:1")
    source.id = SOURCE
    source.save()


class _Listener(monitoring.CommandListener):
    def started(self, event: monitoring.CommandStartedEvent) -> None:
        COMMANDS.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


# --- what is asked


def _search_path(data: Data, number: int) -> str:
    words = {"keyword": data.keyword(number), "source": SOURCE, "product": data.product_name(number)}
    return f"/annotation/?{urlencode(words)}"


def _questions(data: Data) -> dict[str, Ask]:
    lists = ["", "?p=7", "?review__exact=pending", "?review__exact=rejected&p=3", "?annotator_name=annotator-3"]

    def search_page(connection: http.client.HTTPConnection, cookie: str, chance: random.Random) -> int:
        path = _search_path(data, chance.randrange(data.made["searches"]))
        return _asked(connection, "GET", path, cookie=cookie, holds=b'name="listing"')

    def label_list(connection: http.client.HTTPConnection, cookie: str, chance: random.Random) -> int:
        path = f"/admin/annotation/label/{chance.choice(lists)}"
        return _asked(connection, "GET", path, cookie=cookie, holds=b'id="result_list"')

    def label_search(connection: http.client.HTTPConnection, cookie: str, chance: random.Random) -> int:
        word = chance.choice(["honey", "milk", "no such word", str(chance.randrange(10_000, 20_000))])
        path = f"/admin/annotation/label/?{urlencode({'q': word})}"
        return _asked(connection, "GET", path, cookie=cookie, holds=b'id="changelist"')

    def picker(connection: http.client.HTTPConnection, cookie: str, chance: random.Random) -> int:
        name = data.product_name(chance.randrange(data.made["products"]))
        first = chance.randrange(len(name) - 4)
        typed = name[first : first + chance.randrange(2, 12)].strip()
        return _asked(connection, "GET", f"/annotation/products/?{urlencode({'product': typed})}", cookie=cookie)

    def submit(connection: http.client.HTTPConnection, cookie: str, chance: random.Random) -> int:
        number = chance.randrange(data.made["searches"])
        ids = [data.listing_id(number * PER_PAGE + place) for place in range(PER_PAGE)]
        fields = {
            "submission": f"benchmark-{chance.getrandbits(64):x}",
            "product": data.product_name(chance.randrange(data.made["products"])),
            "keyword": data.keyword(number),
            "source": SOURCE,
            "pages": 1,
            "shown": ids,
            "listing": chance.sample(ids, PER_SUBMISSION),
        }
        body = urlencode(fields, doseq=True)
        return _asked(connection, "POST", "/annotation/submit/", cookie=cookie, body=body, holds=b"Saved")

    return {
        "search_page": search_page,
        "label_list": label_list,
        "label_search": label_search,
        "picker": picker,
        "submit": submit,
    }


def _asked(
    connection: http.client.HTTPConnection, method: str, path: str, *, cookie: str, body: str = "", holds: bytes = b""
) -> int:
    """Ask and read all of the answer; returns its length. Ends the benchmark when it is not what was asked for."""
    headers = {"Cookie": f"{cookie}; csrftoken={CSRF}", "X-CSRFToken": CSRF, "Accept-Encoding": "identity"}
    if "/admin/" not in path:
        headers["HX-Request"] = "true"
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body=body or None, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200 or holds not in text:
        raise SystemExit(f"{method} {path}: {answer.status} {text[:400]!r}")
    return len(text)


# --- how long it takes


def _p95(site: Site, name: str, ask: Ask, *, cookies: list[str], seconds: float, pause_s: float) -> float:
    times: list[float] = []
    failed: list[BaseException] = []
    start = threading.Barrier(len(cookies) + 1)

    def client(number: int, cookie: str) -> None:
        chance = random.Random(f"{name} {number} {pause_s}")
        connection = site.connection()
        mine = []
        start.wait()
        end = time.perf_counter() + seconds
        try:
            while True:
                if pause_s:
                    time.sleep(chance.uniform(0, 2 * pause_s))
                began = time.perf_counter()
                if began >= end:
                    break
                ask(connection, cookie, chance)
                mine.append(time.perf_counter() - began)
        except BaseException as error:  # told by the main thread
            failed.append(error)
        times.extend(mine[1:] if pause_s else mine)  # the first opens the connection

    clients = [threading.Thread(target=client, args=pair) for pair in enumerate(cookies)]
    for one in clients:
        one.start()
    start.wait()
    for one in clients:
        one.join()
    if failed:
        raise failed[0]
    p95 = 1000 * statistics.quantiles(times, n=20)[-1]
    median = 1000 * statistics.median(times)
    kind = "with pauses" if pause_s else "without pauses"
    progress(f"{name} {kind}: {len(times)} requests, median {median:.0f} ms, p95 {p95:.0f} ms")
    return round(p95, 1)


def _against_empty(site: Site, data: Data, *, cookie: str, rounds: int) -> dict[str, float]:
    ours, empty = site.connection(), site.connection()
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 20):
        paths = (_search_path(data, number % data.made["searches"]), "/empty")
        for connection, path, times in zip((ours, empty), paths, seconds, strict=True):
            began = time.perf_counter()
            _asked(connection, "GET", path, cookie=cookie)
            if number >= 20:  # warm by now
                times.append(time.perf_counter() - began)
    page_ms, empty_ms = (1000 * statistics.median(times) for times in seconds)
    progress(f"a search page {page_ms:.2f} ms, an empty view {empty_ms:.2f} ms")
    return {
        "search_page_vs_empty_view": round(page_ms / empty_ms, 2),
        "search_page_ms": round(page_ms, 2),
        "empty_view_ms": round(empty_ms, 2),
    }


def _queries(data: Data) -> dict[str, int]:
    """How many queries, of both databases, pages make; the second time they are asked for, as all further times."""
    from django.contrib.auth.models import User
    from django.db import connections
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(User.objects.get(username="person-0"))
    counts = {}
    for name, path in (("search_page", _search_path(data, 0)), ("label_list", "/admin/annotation/label/")):
        client.get(path, SERVER_NAME="127.0.0.1")
        COMMANDS.clear()
        with CaptureQueriesContext(connections["default"]) as people:
            answer = client.get(path, SERVER_NAME="127.0.0.1")
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        counts[f"{name}_queries"] = len(people) + len(COMMANDS)
    progress(f"queries: {counts}")
    return counts


def _rss_mb(pid: int) -> float:
    """The resident memory of a process and its children."""
    return sum(_resident(one) for one in [pid, *_children(pid)]) / 2**20


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _children(child)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
