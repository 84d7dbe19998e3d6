"""`python -m mmproject.stack`: the embedded servers one by one, or the whole demo."""

import argparse
import signal
import sys
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from mmproject.environment import number, state_dir
from mmproject.stack import StackError
from mmproject.stack.mongod import mongo_server
from mmproject.stack.redis import redis_server
from mmproject.stack.server import Server, check_port, check_space, make_folder

MONGO_PORT, REDIS_PORT, WEB_PORT, SHOP_PORT = 27117, 6479, 8000, 8010


class _Stopped(BaseException):
    """A signal asked us to stop."""


def run_one(server: Server, *, variable: str, port: int) -> int:
    """Run one embedded server until a signal asks to stop; for the Procfile."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise _Stopped

    check_port(port, variable=variable)
    # Before the start: whoever sees the port answer may send its signal at once.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.start()
        print(f"{server.name} answers on 127.0.0.1:{port}", flush=True)  # noqa: T201
        return abs(server.wait())
    except _Stopped:
        return 0
    finally:
        server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mmproject.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("mongo", help="run the embedded MongoDB on MONGO_PORT")
    commands.add_parser("redis", help="run the embedded Redis on REDIS_PORT")
    commands.add_parser("demo", help="run everything on this machine, with demo users and a demo shop")
    arguments = parser.parse_args()
    folder = state_dir()
    try:
        make_folder(folder)
        check_space(folder)
        if arguments.command == "mongo":
            port = number("MONGO_PORT", MONGO_PORT)
            return run_one(mongo_server(folder=folder / "mongo", port=port), variable="MONGO_PORT", port=port)
        if arguments.command == "redis":
            port = number("REDIS_PORT", REDIS_PORT)
            return run_one(redis_server(folder=folder / "redis", port=port), variable="REDIS_PORT", port=port)
        from mmproject.stack.demo import run_demo

        return run_demo(folder)
    except (StackError, ImproperlyConfigured) as error:
        print(f"mmproject: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
