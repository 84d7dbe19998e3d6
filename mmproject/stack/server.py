"""A server as a child process: started, waited for, stopped, and never left behind."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mmproject.stack import StackError

MIN_FREE_BYTES = 500 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_port(port: int, *, variable: str) -> None:
    """Raise StackError, naming `variable`, when something already listens on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"Port {port} is not free ({error.strerror}): stop the program that uses it, "
                f"or choose another port: {variable}={port + 10} make demo"
            ) from None


def make_folder(folder: Path) -> None:
    """Make the state folder. Raises StackError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"The state folder {folder} cannot be made ({error.strerror}): name another one: STATE_DIR=/path make demo"
        ) from None


def check_space(folder: Path) -> None:
    """Raise StackError when the disk of `folder` is nearly full."""
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise StackError(
            f"Only {free // 2**20} MiB are free on the disk of {folder}: free at least {MIN_FREE_BYTES // 2**20} MiB, "
            "or name a folder elsewhere: STATE_DIR=/path make demo"
        )


def die_with_parent() -> None:
    """In the child, before exec: on Linux ask for SIGTERM when the parent dies (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """A child process that counts as started once `is_ready` says so. A context manager: leaving stops it.

    The child has a session of its own, so that Ctrl-C in the terminal reaches only us and we choose the order of stops.
    """

    def __init__(self, *, name: str, command: Sequence[str], log: Path, is_ready: Callable[[], bool]) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.is_ready = is_ready
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout: float = 30) -> None:
        """Start and wait until ready. Raises StackError with the last line of the log when it dies or is too slow."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own command
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            except OSError as error:
                raise StackError(f"{self.name} cannot be run: {self.command[0]}: {error.strerror}") from None
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.process.poll() is not None:
                raise StackError(f"{self.name} stopped at once ({self._last_words()}); its log is {self.log}")
            if time.monotonic() > deadline:
                self.stop()
                raise StackError(f"{self.name} did not answer within {timeout:.0f} s; its log is {self.log}")
            time.sleep(0.05)

    def wait(self) -> int:
        """Block until the server ends; its exit code."""
        assert self.process is not None
        return self.process.wait()

    def stop(self, *, sig: int = signal.SIGTERM, timeout: float = 20) -> None:
        """Send `sig` and wait; kill what does not go. Stopping what is not running does nothing."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(sig)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else "it said nothing"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
