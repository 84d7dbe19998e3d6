"""The test session's own world: a throwaway state folder, a real mongod, a real Redis; loaded by `-p` before settings.

`MONGO_URI` and `REDIS_URL` in the environment are used instead when both are set. `MONGO_ENGINE` chooses the engine.
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from mmproject.stack.mongod import URI as MONGO_URI
from mmproject.stack.mongod import mongo_server
from mmproject.stack.redis import URL as REDIS_URL
from mmproject.stack.redis import redis_server
from mmproject.stack.server import Server, free_port

_SCRATCH = Path(tempfile.mkdtemp(prefix="mmproject-tests-"))
_MONGO_PORT, _REDIS_PORT = free_port(), free_port()
# Said once, by the first process: the workers of `-n` inherit its environment, and each has stores of its own.
_OWN_STORES = os.environ.setdefault(
    "TESTS_OWN_STORES", "" if os.environ.get("MONGO_URI") and os.environ.get("REDIS_URL") else "yes"
)
_servers: list[Server] = []
(_SCRATCH / "static").mkdir()  # where collectstatic would write; WhiteNoise warns without it

os.environ.update(
    STATE_DIR=str(_SCRATCH),
    SECRET_KEY=secrets.token_hex(32),
    MONGO_DB=f"test_mmproject_{os.getpid()}",
    DATABASE_URL=f"sqlite:///{_SCRATCH}/test.sqlite3",
    DEMO_SHOP_URL=f"http://127.0.0.1:{free_port()}",
    DEBUG="0",
    ALLOWED_HOSTS="127.0.0.1,localhost,testserver",
    DJANGO_ALLOW_ASYNC_UNSAFE="1",  # Playwright's sync API runs an event loop in the test's own thread
)
if _OWN_STORES:
    os.environ.update(MONGO_URI=MONGO_URI.format(port=_MONGO_PORT), REDIS_URL=REDIS_URL.format(port=_REDIS_PORT))


def pytest_sessionstart(session: pytest.Session) -> None:
    only_hands_out = bool(getattr(session.config.option, "numprocesses", None))  # with `-n`, and is no worker itself
    if _OWN_STORES and not session.config.option.collectonly and not only_hands_out:
        _servers.append(mongo_server(folder=_SCRATCH / "mongo", port=_MONGO_PORT))
        _servers.append(redis_server(folder=_SCRATCH / "redis", port=_REDIS_PORT))
        for server in _servers:
            server.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    for server in _servers:
        server.stop()
    shutil.rmtree(_SCRATCH, ignore_errors=True)
