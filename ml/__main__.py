"""`python -m ml train | predict | evaluate`: the library without Django. Exit code 2 means that the input is wrong."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from ml.data.records import DatasetError, read_dataset
from ml.serving import ModelFolderError, Pair
from ml.training import ConfigError, TrainingProgress, read_config, train

BATCH = 64


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        options.run(options)
    except (ConfigError, DatasetError, ModelFolderError) as error:
        print(f"ml {options.command}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        print(f"ml {options.command}: stopped", file=sys.stderr)  # noqa: T201
        return 130
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """argparse takes `key=value` only before the first option; people write it last."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and (options.command != "train" or any(one.startswith("-") for one in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.changes += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="train a model from a dataset folder")
    command.add_argument("config", type=Path, help="for example ml/configs/vilt_demo.yaml")
    command.add_argument("changes", nargs="*", metavar="key=value", help="for example epochs=10 model.layers=2")
    command.add_argument("--data", type=Path, required=True, help="the dataset folder")
    command.add_argument("--output", type=Path, required=True, help="the model folder to write")
    command.set_defaults(run=_train)
    command = commands.add_parser("predict", help="predict brand and product for a file of pairs, as JSON lines")
    command.add_argument("model", type=Path, help="the model folder")
    command.add_argument("file", type=Path, help='JSON lines of {"image": path beside the file, "title": text}')
    command.set_defaults(run=_predict)
    command = commands.add_parser("evaluate", help="accuracy on the val split of a dataset folder, as JSON")
    command.add_argument("model", type=Path, help="the model folder")
    command.add_argument("--data", type=Path, required=True, help="the dataset folder")
    command.add_argument("--image-only", action="store_true", help="leave the titles out")
    command.set_defaults(run=_evaluate)
    return parser


def _train(options: argparse.Namespace) -> None:
    with tqdm(desc="reading", file=sys.stderr, mininterval=0.5) as bar:

        def show(progress: TrainingProgress) -> None:
            if progress.stage != bar.desc.removesuffix(": "):
                bar.reset(progress.total_steps)
                bar.set_description(progress.stage)
            if progress.loss is not None:
                bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)
            bar.update(progress.step - bar.n)

        changed = read_config(options.config, options.changes)
        result = train(changed, dataset=options.data, output=options.output, on_progress=show)
    _print(result.metrics)


def _predict(options: argparse.Namespace) -> None:
    from ml.serving.predictor import Predictor

    pairs = list(_pairs(options.file))
    predictor = Predictor.load(options.model)
    for start in tqdm(range(0, len(pairs), BATCH), desc="predict", unit="batch", file=sys.stderr):
        for answer in predictor.predict(pairs[start : start + BATCH]):
            _print(asdict(answer))


def _pairs(path: Path) -> Iterator[Pair]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would cut titles at U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{path}:{number}: not JSON ({error})") from None
        if not isinstance(value, dict):
            raise DatasetError(f"{path}:{number}: a {type(value).__name__} where an object is expected")
        image, title = value.get("image"), value.get("title", "")
        if not isinstance(image, str) or not isinstance(title, str):
            raise DatasetError(f"{path}:{number}: image={image!r} and title={title!r} must be text")
        yield Pair(path.parent / image, title)


def _evaluate(options: argparse.Namespace) -> None:
    from ml.metrics import Accuracy
    from ml.serving.predictor import Predictor

    data = read_dataset(options.data)
    records = data.split("val")
    predictor = Predictor.load(options.model)
    brand = product = read = 0
    for start in tqdm(range(0, len(records), BATCH), desc="evaluate", unit="batch", file=sys.stderr):
        batch = records[start : start + BATCH]
        pairs = [Pair(record.image, "" if options.image_only else record.title) for record in batch]
        for record, answer in zip(batch, predictor.predict(pairs), strict=True):
            read += answer.error is None
            brand += answer.error is None and answer.brand == record.brand
            product += answer.error is None and answer.product == record.product
    figures = {"product": Accuracy(product, len(records)).as_dict(), "brand": Accuracy(brand, len(records)).as_dict()}
    _print({"records": len(records), "pictures_read": read} | figures)


def _print(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
