"""What every benchmark shares: its arguments, and the one JSON line that it ends with."""

import argparse
import json
import os
import platform
import sys
from pathlib import Path


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser that knows `--quick`: sizes that finish in under a minute, for CI."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="small sizes, under a minute")
    return arguments


def progress(text: str) -> None:
    """A line for whoever waits, on stderr."""
    print(text, file=sys.stderr, flush=True)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def report(name: str, figures: dict[str, float]) -> None:
    """Print the benchmark's result as one JSON object on one line: the last of stdout."""
    print(json.dumps({"benchmark": name, "machine": machine(), "figures": figures}, ensure_ascii=False), flush=True)


def _cpu_name() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
