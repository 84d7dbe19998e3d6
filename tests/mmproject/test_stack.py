"""The embedded servers and what the stack says when it cannot start."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from mmproject.environment import BASE_DIR
from mmproject.stack import StackError, mongod, redis
from mmproject.stack.server import Server, check_port, check_space, free_port
from tests.workers import eventually


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_the_way_out(busy_port):
    with pytest.raises(StackError, match=rf"Port {busy_port} is not free .*PORT={busy_port + 10} make demo"):
        check_port(busy_port, variable="PORT")


def test_a_free_port_is_fine():
    check_port(free_port(), variable="PORT")


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("mmproject.stack.server.shutil.disk_usage", lambda _: FullDisk)
    with pytest.raises(StackError, match="Only 3 MiB are free"):
        check_space(tmp_path)


class FullDisk:
    free = 3 * 2**20


def test_no_mongod_for_this_platform_says_to_name_one(monkeypatch):
    monkeypatch.setattr("mmproject.stack.mongod.shutil.which", lambda _: None)
    monkeypatch.setattr("mmproject.stack.mongod.importlib.util.find_spec", lambda _: None)
    with pytest.raises(StackError, match="MONGO_URI="):
        mongod.find_mongod()


def test_no_redis_says_to_name_one(monkeypatch):
    monkeypatch.setattr("mmproject.stack.redis.shutil.which", lambda _: None)
    monkeypatch.setattr("mmproject.stack.redis.importlib.util.find_spec", lambda _: None)
    with pytest.raises(StackError, match="REDIS_URL="):
        redis.find_redis()


@pytest.mark.parametrize(("find", "name"), [(mongod.find_mongod, "mongod"), (redis.find_redis, "redis-server")])
def test_a_server_on_path_is_preferred(tmp_path, monkeypatch, find, name):
    own = tmp_path / name
    own.write_text("#!/bin/sh\nexit 0\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find() == str(own)


def test_a_server_that_dies_at_once_is_told_with_its_last_words(tmp_path):
    command = [sys.executable, "-c", "print('no such folder', flush=True); raise SystemExit(3)"]
    server = Server(name="thing", command=command, log=tmp_path / "thing.log", is_ready=lambda: False)
    with pytest.raises(StackError, match=r"thing stopped at once \(no such folder\)"):
        server.start()


def test_redis_keeps_its_data_over_a_restart(tmp_path):
    from redis import Redis

    port = free_port()
    with redis.redis_server(folder=tmp_path / "redis", port=port), Redis(port=port) as client:
        client.set("kept", "yes")
    with redis.redis_server(folder=tmp_path / "redis", port=port), Redis(port=port) as client:
        assert client.get("kept") == b"yes"


def test_a_stopped_stack_command_stops_its_server(tmp_path):
    port = free_port()
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "REDIS_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "mmproject.stack", "redis"], cwd=BASE_DIR, env=environment)
    eventually(lambda: redis.answers(port), what="the start of Redis")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not redis.answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux")
def test_a_killed_stack_command_leaves_no_server(tmp_path):
    port = free_port()
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "REDIS_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "mmproject.stack", "redis"], cwd=BASE_DIR, env=environment)
    eventually(lambda: redis.answers(port), what="the start of Redis")
    process.kill()
    process.wait()
    eventually(lambda: not redis.answers(port), what="the end of the orphaned Redis")


def test_the_stack_command_says_one_line_and_fails_when_its_port_is_taken(tmp_path, busy_port):
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "REDIS_PORT": str(busy_port)}
    command = [sys.executable, "-m", "mmproject.stack", "redis"]
    result = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {busy_port} is not free" in result.stderr


def run_demo(tmp_path, **changes):
    own = {"MONGO_URI", "REDIS_URL"}  # those of the test session
    kept = {name: value for name, value in os.environ.items() if name not in own}
    environment = {**kept, "STATE_DIR": str(tmp_path), "PORT": str(free_port()), "DEMO_SHOP_PORT": str(free_port())}
    command = [sys.executable, "-m", "mmproject.stack", "demo"]
    return subprocess.run(command, cwd=BASE_DIR, env=environment | changes, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MONGO_URI": "mongodb://someone:secret@127.0.0.1:1/"}, "No MongoDB answers at the MONGO_URI that is set"),
        ({"MONGO_URI": "127.0.0.1"}, "No MongoDB answers at the MONGO_URI that is set"),
        ({"PORT": "eighty"}, "PORT='eighty' is not a whole number"),
        ({"STATE_DIR": "/dev/null/var"}, "The state folder /dev/null/var cannot be made"),
    ],
)
def test_what_keeps_the_demo_from_starting_is_told_in_one_line(tmp_path, changes, told):
    result = run_demo(tmp_path, **changes)
    assert result.returncode == 1
    assert result.stderr.startswith(f"mmproject: {told}")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_demo_data_that_lacks_a_part_is_told_in_one_line(tmp_path):
    (tmp_path / "classes.csv").write_text("Class Name (str)\n")
    stores = {name: os.environ[name] for name in ("MONGO_URI", "REDIS_URL")}
    result = run_demo(tmp_path, DEMO_DATA=str(tmp_path), MONGO_DB="test_half_data", **stores)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "classes.csv does not have the columns of the GroceryStoreDataset" in result.stderr


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "127.0.0.1"])
def test_a_named_redis_that_does_not_answer_is_told(url):
    with pytest.raises(StackError, match="No Redis answers at the REDIS_URL that is set") as told:
        redis.check_named(url)
    assert "secret" not in str(told.value)


def test_named_servers_that_answer_are_fine():
    mongod.check_named(os.environ["MONGO_URI"])
    redis.check_named(os.environ["REDIS_URL"])


def test_the_demo_names_data_that_is_not_there(tmp_path):
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "DEMO_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "mmproject.stack", "demo"]
    result = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert "holds no classes.csv" in result.stderr
