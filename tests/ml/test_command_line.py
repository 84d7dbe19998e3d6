"""`python -m ml` as a program: what it prints, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ml.__main__ import main
from tests.ml.factories import read_records

DEMO = Path(__file__).parents[2] / "ml" / "configs" / "vilt_demo.yaml"
TINY = ["model.patch_embedding=linear", "model.image_size=64", "model.hidden_size=16", "model.layers=1", "max_steps=2"]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_it_trains(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", DEMO, "--data", dataset, "--output", tmp_path / "model", *TINY) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))


def test_it_predicts(model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures are named from where the file is; a bad one is answered with its error; U+2028 is part of a title."""
    asked = [
        {"image": "images/0-7.jpg", "title": "orange\u2028juice"},
        {"image": "images/nowhere.jpg", "title": "tea"},
        {"image": "images/1-7.jpg"},
    ]
    file = own_dataset / "asked.jsonl"
    file.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in asked) + "\n", encoding="utf-8")
    assert run("predict", model_folder, file) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.split("\n") if line]
    assert [answer["product"] for answer in answers] == ["product-0", "", "product-1"]
    assert "missing" in answers[1]["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["layers=2"], ["layers"]),
        (["model.layers=two"], ["model.layers", "'two'"]),
        (["model.heads=5"], ["heads=5"]),
        (["batch_size=-1"], ["batch_size=-1"]),
    ],
)
def test_a_wrong_key_or_value_is_exit_2_and_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], words: list[str]
) -> None:
    assert run("train", DEMO, "--data", dataset, "--output", tmp_path / "model", *changes) == 2
    said = capsys.readouterr()
    assert all(word in said.err for word in words)
    assert said.out == ""
    assert "Traceback" not in said.err


def test_a_missing_dataset_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", DEMO, "--data", tmp_path / "nowhere", "--output", tmp_path / "model") == 2
    assert "nowhere" in capsys.readouterr().err


def test_an_output_that_is_there_is_exit_2(
    dataset: Path, own_model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", DEMO, "--data", dataset, "--output", own_model_folder) == 2
    assert "already there" in capsys.readouterr().err


def test_too_many_broken_records_are_exit_2_with_the_first_ones_line(
    own_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own_dataset / "listings.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"id": "x"}\n' * 11, encoding="utf-8")
    assert run("train", DEMO, "--data", own_dataset, "--output", tmp_path / "model") == 2
    assert f"listings.jsonl:{len(read_records(own_dataset)) - 10}: title=None" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_missing_model_is_exit_2(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text("")
    rest = [file] if command == "predict" else ["--data", dataset]
    assert run(command, tmp_path / "nowhere", *rest) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"image": 7}', '{"image": "a.jpg", "title": 7}'])
def test_a_broken_question_is_exit_2_with_its_line(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text(f'{{"image": "a.jpg"}}\n{line}\n')
    assert run("predict", model_folder, file) == 2
    assert "asked.jsonl:2: " in capsys.readouterr().err


def test_it_is_a_program_with_help() -> None:
    done = subprocess.run([sys.executable, "-m", "ml", "--help"], capture_output=True, text=True, check=True)
    for command in ("train", "predict", "evaluate"):
        assert command in done.stdout


def test_no_command_is_exit_2() -> None:
    done = subprocess.run([sys.executable, "-m", "ml"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
