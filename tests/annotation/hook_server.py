"""A real HTTP server that receives webhooks, well or badly."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HookServer:
    """`answers` says how the next requests are answered, 200 when it is empty: a status, "close" or "hang"."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int | str] = []
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = outer.answers.pop(0) if outer.answers else 200
                if answer == "hang":
                    outer.done.wait(60)
                if not isinstance(answer, int):
                    self.close_connection = True
                    return
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", f"{outer.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.where = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.where}"

    @contextmanager
    def running(self) -> Iterator["HookServer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.done.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver checks it, written from the specification and not from our code."""
    key = base64.b64decode(secret[len("whsec_") :])
    text = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    wanted = base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return any(hmac.compare_digest(part, f"v1,{wanted}") for part in headers["webhook-signature"].split(" "))
