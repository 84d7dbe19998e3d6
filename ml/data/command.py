"""`python -m ml data check | shard | muge`: dataset folders without training."""

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from ml.data.errors import DatasetError
from ml.data.record_lines import SPLITS


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `data` with its own commands to those of `python -m ml`."""
    parser = commands.add_parser("data", help="check, pack or convert dataset folders")
    parts = parser.add_subparsers(dest="data_command", required=True)
    part = parts.add_parser(
        "check",
        help="read every line and picture",
        description="Read every line and decode every picture of a dataset folder; name each that is wrong on standard "
        "error, print counts as JSON. Exit code 0: all is well, 1: something is wrong, 2: it is no dataset folder.",
    )
    part.add_argument("folder", type=Path, help="the dataset folder")
    part.set_defaults(run=_check)
    part = parts.add_parser(
        "shard",
        help="write a dataset folder again with its pictures in tars",
        description="Write a dataset folder again with its pictures in tars of about a gigabyte, which are quicker to "
        "copy and to open than a million files. Prints counts as JSON.",
    )
    part.add_argument("folder", type=Path, help="the dataset folder")
    part.add_argument("output", type=Path, help="the folder to write")
    part.set_defaults(run=_shard)
    part = parts.add_parser(
        "muge",
        help="convert MUGE's files",
        description="Convert MUGE's files (…_imgs.tsv and …_texts.jsonl) into a dataset folder for pre-training: a "
        "record a query, without products. They are streamed. Prints counts as JSON.",
    )
    part.add_argument("output", type=Path, help="the folder to write")
    part.add_argument(
        "--part",
        nargs=3,
        action="append",
        required=True,
        metavar=("SPLIT", "IMGS_TSV", "TEXTS_JSONL"),
        help=f"the two files of a split, which is one of {', '.join(SPLITS)}; again for each",
    )
    part.set_defaults(run=_muge)


def _check(options: argparse.Namespace) -> int:
    from ml.data.checking import check_dataset

    with _bar("check", "record") as bar:

        def complain(what: str) -> None:
            bar.clear()
            print(what, file=sys.stderr)  # noqa: T201

        counts = check_dataset(options.folder, complain=complain, tell=bar.update)
    _print(counts)
    return 1 if counts["bad"] else 0


def _shard(options: argparse.Namespace) -> None:
    from ml.data.sharding import shard_dataset

    with _bar("shard", "record") as bar:

        def tell(total: int) -> None:
            bar.total = total
            bar.update()

        counts = shard_dataset(options.folder, options.output, tell=tell)
    _print(counts)


def _muge(options: argparse.Namespace) -> None:
    from ml.data.muge_dataset import MugePart, convert_muge

    for split, _pictures, _queries in options.part:
        if split not in SPLITS:
            raise DatasetError(f"--part {split} is not one of {', '.join(SPLITS)}")
    parts = [MugePart(split=split, pictures=Path(one), queries=Path(other)) for split, one, other in options.part]
    with _bar("pictures", "line") as bar:

        def tell(what: str) -> None:
            if bar.desc.removesuffix(": ") != what:
                bar.reset()
                bar.set_description(what)
            bar.update()

        counts = convert_muge(parts, options.output, tell=tell)
    _print(counts)


def _bar(what: str, unit: str) -> tqdm:
    return tqdm(desc=what, unit=unit, file=sys.stderr, mininterval=0.5)


def _print(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201
