#!/usr/bin/env python3
"""Make .venv and install the pinned requirements; does nothing when they have not changed. Standard library only.

python3 scripts/install.py [--dev] [--browser]
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
NEEDED_BYTES = 4 * 2**30


class InstallError(Exception):
    """One line: what happened and what to do."""


def run(*command: str | Path, step: str, advice: str) -> None:
    """Run a command quietly. Raises InstallError with the line that says most about why when it fails."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode == 0:
        return
    said = (result.stderr.strip() or result.stdout.strip()).splitlines()
    if any("No space left" in line for line in said):
        raise InstallError(f"{step}: the disk is full. Free {NEEDED_BYTES // 2**30} GiB and run it again.")
    raise InstallError(f"{step} failed: {reason(said)[:300]}. {advice}")


def reason(said: list[str]) -> str:
    """The one line that says what went wrong, of all that a command said.

    What pip says first about an unreachable index is what happened, and its last line only a consequence.
    Of a traceback it is the exception: the last line that is not indented.
    """
    errors = [line for line in said if line.startswith("ERROR") and line != "ERROR: Exception:"]
    unindented = [line for line in said if line and not line[0].isspace()]
    return (errors[:1] or unindented[-1:] or ["it said nothing"])[0]


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other installation runs in this checkout: two at once would write the same files.

    The lock is on the checkout's own folder, so it leaves no file, and the kernel lets it go whatever ends us.
    """
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another installation runs in this checkout: waiting for it …", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def pip(*arguments: str) -> None:
    command = (BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(
        *command, *arguments, step="pip install", advice="Check that a package index can be reached, then run it again."
    )


def fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def install(*, dev: bool) -> None:
    """The virtual environment with all pinned requirements, and djongo without the pins of its own."""
    name = "requirements-dev.txt" if dev else "requirements.txt"
    wanted = fingerprint([ROOT / name, *sorted(ROOT.glob("requirements*.txt"))])
    stamp = VENV / f"installed-{name}"
    if not stamp.exists() or stamp.read_text() != wanted:
        if shutil.disk_usage(ROOT).free < NEEDED_BYTES:
            raise InstallError(f"The disk of {ROOT} has less than {NEEDED_BYTES // 2**30} GiB free: free some first.")
        print(f"Installing {name} into .venv (the first time takes some minutes) …", flush=True)
        if not (BIN / "python").exists():
            advice = "On Debian and Ubuntu: apt-get install python3-venv."
            run(sys.executable, "-m", "venv", VENV, step="Making .venv", advice=advice)
        pip("-r", str(ROOT / name))
        pip("--no-deps", "-r", str(ROOT / "requirements-djongo.txt"))
        if dev:  # it holds all of requirements.txt
            (VENV / "installed-requirements.txt").write_text(fingerprint_of_base())
        stamp.write_text(wanted)
    if (ROOT / "locale").exists():
        compile_translations()


def fingerprint_of_base() -> str:
    return fingerprint([ROOT / "requirements.txt", *sorted(ROOT.glob("requirements*.txt"))])


def compile_translations() -> None:
    """`locale/**/*.po` into the `.mo` files that Django reads; by Babel, so that no system gettext is needed."""
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            compiler = (BIN / "pybabel", "compile", "--input-file", source, "--output-file", target)
            locale = source.parent.parent.name
            run(*compiler, "--locale", locale, step=f"Compiling {source.name}", advice="Mend the file.")


def system_packages(*names: str) -> bool:
    """Install Debian packages where that is possible without asking anyone; whether it worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing {', '.join(names)} with apt-get …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], env=environment, **quiet)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    return subprocess.run(command, env=environment, **quiet).returncode == 0


def mongod_library() -> None:
    """The embedded mongod needs libcurl, the one system library that not every machine has."""
    loads = subprocess.run([BIN / "python", "-c", "import ctypes; ctypes.CDLL('libcurl.so.4')"], capture_output=True)
    if sys.platform == "linux" and not shutil.which("mongod") and loads.returncode:
        system_packages("libcurl4")  # where it cannot, the stack says what to do


def browser() -> None:
    """A Chromium for the browser tests: one on PATH, else Debian's, else Playwright's own; without one they skip."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return
    if system_packages("chromium", "fonts-noto-cjk"):
        return
    result = subprocess.run([BIN / "playwright", "install", "chromium"], capture_output=True)
    if result.returncode:
        print("No Chromium can be had here: the browser tests will be skipped.", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also what the tests and the linters need")
    parser.add_argument("--browser", action="store_true", help="also a Chromium for the browser tests")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - said kindly, before pip says it unkindly
        print(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.11 …",
            file=sys.stderr,
        )
        return 1
    try:
        with alone():
            install(dev=arguments.dev)
            mongod_library()
            if arguments.browser:
                browser()
    except InstallError as error:
        print(f"mmproject: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
