"""`python -m ml train | configs | evaluate | predict | align | data`: the library without Django.

Exit code 0: done. 1: it went wrong on the way, and the last line says why. 2: the input is wrong. 130: stopped.
"""

import argparse
import sys
from collections.abc import Sequence

from ml.data import command as data
from ml.data.records import DatasetError
from ml.evaluating import command as evaluating
from ml.evaluating.questions import EvaluationError
from ml.serving import ModelFolderError, QuestionError
from ml.serving import command as serving
from ml.training import ConfigError, TrainingDiverged
from ml.training import command as training


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        return options.run(options) or 0
    except (ConfigError, DatasetError, EvaluationError, ModelFolderError, QuestionError) as error:
        print(f"ml {options.command}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except TrainingDiverged as error:
        print(f"ml {options.command}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        print(f"ml {options.command}: stopped", file=sys.stderr)  # noqa: T201
        return 130


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """argparse takes `key=value` only before the first option; people write it last."""
    parser = argparse.ArgumentParser(
        prog="python -m ml", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for part in (training, evaluating, serving, data):
        part.add_to(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest and (options.command != "train" or any(one.startswith("-") for one in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.changes += rest
    return options


if __name__ == "__main__":
    sys.exit(main())
