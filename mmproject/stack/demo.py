"""`make demo`: the embedded servers, both migrations, demo users and goods, then every process of the Procfile."""

import os
import shlex
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

from mmproject.environment import BASE_DIR, number, read_env_file
from mmproject.stack import StackError, mongod, redis
from mmproject.stack.__main__ import MONGO_PORT, REDIS_PORT, SHOP_PORT, WEB_PORT
from mmproject.stack.secrets import DEMO_USERS, make_secrets, password_variable, remember
from mmproject.stack.server import check_port, die_with_parent

STOPPED_BY_SIGNAL = {130, 143}


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def run_demo(folder: Path) -> int:
    """Run the whole project on this machine until Ctrl-C. Raises StackError for what keeps it from starting."""
    data = _demo_data()
    web_port, shop_port = number("PORT", WEB_PORT), number("DEMO_SHOP_PORT", SHOP_PORT)
    check_port(web_port, variable="PORT")
    check_port(shop_port, variable="DEMO_SHOP_PORT")
    log = folder / "demo.log"
    (folder / "static").mkdir(exist_ok=True)  # where collectstatic would write; WhiteNoise warns without it
    with ExitStack() as stack:
        for server, port, variable in _own_servers(folder):
            check_port(port, variable=variable)
            say(f"Starting {server.name} …")
            stack.enter_context(server)
        os.environ.update(make_secrets(folder / "env"))
        os.environ.update(remember(folder / "env", {"DEMO_SHOP_URL": f"http://127.0.0.1:{shop_port}"}))
        os.environ["PORT"] = str(web_port)
        say("Preparing the databases …")
        first_time = _prepare(data)
        output = stack.enter_context(log.open("a", encoding="utf-8"))
        manager = _manager(output, shop_port=shop_port, data=data)
        address = f"http://127.0.0.1:{web_port}/"
        greeter = threading.Thread(target=_greet, args=(address, log, manager, first_time), daemon=True)
        greeter.start()
        say("Starting the web server and the workers …")
        manager.loop()
        say("Everything is stopped; the data stays in " + str(folder))
    if manager.returncode in STOPPED_BY_SIGNAL:
        return 0
    raise StackError(f"A process ended by itself, so all were stopped; the end of {log} says why")


def _demo_data() -> Path | None:
    named = os.environ.get("DEMO_DATA", "").strip()
    if not named:
        return None
    data = Path(named).expanduser().resolve()
    if not (data / "classes.csv").exists():
        raise StackError(f"DEMO_DATA={named} holds no classes.csv: name the `dataset` folder of GroceryStoreDataset")
    os.environ["DEMO_DATA"] = str(data)  # as the robot's process finds it, whatever its working folder
    return data


def _own_servers(folder: Path) -> Iterator[tuple]:
    """The servers that nobody named. What the environment got from our own state folder counts as not named.

    Raises StackError for one that was named and does not answer.
    """
    remembered = read_env_file(folder / "env")
    if os.environ.get("MONGO_URI", "") in {"", remembered.get("MONGO_URI")}:
        port = number("MONGO_PORT", MONGO_PORT)
        os.environ.update(remember(folder / "env", {"MONGO_URI": mongod.URI.format(port=port)}))
        yield mongod.mongo_server(folder=folder / "mongo", port=port), port, "MONGO_PORT"
    else:
        mongod.check_named(os.environ["MONGO_URI"])
    if os.environ.get("REDIS_URL", "") in {"", remembered.get("REDIS_URL")}:
        port = number("REDIS_PORT", REDIS_PORT)
        os.environ.update(remember(folder / "env", {"REDIS_URL": redis.URL.format(port=port)}))
        yield redis.redis_server(folder=folder / "redis", port=port), port, "REDIS_PORT"
    else:
        redis.check_named(os.environ["REDIS_URL"])


def _prepare(data: Path | None) -> bool:
    """Migrate both databases, make users and catalogue; whether the catalogue was empty before."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmproject.settings")
    import django
    from django.apps import apps
    from django.core.management import CommandError, call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("migrate", database="mongo", verbosity=0)
    call_command("demo_users", verbosity=0)
    call_command("demo_source", verbosity=0)
    first_time = not apps.get_model("annotation", "Product").objects.exists()
    try:
        call_command("demo_catalog", data=data, verbosity=0)
    except CommandError as error:
        raise StackError(str(error)) from None
    return first_time


def _manager(output: TextIO, *, shop_port: int, data: Path | None) -> Manager:
    """Honcho with the processes of the Procfile, the demo shop beside them, all output in the log."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    manager = Manager(Printer(output, colour=False))
    shop = f"python -m crawler.demo_shop --port {shop_port}" + (f" --data {shlex.quote(str(data))}" if data else "")
    processes = parse_procfile((BASE_DIR / "Procfile").read_text(encoding="utf-8")).processes
    processes = {name: command for name, command in processes.items() if name not in {"mongo", "redis"}}
    for name, command in {**processes, "shop": shop}.items():
        manager.add_process(name, command, env=environment, cwd=str(BASE_DIR))
    return manager


def _greet(address: str, log: Path, manager: Manager, first_time: bool) -> None:
    """Wait for the first page, print where it is and who may come in, then have the demo's robot label some goods."""
    deadline = time.monotonic() + 60
    while not _answers(address + "login/"):
        if manager.returncode is not None or time.monotonic() > deadline:
            return
        time.sleep(0.1)
    lines = [f"  {name:<10} {os.environ[password_variable(name)]}" for name in DEMO_USERS]
    say("\n".join(["", f"Ready: {address}", "", "  user       password", *lines, ""]))
    say(f"Ctrl-C stops everything. What the processes say is in {log}")
    if first_time:
        say("A robot is labelling some of the demo shop's goods, so that a first model can be trained …")
        with _background("demo_labels", log) as robot:
            if robot.wait() == 0:
                say("The robot is done: sign in as operator and start a training.")


@contextmanager
def _background(command: str, log: Path) -> Iterator[subprocess.Popen]:
    """A management command beside everything else, at low priority; it goes when we go."""

    def behave() -> None:
        die_with_parent()
        os.nice(10)

    with log.open("a") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(BASE_DIR / "manage.py"), command],
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=behave,
        )
    try:
        yield process
    finally:
        process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
