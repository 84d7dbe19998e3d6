"""MUGE's files, streamed: what is read, what is named, and the dataset folder that comes of them."""

import base64
import io
import json
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ml.data.errors import DatasetError
from ml.data.muge import BadLine, MugePicture, MugeQuery, read_pictures, read_queries
from ml.data.muge_dataset import MugePart, convert_muge
from ml.data.records import read_dataset


def jpeg(number: int, size: tuple[int, int] = (12, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (number % 256, 90, 200)).save(buffer, "JPEG")
    return buffer.getvalue()


def write_pictures(path: Path, pictures: dict[str, bytes]) -> Path:
    path.write_bytes(
        b"".join(item.encode() + b"\t" + base64.b64encode(data) + b"\n" for item, data in pictures.items())
    )
    return path


def write_queries(path: Path, queries: list[object]) -> Path:
    path.write_text("".join(json.dumps(query, ensure_ascii=False) + "\n" for query in queries), encoding="utf-8")
    return path


def test_pictures_are_read(tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "imgs.tsv", {"1000": b"\xff\xfe?>", "1001": b"two"})
    assert list(read_pictures(path)) == [MugePicture("1000", b"\xff\xfe?>"), MugePicture("1001", b"two")]
    path.write_bytes(b"7\t" + base64.urlsafe_b64encode(b"\xff\xfe?>") + b"\r\n\r\n")
    assert list(read_pictures(path)) == [MugePicture("7", b"\xff\xfe?>")]


def test_queries_are_read_by_either_copys_names(tmp_path: Path) -> None:
    path = write_queries(
        tmp_path / "texts.jsonl",
        [
            {"query_id": 1, "query_text": " 纯棉碎花吊带裙 ", "item_ids": [1000, 1001, 1000]},
            {"text_id": "2", "text": "茶", "image_ids": ["a"]},
            {"query_id": 3, "query_text": "U+2028 \u2028 is no end"},
        ],
    )
    assert list(read_queries(path)) == [
        MugeQuery("1", "纯棉碎花吊带裙", ("1000", "1001")),
        MugeQuery("2", "茶", ("a",)),
        MugeQuery("3", "U+2028 \u2028 is no end", ()),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "a list where"),
        ('{"query_text": "x", "item_ids": []}', "query_id=None"),
        ('{"query_id": true, "query_text": "x"}', "query_id=True"),
        ('{"query_id": 1, "query_text": " "}', "query_text=' '"),
        ('{"query_id": 1, "query_text": "x", "item_ids": 5}', "item_ids=5"),
        ('{"query_id": 1, "query_text": "x", "item_ids": [null]}', r"item_ids=\[None\]"),
    ],
)
def test_a_query_that_cannot_be_used_is_named_and_the_next_is_read(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(line + '\n{"query_id": 9, "query_text": "tea", "item_ids": [1]}\n', encoding="utf-8")
    bad, good = read_queries(path)
    assert isinstance(bad, BadLine)
    assert bad.place == f"{path}:1"
    assert re.search(reason, bad.reason)
    assert good == MugeQuery("9", "tea", ("1",))


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b""))))
def test_any_lines_are_read_or_named(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("muge") / "file"
    path.write_bytes(b"\n".join(lines))
    wanted = sum(bool(line.strip()) for line in lines)
    for read in (read_pictures, read_queries):
        found = list(read(path))
        assert len(found) == wanted
        assert all(one.place.startswith(f"{path}:") for one in found if isinstance(one, BadLine))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_pictures, read_queries):
        with pytest.raises(DatasetError, match="nowhere is missing"):
            list(read(tmp_path / "nowhere"))


def test_pictures_are_never_all_in_memory(tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "imgs.tsv", {str(number): bytes(1024**2) for number in range(40)})
    tracemalloc.start()
    assert sum(len(one.data) for one in read_pictures(path)) == 40 * 1024**2
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024**2


def part(folder: Path, split: str, pictures: dict[str, bytes], queries: list[object]) -> MugePart:
    return MugePart(
        split=split,
        pictures=write_pictures(folder / f"{split}_imgs.tsv", pictures),
        queries=write_queries(folder / f"{split}_texts.jsonl", queries),
    )


def query(number: int, text: str, *items: int) -> dict:
    return {"query_id": number, "query_text": text, "item_ids": list(items)}


def test_it_becomes_a_dataset_folder(tmp_path: Path) -> None:
    pictures = {str(number): jpeg(number) for number in range(4)}
    train = part(tmp_path, "train", pictures, [query(1, "红裙", 0, 1), query(2, "绿茶", 1)])
    val = part(tmp_path, "val", {"9": jpeg(9, (30, 40)), "1": jpeg(1)}, [query(1, "牛奶", 9)])
    told: list[str] = []
    counts = convert_muge([train, val], tmp_path / "data", tell=told.append)
    data = read_dataset(tmp_path / "data")
    first, second = data.split("train", labelled=False)
    assert (first.id, first.title, first.product, first.width, first.height) == ("train-1", "红裙", "", 12, 8)
    assert [data.picture(ref) for ref in first.images] == [pictures["0"], pictures["1"]]
    assert second.images == first.images[1:]
    (other,) = data.split("val", labelled=False)
    assert (other.id, other.width, other.height) == ("val-1", 30, 40)
    assert len(data.split("train")) == 0
    assert (counts["records"], counts["pictures"], counts["bad"]) == (3, 5, 0)
    assert told == ["pictures"] * 6 + ["queries"] * 3


def test_what_is_bad_is_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = part(
        tmp_path,
        "train",
        {"0": jpeg(0), "1": b"<html>"},
        [query(1, "tea", 0), query(2, "milk", 1), query(1, "again", 0), query(3, "none"), query(4, "two", 0, 1)],
    )
    with one.pictures.open("ab") as file:
        file.write(b"2\t!!!\n")
    counts = convert_muge([one], tmp_path / "data", tell=lambda what: None)
    records = read_dataset(tmp_path / "data").split("train", labelled=False)
    assert [(record.id, len(record.images)) for record in records] == [("train-1", 1), ("train-4", 1)]
    assert counts["bad"] == 5
    assert counts["without_pictures"] == 1
    for named in ("picture 1", "imgs.tsv:3", "train-2", "train-1", "train-4"):
        assert named in caplog.text


def test_too_much_that_is_bad_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    one = part(tmp_path, "train", {str(number): b"no picture" for number in range(20)}, [])
    with pytest.raises(DatasetError, match="11 of 11 records cannot be read"):
        convert_muge([one], tmp_path / "data" / "set", tell=lambda what: None)
    assert list((tmp_path / "data").iterdir()) == []
