"""What the shop does to its visitors when it is told to: silence, resets, bodies that never end, bombs."""

import io
import select
import socket
import struct
import time
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from PIL import Image

_ENDLESS_CHUNK = b"<!-- more -->" * 5000
_PATIENCE_S = 120  # a client that has not hung up by then is hung up on
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for 0 seconds


def hang(request: BaseHTTPRequestHandler) -> None:
    """No answer, until the client hangs up."""
    request.close_connection = True
    select.select([request.connection], [], [], _PATIENCE_S)


def reset(request: BaseHTTPRequestHandler) -> None:
    """The connection ends with a TCP reset."""
    request.close_connection = True
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    request.rfile.close()  # it holds the socket, too
    request.connection.close()


def cut(request: BaseHTTPRequestHandler) -> None:
    """Half an answer, then a TCP reset."""
    _start(request, "text/html; charset=utf-8", {"Content-Length": "100000"})
    request.wfile.write(b"<!doctype html><p>" + b"half " * 500)
    time.sleep(0.05)  # a reset throws away what has not left yet
    reset(request)


def drip(request: BaseHTTPRequestHandler) -> None:
    """A byte now and then, never the whole answer, until the client hangs up."""
    _start(request, "text/html; charset=utf-8", {"Connection": "close"})
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        request.wfile.write(b"x")
        time.sleep(0.1)


def endless(request: BaseHTTPRequestHandler, content_type: str) -> None:
    """A body that never ends: without a length, until the client hangs up."""
    _start(request, content_type, {"Connection": "close"})
    while True:
        request.wfile.write(_ENDLESS_CHUNK)


@cache
def bomb() -> bytes:
    """A PNG of some kilobytes that unpacks to 144 megapixels."""
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "PNG")
    return buffer.getvalue()


FAILURES = {"hang": hang, "reset": reset, "cut": cut, "drip": drip}


def _start(request: BaseHTTPRequestHandler, content_type: str, headers: dict[str, str]) -> None:
    request.close_connection = True
    request.send_response(HTTPStatus.OK)
    for name, value in {"Content-Type": content_type, **headers}.items():
        request.send_header(name, value)
    request.end_headers()
