"""`python -m ml data`: what it prints, its exit codes, and that it leaves things alone."""

import json
from pathlib import Path

import pytest

from ml.__main__ import main
from ml.data.catalog import Brand, Product
from ml.data.records import Record, read_dataset
from ml.data.writing import DatasetWriter
from tests.ml.factories import read_records, write_picture, write_records
from tests.ml.test_muge import jpeg, part, query


def run(*arguments: object) -> int:
    return main(["data", *(str(argument) for argument in arguments)])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Six records with pictures of their own, and a product with one."""
    with DatasetWriter(tmp_path / "written", query={"by": "a test"}) as writer:
        for number in range(6):
            data = write_picture(tmp_path / f"{number}.jpg", (40 * number, 9, 9)).read_bytes()
            ref = writer.picture(f"{number}.jpg", data)
            split = ("train", "val", "test")[number % 3]
            writer.listing(
                Record(
                    id=f"r{number}", images=(ref,), title="茶", brand="b", product="p", split=split, width=80, height=60
                )
            )
            writer.label({"kind": "label", "listing": f"r{number}", "used": True})
        picture = writer.picture("p.jpg", jpeg(7))
        writer.catalog(
            brands=[Brand(id="b", name="B")], products=[Product(id="p", name="P", brand="b", images=(picture,))]
        )
    return tmp_path / "written"


def test_a_sound_folder_is_exit_0(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", written) == 0
    said = capsys.readouterr()
    counts = json.loads(said.out)
    assert counts == {
        "records": 6,
        "pictures": 7,
        "train": 2,
        "val": 2,
        "test": 2,
        "labelled": 6,
        "labels": 6,
        "bad": 0,
    }
    assert "check" in said.err


def test_everything_that_is_wrong_is_named_and_exit_1(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = read_records(written)
    records[2]["product"] = "unheard-of"
    records[3]["id"] = "r0"
    write_records(written, records)
    with (written / "listings.jsonl").open("a") as file:
        file.write("{\n")
    (written / "images" / "1.jpg").write_bytes((written / "images" / "1.jpg").read_bytes()[:-300])
    (written / "images" / "4.jpg").unlink()
    (written / "images" / "p.jpg").write_bytes(b"")
    with (written / "labels.jsonl").open("a") as file:
        file.write("[]\n")
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert run("check", written) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["bad"] == 8
    for named in (
        "listings.jsonl:3: record r2 names product 'unheard-of'",
        "listings.jsonl:4: id='r0' came before",
        "listings.jsonl:7: not JSON",
        "record r1: images/1.jpg: the picture is damaged",
        "record r4: images/4.jpg: the file is missing",
        "product p: images/p.jpg",
        "labels.jsonl:7: a list",
        "is not that of the content",
    ):
        assert named in said.err
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before


def test_what_is_no_dataset_folder_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path / "nowhere") == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_folder_is_packed_into_tars(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("shard", written, tmp_path / "packed") == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["records"], counts["pictures"], counts["labels"], counts["bad"]) == (6, 7, 6, 0)
    before, after = read_dataset(written), read_dataset(tmp_path / "packed")
    for one, other in zip(before.everything(), after.everything(), strict=True):
        assert (one.id, one.split, one.width) == (other.id, other.split, other.width)
        assert other.images[0].startswith("shards/00000.tar:")
        assert before.picture(one.images[0]) == after.picture(other.images[0])
    assert after.picture(after.products["p"].images[0]) == jpeg(7)
    assert (tmp_path / "packed" / "labels.jsonl").read_bytes() == (written / "labels.jsonl").read_bytes()
    assert after.manifest["query"] == {"by": "a test", "sharded_from": before.manifest["hash"]}
    assert run("check", tmp_path / "packed") == 0
    assert run("shard", tmp_path / "packed", tmp_path / "again") == 0
    assert run("check", tmp_path / "again") == 0


def test_a_record_without_its_picture_is_named_and_not_packed(
    written: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (written / "images" / "4.jpg").unlink()
    assert run("shard", written, tmp_path / "packed") == 0
    assert [record.id for record in read_dataset(tmp_path / "packed").everything()] == ["r0", "r1", "r2", "r3", "r5"]
    assert "r4" in caplog.text


def test_an_output_that_is_there_is_exit_2_and_left_alone(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "packed").mkdir()
    assert run("shard", written, tmp_path / "packed") == 2
    assert "already there" in capsys.readouterr().err
    assert list((tmp_path / "packed").iterdir()) == []


def test_muge_is_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = part(tmp_path, "train", {"0": jpeg(0), "1": jpeg(1)}, [query(1, "红裙", 0, 1)])
    other = part(tmp_path, "val", {"2": jpeg(2)}, [query(2, "绿茶", 2)])
    arguments = [text for two in (one, other) for text in ("--part", two.split, two.pictures, two.queries)]
    assert run("muge", tmp_path / "data", *arguments) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["records"], counts["pictures"], counts["train"], counts["val"]) == (2, 3, 1, 1)
    assert run("check", tmp_path / "data") == 0


def test_a_split_that_is_none_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("muge", tmp_path / "data", "--part", "valid", "a", "b") == 2
    assert "--part valid is not one of train, val, test" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [[], ["check"], ["shard"], ["muge"]])
def test_each_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*command, "--help")
    assert caught.value.code == 0
    assert "usage" in capsys.readouterr().out
