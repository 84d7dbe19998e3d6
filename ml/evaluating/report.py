"""The figures as a page that needs nothing else: no script, no other file, no network."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ml.evaluating.examples import Example

SHOWN_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


def render(report: Mapping[str, Any], examples: Mapping[str, Sequence[Example]]) -> str:
    """The page of `report`, an `Evaluation.as_dict()`; `examples` of "product" and "brand". All text is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "at_coverages": at_coverages}
    return environment.get_template("report.html.jinja").render(**report, examples=examples)


def write_report(folder: Path, report: Mapping[str, Any], examples: Mapping[str, Sequence[Example]]) -> Path:
    """Write report.json and report.html into `folder`, each whole or not at all, and return the page's path.

    The JSON holds the examples too, without their pictures.
    """
    told = {head: [asdict(one) | {"picture": None} for one in found] for head, found in examples.items()}
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "report.json", json.dumps({**report, "examples": told}, ensure_ascii=False, indent=1))
    page = folder / "report.html"
    _write(page, render(report, examples))
    return page


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(text.encode("utf-8", "replace"))  # halves of surrogate pairs occur in titles
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def percent(share: float | None, digits: int = 1) -> str:
    """0.5 → "50.0 %", with a space at which no line breaks."""
    return "–" if share is None else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def at_coverages(curve: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """The points of a risk/coverage curve at or just above some coverages, the largest first."""
    found: list[dict[str, float]] = []
    points = list(zip(curve["threshold"], curve["coverage"], curve["risk"], strict=True))
    for wanted in SHOWN_COVERAGES:
        reached = [point for point in points if point[1] >= wanted - 1e-9]
        if reached:
            point = dict(zip(("threshold", "coverage", "risk"), reached[0], strict=True))
            if point not in found:
                found.append(point)
    return found
