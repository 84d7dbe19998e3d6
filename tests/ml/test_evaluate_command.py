"""`python -m ml evaluate` as a program: what it prints, what it writes, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml.__main__ import main
from tests.ml.factories import read_records, write_json, write_records


def run(*arguments: object) -> int:
    try:
        return main(["evaluate", *(str(argument) for argument in arguments)])
    except SystemExit as stop:  # argparse's own refusals
        return int(stop.code or 0)


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)


def trained(model_folder: Path) -> dict[str, Any]:
    return json.loads((model_folder / "metrics.json").read_text(encoding="utf-8"))


def test_it_finds_what_the_training_found(
    model_folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(model_folder, "--data", dataset, "--batch-size", 4) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["split"], found["records"], found["answered"], found["report"]) == ("val", 6, 6, None)
    assert found["product"]["top1"] == trained(model_folder)["product"]
    assert found["brand"]["top1"] == trained(model_folder)["brand"]
    assert found["unknown_to_the_model"] == {"product": 0, "brand": 0}
    assert 0 <= found["product"]["ece"]["value"] <= 1
    assert "6/6" in said.err


def test_pictures_alone(model_folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model_folder, "--data", dataset, "--image-only") == 0
    assert figures(capsys)["product"]["top1"] == trained(model_folder)["product_image_only"]


def test_titles_alone_open_no_picture(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in (own_dataset / "images").iterdir():
        picture.unlink()
    assert run(model_folder, "--data", own_dataset, "--text-only") == 0
    found = figures(capsys)
    assert (found["mode"], found["answered"], found["unreadable"]) == ("text-only", 6, 0)


def test_a_masked_brand_is_as_a_title_without_it(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Titles that name their brand, by name or alias, give the figures of the same titles without it."""
    catalog = json.loads((own_dataset / "catalog.json").read_text(encoding="utf-8"))
    for brand in catalog["brands"]:
        brand["aliases"] = [f"品牌{brand['id'][-1]}"]
    write_json(own_dataset / "catalog.json", catalog)
    records = read_records(own_dataset)
    plain = [record | {"title": record["title"].split(" ")[0]} for record in records]
    spellings = {"": [""], "brand-0": ["BRAND-0", "品牌0"], "brand-1": ["ｂｒａｎｄ-1", "品牌1"]}
    named = [
        record | {"title": f"{spellings[record['brand']][row % len(spellings[record['brand']])]} {record['title']}"}
        for row, record in enumerate(plain)
    ]
    found = []
    for content, mode in ((plain, []), (named, ["--mask-brand"])):
        write_records(own_dataset, content)
        assert run(model_folder, "--data", own_dataset, *mode) == 0
        found.append(figures(capsys))
    assert found[0]["product"] == found[1]["product"]
    assert found[0]["brand"] == found[1]["brand"]


def test_it_writes_a_report(
    model_folder: Path, own_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a wrong label, so that something is confused: its picture is an example."""
    records = read_records(own_dataset)
    wrong = next(record for record in records if record["split"] == "val" and record["product"] == "product-0")
    wrong |= {"product": "product-1", "brand": "brand-1", "title": "<script>alert(1)</script>"}
    write_records(own_dataset, records)
    assert run(model_folder, "--data", own_dataset, "--image-only", "--report", tmp_path / "report") == 0
    found = figures(capsys)
    page = Path(found["report"]).read_text(encoding="utf-8")
    assert "data:image/jpeg" in page
    assert "<script" not in page
    told = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert told["product"]["top1"] == found["product"]["top1"]
    assert told["about"]["mode"] == "image-only"
    assert wrong["id"] in [one["id"] for one in told["examples"]["product"]]


def test_another_split(model_folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model_folder, "--data", dataset, "--split", "train") == 0
    assert figures(capsys)["records"] == 18


def test_a_picture_that_cannot_be_read_is_counted_apart_and_named(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bad = next(record for record in read_records(own_dataset) if record["split"] == "val")
    (own_dataset / bad["images"][0]).write_bytes(b"<html>")
    assert run(model_folder, "--data", own_dataset) == 0
    found = figures(capsys)
    assert (found["records"], found["answered"], found["unreadable"]) == (6, 5, 1)
    assert found["product"]["top1"]["total"] == 5
    assert bad["id"] in caplog.text


def test_products_that_the_model_does_not_know_are_counted_apart(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rename_products(own_dataset, {"product-2"})
    assert run(model_folder, "--data", own_dataset) == 0
    found = figures(capsys)
    assert found["unknown_to_the_model"] == {"product": 2, "brand": 0}
    assert (found["product"]["top1"]["total"], found["brand"]["top1"]["total"]) == (4, 6)


def test_no_known_product_at_all_is_exit_2(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rename_products(own_dataset, {"product-0", "product-1", "product-2"})
    assert run(model_folder, "--data", own_dataset) == 2
    assert "knows 3 products, and none of the 6 listings" in capsys.readouterr().err


def test_no_readable_picture_at_all_is_exit_2(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for picture in (own_dataset / "images").iterdir():
        picture.unlink()
    assert run(model_folder, "--data", own_dataset) == 2
    assert "none of 6 pictures can be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--split", "dev"], "'dev'"),
        (["--split", "test"], "split='test'"),
        (["--image-only", "--text-only"], "not allowed with"),
        (["--batch-size", "0"], "'0'"),
        (["--batch-size", "many"], "'many'"),
        (["layers=2"], "layers=2"),
    ],
)
def test_a_wrong_option_is_exit_2_and_named(
    model_folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str], more: list[str], word: str
) -> None:
    assert run(model_folder, "--data", dataset, *more) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert said.out == ""


def test_a_report_that_cannot_be_written_is_exit_2_before_the_work(
    model_folder: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    for report in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run(model_folder, "--data", dataset, "--report", report) == 2
        assert "is not a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_model_is_exit_2_and_leaves_no_report(
    own_model_folder: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_model_folder / "model.safetensors").write_bytes(b"half")
    assert run(own_model_folder, "--data", dataset, "--report", tmp_path / "report") == 2
    assert "model.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_aliases_that_are_no_texts_are_exit_2(
    model_folder: Path, own_dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = json.loads((own_dataset / "catalog.json").read_text(encoding="utf-8"))
    catalog["brands"][0]["aliases"] = "one, two"
    write_json(own_dataset / "catalog.json", catalog)
    assert run(model_folder, "--data", own_dataset, "--mask-brand") == 2
    assert "'one, two'" in capsys.readouterr().err


def test_it_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    printed = capsys.readouterr().out
    for option in ("--split", "--image-only", "--text-only", "--mask-brand", "--report", "--batch-size"):
        assert option in printed


def rename_products(folder: Path, products: set[str]) -> None:
    """Let the listings of some products be of others, which the model never saw."""
    catalog = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))
    catalog["products"] += [entry | {"id": f"new-{entry['id']}"} for entry in catalog["products"]]
    write_json(folder / "catalog.json", catalog)
    records = read_records(folder)
    for record in records:
        if record["product"] in products:
            record["product"] = f"new-{record['product']}"
    write_records(folder, records)
