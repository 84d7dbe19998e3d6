"""`python -m crawler.demo_shop`: serve the demo shop until a signal asks to stop."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from crawler.demo_shop.behaviour import Behaviour
from crawler.demo_shop.catalog import CatalogError, load_catalog
from crawler.demo_shop.server import ShopServer

_EPILOG = """
While it runs, POST /_behave with JSON changes how it behaves; each post starts from the ordinary behaviour:
  delay_s, fail_next, failure (status, hang, reset, cut, drip), status, retry_after, rate_limit_per_s,
  applies_to (all, search, api, pictures, robots), redirect_to, robots (the text of /robots.txt),
  search (ok, endless, binary, no-cards, gbk, gbk-undeclared, invalid-utf8),
  api (ok, error, not-json, html, other-shape), pictures (ok, truncated, bomb, html, missing, endless).
GET /_stats tells what it was asked; GET /_stats?reset=1 also starts counting anew. Example:
  curl -d '{"fail_next": 3, "status": 429, "retry_after": "2"}' http://127.0.0.1:8010/_behave
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m crawler.demo_shop",
        description="A local shop over real HTTP, for demos and tests: drawn goods, or real photographs with --data.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port to listen on (default %(default)s)")
    parser.add_argument("--data", type=Path, help="`dataset` folder of the GroceryStoreDataset to sell from")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="wait before every answer")
    parser.add_argument("--rate-limit", type=float, default=0.0, metavar="PER_SECOND", help="answer 429 above this")
    parser.add_argument("--fail-next", type=int, default=0, metavar="N", help="fail the first N answers")
    parser.add_argument("--status", type=int, default=503, help="the status of those failures (default %(default)s)")
    parser.add_argument("--retry-after", default="", help="the Retry-After header of failures and refusals")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    options = parser.parse_args(arguments)
    behaviour = Behaviour(
        delay_s=options.delay,
        rate_limit_per_s=options.rate_limit,
        fail_next=options.fail_next,
        status=options.status,
        retry_after=options.retry_after,
    )
    try:
        catalog = load_catalog(options.data)
        server = ShopServer(catalog, host=options.host, port=options.port, behaviour=behaviour)
    except CatalogError as error:
        return _fail(f"--data: {error}")
    except (OSError, OverflowError) as error:
        return _fail(f"cannot listen on {options.host}:{options.port}: {error}")
    server.quiet = not options.verbose

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()  # shutdown waits for the loop that this thread runs

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(  # noqa: T201
        f"The demo shop sells {len(catalog.goods)} goods of {len(catalog.products)} products at {server.address}",
        flush=True,
    )
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


def _fail(message: str) -> int:
    print(f"demo shop: {message}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
