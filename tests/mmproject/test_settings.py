"""Settings refuse to start without what has no default, and say which variable is missing."""

import os
import subprocess
import sys

import pytest

from mmproject.environment import BASE_DIR, flag, number, read_env_file
from mmproject.stack.secrets import make_secrets


def load_settings(tmp_path, **changes: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "STATE_DIR": str(tmp_path), **changes}
    command = [sys.executable, "-c", "import mmproject.settings"]
    return subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("variable", ["SECRET_KEY", "MONGO_URI", "REDIS_URL"])
def test_settings_name_the_missing_variable(tmp_path, variable):
    result = load_settings(tmp_path, **{variable: ""})
    assert result.returncode != 0
    assert f"{variable} is not set" in result.stderr


def test_settings_name_an_unknown_engine(tmp_path):
    result = load_settings(tmp_path, MONGO_ENGINE="postgres")
    assert result.returncode != 0
    assert "MONGO_ENGINE='postgres' is unknown" in result.stderr


def test_debug_is_off_unless_asked_for(tmp_path):
    command = [sys.executable, "-c", "from mmproject.settings import DEBUG; assert DEBUG is False"]
    environment = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    assert subprocess.run(command, cwd=BASE_DIR, env=environment | {"STATE_DIR": str(tmp_path)}).returncode == 0


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_flag_reads_on_and_off(monkeypatch, value, expected):
    monkeypatch.setenv("SOME_FLAG", value)
    assert flag("SOME_FLAG") is expected


@pytest.mark.parametrize("read", [flag, lambda name: number(name, 1)])
def test_a_value_that_cannot_be_read_is_named(monkeypatch, read):
    from django.core.exceptions import ImproperlyConfigured

    monkeypatch.setenv("SOME_VALUE", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SOME_VALUE='perhaps'"):
        read("SOME_VALUE")


def test_secrets_are_generated_once_and_only_for_their_owner(tmp_path):
    first = make_secrets(tmp_path / "env")
    second = make_secrets(tmp_path / "env")
    assert first == second == read_env_file(tmp_path / "env")
    assert len(first["SECRET_KEY"]) >= 50
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


def test_secrets_differ_between_machines(tmp_path):
    assert make_secrets(tmp_path / "a")["SECRET_KEY"] != make_secrets(tmp_path / "b")["SECRET_KEY"]
