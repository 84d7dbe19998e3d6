"""What came of a training and what went into it, as tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.models import TrainingRun
from evaluation.training_charts import curve_name

SHADES = 5


@dataclass(frozen=True)
class AccuracyRow:
    """A share from 0 to 1 with its 95 % interval."""

    name: str
    accuracy: float
    low: float
    high: float
    right: int
    total: int


@dataclass(frozen=True)
class Cell:
    """So many pairs; `shade` from 0 to SHADES tells how many of its row that is."""

    count: int
    shade: int
    right: bool


def accuracies(metrics: Mapping[str, Any]) -> list[AccuracyRow]:
    """The figures of metrics.json that are accuracies of something."""
    return [
        AccuracyRow(curve_name(name), **{key: value[key] for key in ("accuracy", "low", "high", "right", "total")})
        for name, value in metrics.items()
        if isinstance(value, dict) and {"accuracy", "low", "high", "right"} <= value.keys() and value.get("total")
    ]


def plain_figures(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All other plain figures, nested names with a dot between."""
    left = {name: value for name, value in metrics.items() if not isinstance(value, dict) or "right" not in value}
    return [(name, _shown(value)) for name, value in _flat(left) if isinstance(value, int | float | str)]


def confusion(metrics: Mapping[str, Any]) -> list[tuple[str, list[Cell]]]:
    """The rows of metrics.json's confusion, each the answers for what truly is one brand; empty without mistakes."""
    found = metrics.get("confusion") or {}
    rows = []
    for truth, (name, counts) in enumerate(zip(found.get("names", []), found.get("counts", []), strict=True)):
        most = max(1, sum(counts))
        cells = [Cell(count, -(-SHADES * count // most), said == truth) for said, count in enumerate(counts)]
        rows.append((name, cells))
    return rows


def parameters(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All keys of the configuration as it was trained, nested ones with a dot, as `key=value` takes them."""
    return [(name, _shown(value)) for name, value in _flat(manifest.get("config", {}))]


def differences(runs: Sequence[tuple[TrainingRun, Mapping[str, Any]]]) -> list[tuple[str, list[str]]]:
    """(parameter, its value in each run) of those in which the runs differ; "–" where a run has no such parameter.

    A run that has not begun tells nothing, so it is left with "–".
    """
    columns = [
        {"configuration": run.config, "dataset": manifest.get("dataset", {}).get("hash", "")[:12]}
        | dict(parameters(manifest))
        for run, manifest in runs
    ]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [(name, [column.get(name) or "–" for column in columns]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
