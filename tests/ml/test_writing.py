"""What is written is what is read, whole or not at all."""

import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.data.catalog import Brand, Product
from ml.data.errors import DatasetError
from ml.data.records import Record, read_dataset
from ml.data.shards import ShardWriter
from ml.data.writing import DatasetWriter, content_hash

BRAND = Brand(id="b", name="品牌", aliases=("B", "Bee"))
PRODUCT = Product(id="p", name="茶", brand="b", description="green tea", images=("images/p.jpg",))


def record(number: int, ref: str, **values: object) -> Record:
    fields: dict = {
        "id": f"r{number}",
        "images": (ref,),
        "title": f"茶 {number}",
        "brand": "b",
        "product": "p",
        "split": "train",
        "width": 3,
        "height": 4,
    }
    return Record(**(fields | values))


def write(folder: Path, pictures: list[bytes], **options: object) -> None:
    with DatasetWriter(folder, query={"by": "a test"}, **options) as writer:
        for number, data in enumerate(pictures):
            writer.listing(record(number, writer.picture(f"{number}.jpg", data)))
        writer.label({"listing": "r0", "by": "annotator", "used": True})
        writer.catalog(brands=[BRAND], products=[PRODUCT])


@pytest.mark.parametrize("shards", [False, True])
def test_what_is_written_is_read(tmp_path: Path, shards: bool) -> None:
    pictures = [bytes([number]) * (100 + number) for number in range(20)]
    write(tmp_path / "data", pictures, shards=shards, shard_bytes=5000)
    data = read_dataset(tmp_path / "data")
    assert [data.picture(one.images[0]) for one in data.split("train")] == pictures
    assert data.split("train")[3] == record(3, data.split("train")[3].images[0])
    assert (data.brands, data.products) == ({"b": BRAND}, {"p": PRODUCT})
    assert data.manifest["counts"]["records"] == data.manifest["counts"]["pictures"] == 20
    assert data.manifest["counts"]["train"] == data.manifest["counts"]["labelled"] == 20
    assert data.manifest["query"] == {"by": "a test"}
    assert data.manifest["hash"] == content_hash(tmp_path / "data")
    assert json.loads((tmp_path / "data" / "labels.jsonl").read_text())["by"] == "annotator"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_same_content_has_the_same_hash_and_other_content_another(tmp_path: Path) -> None:
    for name, pictures in {"a": [b"x", b"y"], "b": [b"x", b"y"], "c": [b"x"]}.items():
        write(tmp_path / name, pictures)
    first, same, other = (content_hash(tmp_path / name) for name in "abc")
    assert first == same != other


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with DatasetWriter(tmp_path / "data", query={}) as writer:
            writer.picture("a.jpg", b"picture")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "data", [b"a"])
    with pytest.raises(DatasetError, match="already there"):
        write(tmp_path / "data", [b"b"])
    assert (tmp_path / "data" / "images" / "0.jpg").read_bytes() == b"a"


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "data", query={}) as writer:
        writer.picture("a.jpg", b"one")
        with pytest.raises(FileExistsError):
            writer.picture("a.jpg", b"two")


def test_half_an_emoji_in_a_title_is_kept(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "data", query={}) as writer:
        ref = writer.picture("a.jpg", b"x")
        writer.listing(record(0, ref, title="茶 \ud83d\nU+2028 \u2028", brand="", product=""))
    (read,) = read_dataset(tmp_path / "data").split("train", labelled=False)
    assert read.title == "茶 \ud83d\nU+2028 \u2028"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=12), st.integers(1, 6000))
def test_shards_are_tars_and_references_find_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, pictures: list[bytes], shard_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    with ShardWriter(folder / "shards", shard_bytes=shard_bytes) as shards:
        refs = [shards.add(f"images/{number}.jpg", data) for number, data in enumerate(pictures)]
    unpacked = {}
    for path in sorted((folder / "shards").iterdir()):
        with tarfile.open(path) as tar:
            unpacked |= {one.name: tar.extractfile(one).read() for one in tar}
    assert [unpacked[f"images/{number}.jpg"] for number in range(len(pictures))] == pictures
    for ref, data in zip(refs, pictures, strict=True):
        name, _, place = ref.partition(":")
        offset, _, size = place.partition("+")
        assert (folder / name).read_bytes()[int(offset) : int(offset) + int(size)] == data


def test_a_long_name_is_no_obstacle_and_no_data_is(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "shards") as shards:
        ref = shards.add("images/" + "茶" * 200 + ".jpg", b"tea")
        with pytest.raises(ValueError, match="no data"):
            shards.add("images/empty.jpg", b"")
    offset = int(ref.split(":")[1].split("+")[0])
    assert (tmp_path / "shards" / "00000.tar").read_bytes()[offset : offset + 3] == b"tea"
