"""The installation says in one line what keeps it from working."""

import os
import shutil
import subprocess
import sys

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


def install(checkout, **changes):
    environment = os.environ | {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""} | changes
    command = [sys.executable, str(checkout / "scripts" / "install.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_without_a_network_it_says_to_check_the_package_index(checkout):
    result = install(checkout, PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")
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
