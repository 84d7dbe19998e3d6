"""A shop for `benchmarks.crawl`: every search finds 20 goods after a fixed latency; `/_log` tells when it was asked."""

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

GOODS = 20


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *, port: int, latency_s: float) -> None:
        self.latency_s = latency_s
        self.arrivals: list[float] = []
        super().__init__(("127.0.0.1", port), _Request)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        arrived = time.monotonic()
        parts = urlsplit(self.path)
        if parts.path == "/_log":
            body, self.server.arrivals = json.dumps(self.server.arrivals).encode(), []
            self._send(body, "application/json")
            return
        self.server.arrivals.append(arrived)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        time.sleep(self.server.latency_s)
        self._send(_page(query.get("q", ""), query.get("page", "1")).encode(), "text/html; charset=utf-8")

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the benchmark's own progress is enough."""


def _page(keyword: str, page: str) -> str:
    cards = "".join(
        f'<li class="card" data-item="{keyword}-{page}-{n}">'
        f'<a class="title" href="/items/{n}">{keyword} {page} no. {n}</a>'
        f'<span class="price">¥{n + 1}.50</span><a class="shop" href="/shops/1">Corner shop</a></li>'
        for n in range(GOODS)
    )
    return f'<span id="total">1000</span><ol class="results">{cards}</ol><a class="next" href="/more">Next</a>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    options = parser.parse_args()
    Upstream(port=options.port, latency_s=options.latency).serve_forever()


if __name__ == "__main__":
    main()
