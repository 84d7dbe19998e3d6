"""The storefront as an HTTP server, one thread a request.

`/search?q=…&page=…`, `/items/<item>`, `/shops/<shop>`, `/pictures/<item>.jpg`, `/robots.txt`, `/api/search` (see
`api`); `POST /_behave` makes it slow, failing or strict (see `behaviour.Behaviour` for the fields), `GET /_stats` tells
what it was asked (`?reset=1` starts anew).
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawler.demo_shop import misconduct, pages
from crawler.demo_shop.api import ApiQuery, failed_answer, found_answer
from crawler.demo_shop.behaviour import Behaviour, Conduct, Refusal
from crawler.demo_shop.catalog import DemoCatalog
from crawler.demo_shop.search import ShopSearch

_BODY_CAP = 64 * 1024  # bytes of a POST
_AREAS = {"/search": "search", "/api/search": "api", "/robots.txt": "robots"}


class ShopServer(ThreadingHTTPServer):
    """Sells `catalog` at `host`:`port`; port 0 takes a free one. `address` is where it is."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, catalog: DemoCatalog, *, host: str, port: int, behaviour: Behaviour | None = None) -> None:
        self.catalog = catalog
        self.goods = {good.item_id: good for good in catalog.goods}
        self.search = ShopSearch(catalog)
        self.conduct = Conduct(behaviour or Behaviour())
        self.quiet = True
        super().__init__((host, port), _Request)

    @property
    def address(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours; anything else is told."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def running_shop(catalog: DemoCatalog, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[ShopServer]:
    """A shop that serves in the background until the block ends."""
    with ShopServer(catalog, host=host, port=port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds an idle connection is kept
    server: ShopServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/_stats":
            self._json(HTTPStatus.OK, self.server.conduct.stats(reset=query.get("reset") == "1"))
            return
        self._serve(parts.path, lambda: self._answer(parts.path, query))

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        length = self.headers.get("Content-Length", "")
        if path not in ("/_behave", "/api/search") or not length.isdigit() or int(length) > _BODY_CAP:
            self.close_connection = True  # the body stays unread
            error = f"POST /_behave and /api/search take JSON of at most {_BODY_CAP} bytes"
            self._json(HTTPStatus.NOT_FOUND, {"error": error})
            return
        body = self.rfile.read(int(length)) or b"{}"
        if path == "/api/search":
            self._serve(path, lambda: self._api(lambda: ApiQuery.of_body(json.loads(body))))
            return
        try:
            behaviour = Behaviour.parse(json.loads(body))
        except ValueError as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            return
        self.server.conduct.behave(behaviour)
        self._json(HTTPStatus.OK, self.server.conduct.stats()["behaviour"])

    def _serve(self, path: str, answer: Callable[[], None]) -> None:
        """Answer, or fail, as the shop is told to."""
        conduct = self.server.conduct
        area = _AREAS.get(path, "pictures" if path.startswith("/pictures/") else "items")
        refusal = conduct.enter(area, path)
        try:
            if conduct.concerns(area) and conduct.behaviour.delay_s:
                time.sleep(conduct.behaviour.delay_s)
            if refusal:
                self._refuse(refusal)
            else:
                answer()
        finally:
            conduct.leave()

    def _refuse(self, refusal: Refusal) -> None:
        if refusal.failure in misconduct.FAILURES:
            misconduct.FAILURES[refusal.failure](self)
            return
        headers = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
        self._send(refusal.status, b"Not now.", "text/plain", headers)

    def _answer(self, path: str, query: dict[str, str]) -> None:
        if path == "/search":
            self._search(query)
        elif path == "/api/search":
            self._api(lambda: ApiQuery.of_address(query))
        elif path == "/robots.txt" and self.server.conduct.behaviour.robots:
            self._send(HTTPStatus.OK, self.server.conduct.behaviour.robots.encode(), "text/plain; charset=utf-8")
        elif path.startswith("/pictures/"):
            self._picture(path.removeprefix("/pictures/").removesuffix(".jpg"))
        else:
            self._page(path)

    def _search(self, query: dict[str, str]) -> None:
        behaviour = self.server.conduct.behaviour
        keyword, page = query.get("q", ""), query.get("page", "1")
        if not page.isdigit() or int(page) < 1:
            self._send(HTTPStatus.BAD_REQUEST, b"page is not a number", "text/plain")
        elif behaviour.redirect_to:
            self._send(HTTPStatus.FOUND, b"", "text/html", {"Location": behaviour.redirect_to})
        elif behaviour.search == "endless":
            misconduct.endless(self, "text/html; charset=utf-8")
        elif behaviour.search == "binary":
            self._send(HTTPStatus.OK, b"%PDF-1.7 not a page", "application/pdf")
        elif behaviour.search == "no-cards":
            self._html("<!doctype html><title>Please verify</title><p>Are you human?</p>")
        else:
            found = self.server.search.find(keyword)
            html = pages.search_page(keyword=keyword, page=int(page), found=found, base=self._base())
            self._send(HTTPStatus.OK, *pages.encoded(html, how=behaviour.search))

    def _api(self, parse: Callable[[], ApiQuery]) -> None:
        mode = self.server.conduct.behaviour.api
        try:
            query = parse()
        except ValueError as error:
            self._json(HTTPStatus.BAD_REQUEST, failed_answer(400, str(error)))
            return
        if mode == "error":
            self._json(HTTPStatus.OK, failed_answer(429, "the quota of today is used up"))
        elif mode == "not-json":
            self._send(HTTPStatus.OK, b"callback({});", "application/json")
        elif mode == "html":
            self._html("<!doctype html><title>Sign in</title><p>Sign in first.</p>")
        elif mode == "other-shape":
            self._json(HTTPStatus.OK, {"result": {"list": []}})
        else:
            found = self.server.search.find(query.keyword)
            self._json(HTTPStatus.OK, found_answer(query, found, host=self._host()))

    def _picture(self, item: str) -> None:
        good, mode = self.server.goods.get(item), self.server.conduct.behaviour.pictures
        if good is None or mode == "missing":
            self._send(HTTPStatus.NOT_FOUND, b"No such picture.", "text/plain")
        elif mode == "endless":
            misconduct.endless(self, "image/jpeg")
        elif mode == "html":
            self._send(HTTPStatus.OK, b"<html><script>alert(1)</script></html>", "image/jpeg")
        elif mode == "bomb":
            self._send(HTTPStatus.OK, misconduct.bomb(), "image/png")
        else:
            data = good.picture()
            self._send(HTTPStatus.OK, data[: len(data) // 2] if mode == "truncated" else data, "image/jpeg")

    def _page(self, path: str) -> None:
        if path == "/":
            self._html(pages.home_page())
            return
        _, _, rest = path.partition("/items/")
        if path.startswith("/items/") and (good := self.server.goods.get(rest)):
            self._html(pages.item_page(good, base=self._base()))
            return
        if path.startswith("/shops/"):
            shop = path.removeprefix("/shops/")
            goods = [good for good in self.server.catalog.goods if good.shop.id == shop]
            if goods:
                self._html(pages.shop_page(goods[0].shop.name, goods))
                return
        self._send(HTTPStatus.NOT_FOUND, b"No such page.", "text/plain")

    def _base(self) -> str:
        return f"http://{self._host()}"

    def _host(self) -> str:
        return self.headers.get("Host") or urlsplit(self.server.address).netloc

    def _html(self, text: str) -> None:
        self._send(HTTPStatus.OK, text.encode(), "text/html; charset=utf-8")

    def _json(self, status: int, data: Any) -> None:
        self._send(status, json.dumps(data, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        if not self.server.quiet:
            super().log_message(format, *args)
