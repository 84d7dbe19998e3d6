"""A whole site for a benchmark, on ports of its own: MongoDB, Redis, gunicorn."""

import http.client
import os
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

from mmproject.stack.mongod import URI, mongo_server
from mmproject.stack.redis import URL, redis_server
from mmproject.stack.server import Server, free_port


class Site:
    """The stores, and once `serve` is called the web server; all stop with `stack`.

    Django is set up in this process with `settings`, migrated and empty.
    """

    def __init__(self, folder: Path, stack: ExitStack, *, settings: str, **environment: str) -> None:
        self.folder, self._stack = folder, stack
        mongo_port, redis_port, self.web_port = (free_port() for _ in range(3))
        stack.enter_context(mongo_server(folder=folder / "mongo", port=mongo_port))
        stack.enter_context(redis_server(folder=folder / "redis", port=redis_port))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": settings,
            "STATE_DIR": str(folder),
            "SECRET_KEY": token_hex(32),
            "DATABASE_URL": f"sqlite:///{folder}/default.sqlite3",
            "MONGO_URI": URI.format(port=mongo_port),
            "MONGO_DB": "benchmark",
            "REDIS_URL": URL.format(port=redis_port),
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        (folder / "static").mkdir()
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("migrate", database="mongo", verbosity=0)

    def user(self, name: str, *groups: str) -> str:
        """A new person of these groups, signed in; returns the Cookie header that says so."""
        from django.contrib.auth.models import Group, User
        from django.test import Client

        user = User.objects.create_user(name, is_staff=bool(groups))
        user.groups.set(Group.objects.filter(name__in=groups))
        client = Client()
        client.force_login(user)
        return f"sessionid={client.cookies['sessionid'].value}"

    def start(self, name: str, command: Sequence[str], *, port: int, path: str = "/healthz") -> Server:
        """Start a server that is ready when it answers at `path`."""
        ready = lambda: _answers(f"http://127.0.0.1:{port}{path}")  # noqa: E731
        return self._stack.enter_context(
            Server(name=name, command=command, log=self.folder / f"{name}.log", is_ready=ready)
        )

    def serve(self, *, workers: int) -> Server:
        """Start gunicorn as the Procfile does, with so many processes."""
        web = [sys.executable, "-m", "gunicorn", "mmproject.wsgi", "--bind", f"127.0.0.1:{self.web_port}"]
        web += ["--worker-class", "gthread", "--workers", str(workers), "--threads", "16", "--keep-alive", "15"]
        web += ["--log-level", "error"]
        return self.start("web", web, port=self.web_port)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=60)


def get(connection: http.client.HTTPConnection, path: str, *, cookie: str) -> tuple[int, bytes]:
    """Status and body of one page."""
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    return answer.status, answer.read()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False
