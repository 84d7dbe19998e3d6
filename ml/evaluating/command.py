"""`python -m ml evaluate`: figures as JSON on standard output, a report as a folder."""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ml.data.records import read_dataset
from ml.evaluating.questions import EvaluationError, records_of

if TYPE_CHECKING:
    from ml.evaluating.evaluate import Evaluation, HeadFigures

SPLITS = ("val", "test", "train")
MODES = {
    "image-only": "leave the titles out",
    "text-only": "leave the pictures out",
    "mask-brand": "take the brand's name and aliases out of the titles: is it read from the picture?",
}
TOLD = 20  # unreadable pictures named in the report
log = logging.getLogger(__name__)


def add_to(commands: Any) -> None:
    """Add the command to those of `argparse`'s `add_subparsers`."""
    command = commands.add_parser("evaluate", help="how good a model is on a split of a dataset folder, as JSON")
    command.add_argument("model", type=Path, help="the model folder")
    command.add_argument("--data", type=Path, required=True, help="the dataset folder")
    command.add_argument("--split", choices=SPLITS, default="val", help="which listings (default: %(default)s)")
    what = command.add_mutually_exclusive_group()
    for mode, words in MODES.items():
        what.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=words)
    command.add_argument(
        "--report", type=Path, metavar="FOLDER", help="write report.json and report.html there, all figures and charts"
    )
    command.add_argument("--batch-size", type=_positive, default=16, metavar="N", help="default: %(default)s")
    command.set_defaults(run=run, mode="both")


def run(options: argparse.Namespace) -> None:
    """Raises EvaluationError, DatasetError or ModelFolderError for what is wrong with the input."""
    data = read_dataset(options.data)
    records = records_of(data, options.split)
    if options.report is not None:
        _check_report_folder(options.report)

    from ml.evaluating.ask import ask
    from ml.evaluating.evaluate import evaluate
    from ml.serving.predictor import Predictor

    predictor = Predictor.load(options.model)
    with tqdm(total=len(records), desc="evaluate", unit="pair", file=sys.stderr, mininterval=0.5) as bar:
        asked = ask(
            predictor, data=data, records=records, mode=options.mode, batch_size=options.batch_size, tell=bar.update
        )
    for identity, why in asked.unreadable:
        log.warning("the picture of %s cannot be read and is left out: %s", identity, why)
    labels = predictor.labels
    about = {
        "model": options.model.resolve().name,
        "data": options.data.resolve().name,
        "split": options.split,
        "mode": options.mode,
        "unreadable": [{"id": identity, "why": why} for identity, why in asked.unreadable[:TOLD]],
    }
    figures = evaluate(
        about=about,
        unreadable=len(asked.unreadable),
        brand=asked.brand,
        product=asked.product,
        brands=labels.brands,
        products=labels.products,
    )
    page = None
    if options.report is not None:
        from ml.evaluating.examples import examples_of
        from ml.evaluating.report import write_report

        heads = {"product": (asked.product, labels.products), "brand": (asked.brand, labels.brands)}
        examples = {
            head: examples_of(answers, entries=entries, data=data, records=records, rows=asked.rows)
            for head, (answers, entries) in heads.items()
        }
        page = write_report(options.report, figures.as_dict(), examples)
    print(json.dumps(summary(figures, page=page), ensure_ascii=False), flush=True)  # noqa: T201


def summary(figures: "Evaluation", *, page: Path | None) -> dict[str, Any]:
    """The figures that one looks at first."""
    return {
        "split": figures.about["split"],
        "mode": figures.about["mode"],
        **figures.counts,
        "unknown_to_the_model": {"product": figures.product.unknown, "brand": figures.brand.unknown},
        "product": _head(figures.product),
        "brand": _head(figures.brand),
        "consistency": asdict(figures.consistency),
        "report": None if page is None else str(page),
    }


def _head(figures: "HeadFigures") -> dict[str, Any]:
    calibration = asdict(figures.calibration)
    return {"top1": figures.top1, "top5": figures.top5, "macro_f1": asdict(figures.macro_f1), "ece": calibration["ece"]}


def _check_report_folder(folder: Path) -> None:
    """Before the work, not after it."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise EvaluationError(f"report={folder}: {existing} is not a folder")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return value
