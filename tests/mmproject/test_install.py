"""The installation says in one line what keeps it from working."""

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from mmproject.environment import BASE_DIR


@pytest.fixture
def checkout(tmp_path):
    """As much of a checkout as the installation reads."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(BASE_DIR / "scripts" / "install.py", tmp_path / "scripts")
    for file in BASE_DIR.glob("requirements*.txt"):
        shutil.copy(file, tmp_path)
    return tmp_path


NO_NETWORK = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0"}


@contextmanager
def started(checkout, **changes):
    """The installation, running."""
    environment = os.environ | {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""} | changes
    command = [sys.executable, str(checkout / "scripts" / "install.py")]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process


def install(checkout, **changes):
    with started(checkout, **changes) as process:
        said, complained = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


@pytest.fixture
def broken_pip(checkout):
    """A .venv whose python says what the test wants and fails, as pip does when it dies of a bug or of a bad index."""

    def make(said):
        python = checkout / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 2\n")
        python.chmod(0o755)

    return make


def test_of_a_traceback_it_tells_the_exception(checkout, broken_pip):
    broken_pip(
        "ERROR: Exception:\n"
        "Traceback (most recent call last):\n"
        '  File "/pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper\n'
        "    status = run_func(*args)\n"
        "zipfile.BadZipFile: File is not a zip file"
    )
    result = install(checkout)
    assert result.returncode == 1
    assert result.stderr.startswith("mmproject: pip install failed: zipfile.BadZipFile: File is not a zip file. Check")


def test_it_tells_the_first_error_of_several(checkout, broken_pip):
    broken_pip("WARNING: Retrying\nERROR: No version of Django found\nERROR: No matching distribution found")
    assert "pip install failed: ERROR: No version of Django found. Check" in install(checkout).stderr


def test_a_second_installation_in_the_same_checkout_waits_for_the_first(checkout):
    first = os.open(checkout, os.O_RDONLY)
    fcntl.flock(first, fcntl.LOCK_EX)
    with started(checkout, **NO_NETWORK) as second:
        assert "Another installation runs in this checkout" in second.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(1)
        assert not (checkout / ".venv").exists()
        os.close(first)
        assert "Installing requirements.txt" in second.stdout.readline()
        second.communicate()


def test_without_a_network_it_says_to_check_the_package_index(checkout):
    result = install(checkout, **NO_NETWORK)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Check that a package index can be reached" in result.stderr
    assert not (checkout / ".venv" / "installed-requirements.txt").exists()


def test_a_full_disk_is_told_before_anything_is_written(checkout):
    source = (checkout / "scripts" / "install.py").read_text()
    (checkout / "scripts" / "install.py").write_text(source.replace("NEEDED_BYTES = 4 * 2**30", "NEEDED_BYTES = 2**62"))
    result = install(checkout)
    assert result.returncode == 1
    assert "GiB free: free some first" in result.stderr
    assert not (checkout / ".venv").exists()
