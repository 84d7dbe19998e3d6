"""Is the MongoDB backend right, durable and fast? `python -m benchmarks.mongo`, on mongod processes of its own.

- `differential_cases`, `differential_mismatches`: random queries through the ORM, answered by MongoDB and by SQLite.
  What the comparison leaves out is said in tests/mmproject/mongo/differential.py.
- `acked_writes_lost_after_kill9`: of the documents acknowledged to four threads before `kill -9` of mongod, those that
  a restarted mongod does not have; several kills. The kill is of the process: it says nothing about a power cut.
- `page_100_rows_vs_pymongo`: time to fetch the 100 newest of 10,000 documents as model instances by the ORM, over that
  of pymongo's find() of the same page as plain dicts; alternating, medians. Both wait for the same server, so the ratio
  is about what Python adds.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

from benchmarks.harness import parser, progress, report
from mmproject.stack.mongod import URI, mongo_server
from mmproject.stack.server import free_port


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--cases", type=int, help="random queries (default 20000, with --quick 2000)")
    arguments.add_argument("--seed", type=int, default=1, help="of the random rows and queries")
    options = arguments.parse_args()
    cases = options.cases or (2_000 if options.quick else 20_000)
    with tempfile.TemporaryDirectory(prefix="mmproject-benchmark-") as scratch:
        folder = Path(scratch)
        port = free_port()
        with mongo_server(folder=folder / "mongo", port=port):
            _set_up_django(folder, URI.format(port=port))
            figures = _differential(folder, cases=cases, seed=options.seed)
            figures |= _page(rounds=40 if options.quick else 200)
        figures |= _kills(folder, kills=2 if options.quick else 10)
    report("mongo", figures)


def _set_up_django(folder: Path, uri: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "mmproject.settings",
        "STATE_DIR": str(folder),
        "SECRET_KEY": token_hex(32),
        "DATABASE_URL": f"sqlite:///{folder}/default.sqlite3",
        "MONGO_URI": uri,
        "MONGO_DB": "benchmark",
        "MONGO_ENGINE": "djongo",
        "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody asks it anything
    }
    import django

    django.setup()


def _differential(folder: Path, *, cases: int, seed: int) -> dict[str, float]:
    from tests.mmproject.mongo import differential
    from tests.mmproject.mongo.worlds import MONGO, TWIN, installed, twin

    with twin(folder), installed(TWIN, MONGO):
        mismatches = differential.compare(
            cases=cases, seed=seed, told=lambda done: progress(f"{done} of {cases} random queries")
        )
    for mismatch in mismatches[:10]:
        progress(f"MISMATCH {mismatch}")
    return {"differential_cases": cases, "differential_mismatches": len(mismatches)}


def _page(*, rounds: int) -> dict[str, float]:
    """On the product's own listings: 15 fields, the page ordered by an index."""
    from django.core.management import call_command
    from django.utils import timezone

    from crawler.models import Listing
    from mmproject.mongo.collections import collection

    call_command("migrate", database="mongo", verbosity=0)
    now = timezone.now()
    Listing.objects.bulk_create(
        Listing(
            id=f"listing-{n:05d}",
            source="shop",
            item_id=str(n),
            title=f"orange juice {n}",
            url=f"https://shop.example/{n}",
            price=n / 4,
            currency="EUR",
            image_sha256="0" * 64,
            first_seen_at=now,
            last_seen_at=now + timedelta(seconds=n),
        )
        for n in range(10_000)
    )
    raw = collection(Listing)
    by_orm = lambda: list(Listing.objects.filter(source="shop").order_by("-last_seen_at")[:100])  # noqa: E731
    by_driver = lambda: list(raw.find({"source": "shop"}, sort=[("last_seen_at", -1)], limit=100))  # noqa: E731
    assert [listing.id for listing in by_orm()] == [document["id"] for document in by_driver()]
    orm, driver = [], []
    for _ in range(rounds):
        orm.append(_seconds(by_orm))
        driver.append(_seconds(by_driver))
    orm_ms, driver_ms = 1000 * statistics.median(orm), 1000 * statistics.median(driver)
    progress(f"a page of 100 listings: ORM {orm_ms:.2f} ms, pymongo {driver_ms:.2f} ms")
    return {
        "page_100_rows_vs_pymongo": round(orm_ms / driver_ms, 2),
        "page_100_rows_orm_ms": round(orm_ms, 2),
        "page_100_rows_pymongo_ms": round(driver_ms, 2),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _kills(folder: Path, *, kills: int) -> dict[str, float]:
    from tests.mmproject.mongo.durability import acknowledged_and_lost

    acknowledged = lost = 0
    for kill in range(kills):
        some_acknowledged, some_lost = acknowledged_and_lost(folder=folder / f"kill-{kill}", seconds=1 + kill % 4 / 2)
        acknowledged, lost = acknowledged + some_acknowledged, lost + some_lost
        progress(f"kill -9 number {kill + 1}: {some_acknowledged} acknowledged, {some_lost} lost")
    return {"acked_writes": acknowledged, "acked_writes_lost_after_kill9": lost}


if __name__ == "__main__":
    main()
