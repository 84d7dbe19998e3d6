"""metrics.jsonl: the curve of a training, line by line, which a resumed training goes on writing without a seam.

{"step": 40, "seconds": 12.3, "learning_rate": 1e-4, "losses": {"total": 1.2, "brand": 0.3, "product": 0.9}}
{"step": 40, "val": {"product": 0.81, "brand": 0.95}}
"""

import json
import os
from pathlib import Path
from typing import Any

NAME = "metrics.jsonl"


class MetricsLog:
    """Appends lines to WORK/metrics.jsonl; lines past `step`, which an interrupted training left, are cut off first."""

    def __init__(self, folder: Path, *, step: int) -> None:
        self.path = folder / NAME
        kept = [line for line in read_metrics(folder) if line["step"] <= step]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        os.replace(temporary, self.path)
        self.seconds = max((line.get("seconds", 0.0) for line in kept), default=0.0)
        self._file = self.path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of WORK/metrics.jsonl so far; a last line that is not whole yet is left out."""
    path = folder / NAME
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]
