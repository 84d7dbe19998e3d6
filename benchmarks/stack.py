"""How long a newcomer waits: `python -m benchmarks.stack`.

Starts `python -m mmproject.stack demo` on an empty state folder, signs in as the annotator and opens the search page;
stops it with SIGINT, as Ctrl-C does; starts it again and expects the same users and catalogue; stops it again and
counts the processes that are left. Left out: the installation, and the robot's labelling, which goes on beside
the first page.
"""

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from benchmarks.harness import parser, progress, report
from mmproject.environment import BASE_DIR, read_env_file
from mmproject.stack.server import free_port

DEADLINE_S = 120


class Demo:
    """One run of the demo on ports of its own."""

    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self.folder, self.ports = folder, ports
        # What a test session or a developer's shell may have set is not for this demo.
        own = {"MONGO_URI", "MONGO_DB", "REDIS_URL", "DATABASE_URL", "SECRET_KEY", "DEMO_DATA", "DEMO_SHOP_URL"}
        kept = {name: value for name, value in os.environ.items() if name not in own}
        environment = kept | ports | {"STATE_DIR": str(folder)}
        self.started = time.monotonic()
        command = [sys.executable, "-m", "mmproject.stack", "demo"]
        self.process = subprocess.Popen(
            command, cwd=BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr, start_new_session=True
        )

    def seconds_to_first_page(self) -> float:
        """Until a signed-in annotator has the search page with the demo's catalogue in it."""
        while True:
            try:
                if b'role="option"' in self.search_page():
                    return time.monotonic() - self.started
            except (urllib.error.URLError, ConnectionError, TimeoutError, KeyError):  # not yet
                pass
            if self.process.poll() is not None or time.monotonic() - self.started > DEADLINE_S:
                raise SystemExit("the demo did not come up")
            time.sleep(0.05)

    def search_page(self) -> bytes:
        address = f"http://127.0.0.1:{self.ports['PORT']}"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        login = browser.open(f"{address}/login/", timeout=5).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', login)
        password = read_env_file(self.folder / "env")["DEMO_ANNOTATOR_PASSWORD"]
        form = {"username": "annotator", "password": password, "csrfmiddlewaretoken": token and token.group(1)}
        browser.open(f"{address}/login/", urllib.parse.urlencode(form).encode(), timeout=20).read()
        page = browser.open(f"{address}/annotation/", timeout=20).read()
        return page + browser.open(f"{address}/annotation/products/?product=juice", timeout=20).read()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def processes_of(folder: Path) -> int:
    """How many processes live whose environment names `folder` as their state; Linux only."""
    marker = f"STATE_DIR={folder}".encode()
    count = 0
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            count += marker in environ.read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or not ours
            continue
    return count


def measure() -> dict[str, float]:
    """Two starts and two stops of the demo on a throwaway state folder."""
    ports = {name: str(free_port()) for name in ("PORT", "DEMO_SHOP_PORT", "MONGO_PORT", "REDIS_PORT")}
    seconds: list[float] = []
    left = 0
    with tempfile.TemporaryDirectory(prefix="mmproject-stack-") as scratch:
        folder = Path(scratch) / "var"
        for name in ("first start", "second start"):
            demo = Demo(folder, ports)
            seconds.append(demo.seconds_to_first_page())
            progress(f"{name}: {seconds[-1]:.1f} s, {processes_of(folder)} processes")
            demo.stop()
            left += processes_of(folder)
            progress(f"left after the stop: {left}")
    return {"first_page_s": seconds[0], "second_start_s": seconds[1], "processes_left_after_stop": left}


def main() -> None:
    parser(__doc__).parse_args()  # --quick measures the same: it takes less than a minute anyway
    report("stack", measure())


if __name__ == "__main__":
    main()
