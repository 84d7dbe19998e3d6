"""`python -m ml predict`: brand and product for a file of pairs. `python -m ml align`: where a word is in a picture."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from ml.data.records import DatasetError
from ml.serving.pairs import Pair, QuestionError

BATCH = 64


def add_to(commands: argparse._SubParsersAction) -> None:
    """The commands and their options."""
    command = commands.add_parser("predict", help="predict brand and product for a file of pairs, as JSON lines")
    command.add_argument("model", type=Path, help="the model folder")
    command.add_argument("file", type=Path, help='JSON lines of {"image": path beside the file, "title": text}')
    command.set_defaults(run=_predict)
    command = commands.add_parser(
        "align",
        help="draw where in a picture a model sees a word of its title",
        description="Draw over a picture how much of each patch the model gives to a word of the title: yellow and "
        "outlined where it is most. It means something after a pre-training with alignment. Prints the title's words "
        "as JSON.",
    )
    command.add_argument("model", type=Path, help="the model folder; one that is only pre-trained will do")
    command.add_argument("image", type=Path, help="the picture: JPEG, PNG or WebP")
    command.add_argument("title", help="its title")
    command.add_argument(
        "--word", required=True, help="the word of the title, the first of that spelling; a wrong one lists them all"
    )
    command.add_argument("--output", type=Path, required=True, metavar="PNG", help="the picture to write")
    command.set_defaults(run=_align)


def _predict(options: argparse.Namespace) -> None:
    from ml.serving.predictor import Predictor

    pairs = list(_pairs(options.file))
    predictor = Predictor.load(options.model)
    for start in tqdm(range(0, len(pairs), BATCH), desc="predict", unit="batch", file=sys.stderr):
        for answer in predictor.predict(pairs[start : start + BATCH]):
            print(json.dumps(asdict(answer), ensure_ascii=False), flush=True)  # noqa: T201


def _align(options: argparse.Namespace) -> None:
    from ml.data.images import PictureError, load_image
    from ml.serving.alignment import draw_alignment, word_alignment
    from ml.serving.model_folder import load_model_folder

    output = options.output
    if output.suffix.lower() != ".png" or not output.parent.is_dir() or output.is_dir():
        raise QuestionError(f"output={output} must be a .png in a folder that is there")
    with tqdm(total=4, desc="align", unit="step", file=sys.stderr) as bar:
        try:
            image = load_image(options.image)
        except PictureError as error:
            raise QuestionError(f"image={options.image}: {error}") from None
        bar.update()
        folder = load_model_folder(options.model)
        bar.update()
        found = word_alignment(folder.model, folder.tokenizer, folder.preprocessing, image, options.title)
        if options.word not in found.words:
            words = ", ".join(found.words) or "none"
            raise QuestionError(
                f"word={options.word!r} is not among the words that the model sees in the title: {words}"
            )
        bar.update()
        drawn = draw_alignment(image, found.heats[found.words.index(options.word)])
        part = output.with_name(f".{output.name}.part")
        with part.open("wb") as file:
            drawn.save(file, format="PNG")
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
        bar.update()
    print(json.dumps({"words": found.words, "output": str(output)}, ensure_ascii=False))  # noqa: T201


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
