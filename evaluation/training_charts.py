"""The curves of trainings as charts: lines told apart by colour and by dash, and a table that says the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from evaluation.models import TrainingRun

MAX_RUNS = 6  # as many colours can be told apart by everybody
TABLE_ROWS = 12
Points = Sequence[Sequence[float]]
Curves = Mapping[str, Mapping[str, Points]]  # as in TrainingJournal.curves

TITLES = {
    "losses": gettext_lazy("Loss"),
    "accuracy": gettext_lazy("Accuracy on the validation part"),
    "val_losses": gettext_lazy("Loss on the validation part"),
}
# In the order in which they are drawn.
NAMES: dict[str, str | Promise] = {
    "total": gettext_lazy("sum of the parts"),
    "mlm": gettext_lazy("masked words (MLM)"),
    "itm": gettext_lazy("title and picture match (ITM)"),
    "alignment": gettext_lazy("words and patches align"),
    "product": gettext_lazy("product"),
    "brand": gettext_lazy("brand"),
    "product_image_only": gettext_lazy("product, picture alone"),
    "brand_image_only": gettext_lazy("brand, picture alone"),
}


@dataclass(frozen=True)
class Line:
    """`points` are [step, value]; `colour` and `dash` count from 0."""

    label: str
    colour: int
    dash: int
    points: Points


@dataclass(frozen=True)
class Chart:
    id: str
    title: str
    percent: bool
    lines: list[Line]

    @property
    def table(self) -> list[tuple[int, list[float | None]]]:
        """Some steps, each with the value of every line there: the last measured by then, None outside of the line."""
        return [(step, [_value_at(line.points, step) for line in self.lines]) for step in _some_steps(self.lines)]


@dataclass(frozen=True)
class CurveChoice:
    key: str  # "losses.brand"
    label: str


def charts_of_run(curves: Curves) -> list[Chart]:
    """All charts, those without lines too: the page waits for their first point."""
    charts = []
    for chart, title in TITLES.items():
        keys = [key for key in _keys([curves]) if _chart_of(key) == chart]
        lines = [Line(_label(key), place, place, _points(curves, key)) for place, key in enumerate(keys)]
        charts.append(Chart(chart, str(title), chart == "accuracy", lines))
    return charts


def charts_of_runs(runs: Sequence[tuple[TrainingRun, Curves]], keys: Sequence[str]) -> list[Chart]:
    """The charts of the chosen curves, a colour a training and a dash a curve; charts without lines are left out."""
    charts = []
    for chart, title in TITLES.items():
        drawn = [key for key in keys if _chart_of(key) == chart]
        lines = [
            Line(f"{run.number} · {_label(key)}", colour, dash, points)
            for colour, (run, curves) in enumerate(runs)
            for dash, key in enumerate(drawn)
            if (points := _points(curves, key))
        ]
        if lines:
            charts.append(Chart(chart, str(title), chart == "accuracy", lines))
    return charts


def curve_choices(all_curves: Iterable[Curves]) -> list[CurveChoice]:
    """The curves that any of these trainings has."""
    return [CurveChoice(key, f"{TITLES[_chart_of(key)]}: {_label(key)}") for key in _keys(all_curves)]


def default_curves(known: Iterable[str]) -> list[str]:
    """The parts of the loss and the two accuracies: sums and finer figures on demand."""
    shown = ("losses.mlm", "losses.itm", "losses.product", "losses.brand", "val.product", "val.brand")
    return [key for key in shown if key in set(known)]


def curve_name(name: str) -> str:
    """What a figure of the trainer is called, in the reader's language; a new one by its own name."""
    return str(NAMES.get(_base(name), name))


def as_json(charts: Iterable[Chart]) -> dict[str, Any]:
    """What the script draws."""
    return {chart.id: {"percent": chart.percent, "lines": [vars(line) for line in chart.lines]} for chart in charts}


def _keys(all_curves: Iterable[Curves]) -> list[str]:
    found = {
        f"{group}.{name}" for curves in all_curves for group in ("losses", "val") for name in curves.get(group, {})
    }
    order = list(NAMES)

    def place(key: str) -> tuple:
        group, name = key.split(".", 1)
        base = _base(name)
        return group, order.index(base) if base in order else len(order), name

    return sorted(found, key=place)


def _base(name: str) -> str:
    """The validation of a pre-training names its figures mlm_loss, mlm_accuracy, and loss for their sum."""
    return "total" if name == "loss" else name.removesuffix("_loss").removesuffix("_accuracy")


def _label(key: str) -> str:
    return curve_name(key.split(".", 1)[1])


def _chart_of(key: str) -> str:
    group, name = key.split(".", 1)
    if group == "losses":
        return "losses"
    return "val_losses" if name.endswith("loss") else "accuracy"


def _points(curves: Curves, key: str) -> Points:
    group, name = key.split(".", 1)
    return curves.get(group, {}).get(name, [])


def _some_steps(lines: Sequence[Line]) -> list[int]:
    steps = sorted({int(step) for line in lines for step, _value in line.points})
    if len(steps) <= TABLE_ROWS:
        return steps
    return [steps[round(row * (len(steps) - 1) / (TABLE_ROWS - 1))] for row in range(TABLE_ROWS)]


def _value_at(points: Points, step: int) -> float | None:
    if not points or step > points[-1][0]:
        return None
    return next((value for at, value in reversed(points) if at <= step), None)
