import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.bad_records import BadRecords
from ml.data.record_lines import parse_record
from ml.data.records import DatasetError, PictureError, Record, read_dataset
from tests.ml.factories import read_records, write_json, write_records

GOOD = {
    "id": "a",
    "images": ["images/a.jpg"],
    "title": "tea",
    "brand": "",
    "product": "p",
    "split": "train",
    "width": 0,
    "height": 0,
}
TEXTS = ["id", "title", "brand", "product", "split"]


def parse(value: object) -> Record:
    return parse_record(json.dumps(value), place="listings.jsonl:7")


def test_it_reads_a_folder(dataset: Path) -> None:
    data = read_dataset(dataset)
    assert len(data.split("train")) == 18
    assert len(data.split("val")) == 6
    assert len(data.split("test")) == 0
    assert {brand.id: brand.name for brand in data.brands.values()} == {"brand-0": "BRAND-0", "brand-1": "BRAND-1"}
    assert data.products["product-2"].name == "绿茶"
    assert [product.brand for product in data.products.values()] == ["brand-0", "brand-1", ""]
    record = data.split("train")[0]
    assert (record.id, record.width, record.height) == ("listing-0-0", 80, 60)
    assert data.picture(record.images[0]) == (dataset / "images" / "0-0.jpg").read_bytes()


def test_records_are_a_sequence_read_from_the_file(dataset: Path) -> None:
    records = read_dataset(dataset).split("train")
    wanted = [one["id"] for one in read_records(dataset) if one["split"] == "train"]
    assert [record.id for record in records] == wanted
    assert [records[place].id for place in range(len(records))] == wanted
    assert records[-1].id == wanted[-1]
    assert [record.id for record in records[3:9:2]] == wanted[3:9:2]
    assert [record.id for record in records.take([4, 0, 4])] == [wanted[4], wanted[0], wanted[4]]
    assert [record.id for record in records.take(records.products == 1)] == wanted[6:12]
    assert len(records.take([])) == 0
    with pytest.raises(IndexError):
        records[len(records)]


def test_what_batches_are_planned_by_is_known_without_reading(own_dataset: Path) -> None:
    records = read_dataset(own_dataset).split("val")
    (own_dataset / "listings.jsonl").unlink()
    assert records.products.tolist() == [0, 0, 1, 1, 2, 2]
    assert records.brands.tolist() == [0, 0, 1, 1, -1, -1]
    assert records.shapes.tolist() == [[80, 60]] * 6
    assert records.title_lengths.tolist() == [17, 17, 15, 15, 7, 7]


def test_a_split_that_is_none_is_named(dataset: Path) -> None:
    with pytest.raises(ValueError, match="split='dev' is not one of"):
        read_dataset(dataset).split("dev")


def test_a_dataset_may_be_sent_to_another_process(dataset: Path) -> None:
    data = pickle.loads(pickle.dumps(read_dataset(dataset)))
    assert data.split("val")[0].id == "listing-0-6"


def test_it_skips_empty_lines(own_dataset: Path) -> None:
    path = own_dataset / "listings.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\n\n"), encoding="utf-8")
    assert [record.id for record in read_dataset(own_dataset).split("val")][-1] == "listing-2-7"


def test_records_without_a_product_are_there_when_asked_for(own_dataset: Path) -> None:
    records = read_records(own_dataset)
    records[0]["product"] = records[0]["brand"] = ""
    write_records(own_dataset, records)
    data = read_dataset(own_dataset)
    assert len(data.split("train")) == 17
    assert len(data.split("train", labelled=False)) == 18
    assert data.split("train", labelled=False).products[0] == -1


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [None, 17, ["tea"]])
def test_a_field_that_is_not_text_is_named_with_its_value(field: str, value: object) -> None:
    with pytest.raises(DatasetError) as caught:
        parse(GOOD | {field: value})
    assert str(caught.value) == f"listings.jsonl:7: {field}={value!r} is not text"


@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(DatasetError, match=rf"listings.jsonl:7: {field}=None"):
        parse({name: value for name, value in GOOD.items() if name != field})


def test_an_id_may_not_be_empty() -> None:
    with pytest.raises(DatasetError, match=r"listings\.jsonl:7: id is empty"):
        parse(GOOD | {"id": ""})


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(DatasetError, match="split='dev' is not one of train, val, test"):
        parse(GOOD | {"split": "dev"})


@pytest.mark.parametrize("value", [-1, 65537, 1.5, True, "80"])
def test_a_side_that_is_no_number_of_pixels_is_named(value: object) -> None:
    with pytest.raises(DatasetError, match=f"width={value!r} is not a number of pixels"):
        parse(GOOD | {"width": value})


@pytest.mark.parametrize("images", ["images/a.jpg", [7], {"a": 1}])
def test_images_must_be_a_list_of_texts(images: object) -> None:
    with pytest.raises(DatasetError, match=r"images=.* is not a list of texts"):
        parse(GOOD | {"images": images})


def test_a_record_needs_a_picture() -> None:
    with pytest.raises(DatasetError, match="images is empty"):
        parse(GOOD | {"images": []})


@pytest.mark.parametrize("ref", ["../secret.jpg", "/etc/passwd", "images/../../x.jpg", "images/a\0b", "images/\ud83d"])
def test_a_picture_outside_the_folder_is_named(ref: str) -> None:
    with pytest.raises(DatasetError, match=r"^listings\.jsonl:7: images="):
        parse(GOOD | {"images": ["images/a.jpg", ref]})


@pytest.mark.parametrize("line", ["{", "[1]", "null", '"text"', "12", "", "[" * 100_000, "1" * 5000])
def test_a_line_that_is_no_object_is_named(line: str) -> None:
    with pytest.raises(DatasetError, match=r"^listings\.jsonl:7: "):
        parse_record(line, place="listings.jsonl:7")


def refusal(line: str | bytes) -> str | None:
    """What is said against a line; None when it is read."""
    try:
        parse_record(line, place="listings.jsonl:7")
    except DatasetError as error:
        return str(error)
    return None


VALUES = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5)
OBJECTS = st.fixed_dictionaries(
    {name: st.just(value) | st.text() | st.none() | st.integers() | VALUES for name, value in GOOD.items()}
)


@given(st.text() | st.binary() | VALUES.map(json.dumps))
def test_any_line_is_read_or_refused_with_its_place(line: str | bytes) -> None:
    said = refusal(line)
    assert said is None or said.startswith("listings.jsonl:7: ")


@given(OBJECTS)
def test_any_object_is_read_back_as_written_or_refused(value: dict) -> None:
    said = refusal(json.dumps(value))
    if said is not None:
        assert said.startswith("listings.jsonl:7: ")
        return
    record = parse(value)
    for name in GOOD:
        assert getattr(record, name) == (tuple(value[name]) if name == "images" else value[name])


@pytest.mark.parametrize("field", ["product", "brand"])
def test_a_record_of_an_unknown_product_or_brand_is_named(own_dataset: Path, field: str) -> None:
    records = read_records(own_dataset)
    records[3][field] = "unheard-of"
    write_records(own_dataset, records)
    with pytest.raises(DatasetError, match=rf"listings\.jsonl:4: record listing-0-3 names {field} 'unheard-of'"):
        read_dataset(own_dataset)


@pytest.mark.parametrize("name", ["listings.jsonl", "catalog.json", "manifest.json"])
def test_a_missing_file_is_named(own_dataset: Path, name: str) -> None:
    (own_dataset / name).unlink()
    with pytest.raises(DatasetError, match=name):
        read_dataset(own_dataset)


def test_a_file_is_no_dataset_folder(own_dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        read_dataset(own_dataset / "listings.jsonl")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        read_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "\x80"])
@pytest.mark.parametrize("name", ["catalog.json", "manifest.json"])
def test_a_damaged_file_is_named(own_dataset: Path, name: str, text: str) -> None:
    (own_dataset / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=name):
        read_dataset(own_dataset)


def test_records_that_are_not_utf8_are_named_with_their_line(own_dataset: Path) -> None:
    path = own_dataset / "listings.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    with pytest.raises(DatasetError, match=r"listings\.jsonl:25: not UTF-8"):
        read_dataset(own_dataset)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(own_dataset: Path) -> None:
    with (own_dataset / "listings.jsonl").open("ab") as file:
        file.truncate(os.path.getsize(file.name) + 2**40)  # a hole: takes no room on the disk
    with pytest.raises(DatasetError, match=r"listings\.jsonl:25: the line is longer"):
        read_dataset(own_dataset)


@pytest.mark.parametrize("number", [1, 3, "2", None])
def test_another_format_is_refused(own_dataset: Path, number: object) -> None:
    write_json(own_dataset / "manifest.json", {"format": number})
    with pytest.raises(DatasetError, match=f"format={number!r}"):
        read_dataset(own_dataset)


BRAND = {"id": "b", "name": "B", "aliases": []}
PRODUCT = {"id": "p", "name": "P", "brand": "", "description": "", "images": []}


@pytest.mark.parametrize(
    ("brands", "said"),
    [
        (None, "brands=None is not a list"),
        ({}, "brands={} is not a list"),
        ([1], r"brands\[0\] is 1"),
        ([{"id": "b"}], r"brands\[0\] has no text 'name'"),
        ([BRAND | {"id": 1}], r"brands\[0\] has no text 'id'"),
        ([BRAND | {"id": ""}], r"brands\[0\] has an empty id"),
        ([BRAND | {"aliases": "b"}], r"brands\[0\] has no list of texts 'aliases'"),
        ([BRAND, BRAND], r"brands\[1\]: id='b' came before"),
    ],
)
def test_a_damaged_brand_is_named(own_dataset: Path, brands: object, said: str) -> None:
    write_json(own_dataset / "catalog.json", {"brands": brands, "products": []})
    with pytest.raises(DatasetError, match=rf"catalog\.json: {said}"):
        read_dataset(own_dataset)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"brand": "nobody"}, "names brand='nobody'"),
        ({"images": ["../a.jpg"]}, r"names images='\.\./a\.jpg'"),
        ({"images": [1]}, "has no list of texts 'images'"),
        ({"description": None}, "has no text 'description'"),
    ],
)
def test_a_damaged_product_is_named(own_dataset: Path, changes: dict, said: str) -> None:
    write_json(
        own_dataset / "catalog.json", {"brands": [BRAND], "products": [PRODUCT, PRODUCT | {"id": "q"} | changes]}
    )
    with pytest.raises(DatasetError, match=rf"catalog\.json: products\[1\] {said}"):
        read_dataset(own_dataset)


def test_an_id_that_comes_twice_is_named(own_dataset: Path) -> None:
    records = read_records(own_dataset)
    write_records(own_dataset, [*records, records[5]])
    with pytest.raises(DatasetError, match=r"listings.jsonl:25: id='listing-0-5'"):
        read_dataset(own_dataset)


def test_ids_whose_hashes_agree_are_told_apart(own_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml.data import index

    monkeypatch.setattr(index, "hash", lambda text: 7, raising=False)
    assert len(read_dataset(own_dataset).split("train")) == 18


def test_bad_lines_are_reported_and_left_out_when_asked_for(
    own_dataset: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = (own_dataset / "listings.jsonl").read_bytes().split(b"\n")
    lines[3] = b"{"
    lines[5] = b'{"id": "\xff"}'
    lines[7] = b"x" * (3 * 1024**2)
    (own_dataset / "listings.jsonl").write_bytes(b"\n".join(lines))
    bad = BadRecords()
    data = read_dataset(own_dataset, bad=bad)
    assert (bad.count, bad.total) == (3, 24)
    wanted = [json.loads(line)["id"] for place, line in enumerate(lines) if line and place not in (3, 5, 7)]
    assert [record.id for record in data.everything()] == wanted
    assert all(f"listings.jsonl:{number}" in caplog.text for number in (4, 6, 8))
    with pytest.raises(DatasetError, match=r"listings\.jsonl:4"):
        read_dataset(own_dataset)


def test_too_many_bad_lines_are_no_dataset(own_dataset: Path) -> None:
    path = own_dataset / "listings.jsonl"
    path.write_bytes(path.read_bytes() + b"{\n" * 11)
    with pytest.raises(DatasetError, match="11 of 35 records cannot be read"):
        read_dataset(own_dataset, bad=BadRecords())


def test_the_folder_may_be_moved(own_dataset: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(own_dataset, tmp_path / "elsewhere"))
    data = read_dataset(moved)
    assert data.picture(data.split("train")[0].images[0])


def test_a_bad_picture_says_why(own_dataset: Path) -> None:
    data = read_dataset(own_dataset)
    (own_dataset / "images" / "0-0.jpg").unlink()
    with pytest.raises(PictureError, match="missing"):
        data.picture("images/0-0.jpg")
    with pytest.raises(PictureError, match="neither images/NAME nor"):
        data.picture("catalog.json")


def test_memory_is_some_bytes_a_record(dataset: Path) -> None:
    """Not the records: 70 GB of pictures have millions of them."""
    index = read_dataset(dataset).index
    held = sum(value.nbytes for value in vars(index).values() if isinstance(value, np.ndarray))
    assert held <= 33 * 24
