import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.records import DatasetError, Record, parse_record, read_dataset
from tests.ml.factories import read_records, write_json, write_records

FOLDER = Path("/dataset")
GOOD = {"id": "a", "image": "images/a.jpg", "title": "tea", "brand": "", "product": "p", "split": "train"}


def parse(value: object) -> Record:
    return parse_record(json.dumps(value), folder=FOLDER, place="records.jsonl:7")


def test_it_reads_a_folder(dataset: Path) -> None:
    data = read_dataset(dataset)
    assert len(data.records) == 24
    assert len(data.split("train")) == 18
    assert len(data.split("val")) == 6
    assert data.brand_names == {"brand-0": "BRAND-0", "brand-1": "BRAND-1"}
    assert data.product_names["product-2"] == "绿茶"
    assert data.product_brands == {"product-0": "brand-0", "product-1": "brand-1", "product-2": ""}
    assert data.records[0].image.is_file()


def test_it_skips_empty_lines(own_dataset: Path) -> None:
    path = own_dataset / "records.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("\n", "\n\n"), encoding="utf-8")
    assert len(read_dataset(own_dataset).records) == 24


@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(DatasetError, match=rf"records.jsonl:7: {field}=None"):
        parse({name: value for name, value in GOOD.items() if name != field})


@pytest.mark.parametrize("field", list(GOOD))
def test_a_field_that_is_not_text_is_named_with_its_value(field: str) -> None:
    with pytest.raises(DatasetError, match=rf"records.jsonl:7: {field}=17"):
        parse(GOOD | {field: 17})


@pytest.mark.parametrize("field", ["id", "image", "product"])
def test_a_field_that_must_say_something_may_not_be_empty(field: str) -> None:
    with pytest.raises(DatasetError, match=f"records.jsonl:7: {field} is empty"):
        parse(GOOD | {field: ""})


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(DatasetError, match="split='test' is not one of train, val"):
        parse(GOOD | {"split": "test"})


@pytest.mark.parametrize("image", ["../secret.jpg", "/etc/passwd", "images/../../x.jpg", "a\0b", "half \ud83d.jpg"])
def test_a_picture_outside_the_folder_is_refused(image: str) -> None:
    with pytest.raises(DatasetError, match="outside the dataset folder"):
        parse(GOOD | {"image": image})


def test_a_link_out_of_the_folder_or_in_circles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.jpg").symlink_to("/etc/passwd")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    for name in ("out.jpg", "round.jpg"):
        with pytest.raises(DatasetError, match=f"{name}.*outside the dataset folder"):
            parse_record(json.dumps(GOOD | {"image": name}), folder=tmp_path, place="records.jsonl:7")


@pytest.mark.parametrize("line", ["{", "[1]", "null", '"text"', "12", "", "[" * 100_000, "1" * 5000])
def test_a_line_that_is_no_object_is_named(line: str) -> None:
    with pytest.raises(DatasetError, match=r"^records\.jsonl:7: "):
        parse_record(line, folder=FOLDER, place="records.jsonl:7")


def refusal(line: str) -> str | None:
    """What is said against a line; None when it is read."""
    try:
        parse_record(line, folder=FOLDER, place="records.jsonl:7")
    except DatasetError as error:
        return str(error)
    return None


VALUES = st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5)
OBJECTS = st.fixed_dictionaries(
    {name: st.text() | st.none() | st.integers() | st.just(value) for name, value in GOOD.items()}
)


@given(st.text() | VALUES.map(json.dumps))
def test_any_line_is_read_or_refused_with_its_place(line: str) -> None:
    said = refusal(line)
    assert said is None or said.startswith("records.jsonl:7: ")


@given(OBJECTS)
def test_any_object_is_read_back_as_written_or_refused(value: dict) -> None:
    said = refusal(json.dumps(value))
    if said is not None:
        assert said.startswith("records.jsonl:7: ")
        return
    record = parse(value)
    for name in ("id", "title", "brand", "product", "split"):
        assert getattr(record, name) == value[name]
    assert record.image == FOLDER / value["image"]


def test_a_record_of_an_unknown_product_is_named(own_dataset: Path) -> None:
    records = read_records(own_dataset)
    records[3]["product"] = "unheard-of"
    write_records(own_dataset, records)
    with pytest.raises(DatasetError, match=r"listing-0-3 .*'unheard-of'"):
        read_dataset(own_dataset)


def test_a_record_of_an_unknown_brand_is_named(own_dataset: Path) -> None:
    records = read_records(own_dataset)
    records[3]["brand"] = "unheard-of"
    write_records(own_dataset, records)
    with pytest.raises(DatasetError, match=r"listing-0-3 .*'unheard-of'"):
        read_dataset(own_dataset)


@pytest.mark.parametrize("name", ["records.jsonl", "catalog.json", "manifest.json"])
def test_a_missing_file_is_named(own_dataset: Path, name: str) -> None:
    (own_dataset / name).unlink()
    with pytest.raises(DatasetError, match=name):
        read_dataset(own_dataset)


def test_a_file_is_no_dataset_folder(own_dataset: Path) -> None:
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        read_dataset(own_dataset / "records.jsonl")


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
    path = own_dataset / "records.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    with pytest.raises(DatasetError, match=r"records\.jsonl:25"):
        read_dataset(own_dataset)


def test_another_format_is_refused(own_dataset: Path) -> None:
    write_json(own_dataset / "manifest.json", {"format": 2})
    with pytest.raises(DatasetError, match="format=2"):
        read_dataset(own_dataset)


@pytest.mark.parametrize("brands", [None, {}, [1], [{"id": "b"}], [{"id": 1, "name": "B"}]])
def test_a_damaged_catalogue_entry_is_named(own_dataset: Path, brands: object) -> None:
    write_json(own_dataset / "catalog.json", {"brands": brands, "products": []})
    with pytest.raises(DatasetError, match=r"catalog\.json: brands"):
        read_dataset(own_dataset)


def test_an_id_that_comes_twice_is_named(own_dataset: Path) -> None:
    records = read_records(own_dataset)
    write_records(own_dataset, [*records, records[5]])
    with pytest.raises(DatasetError, match=r"records.jsonl:25: id='listing-0-5'"):
        read_dataset(own_dataset)


def test_the_folder_may_be_moved(own_dataset: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(own_dataset, tmp_path / "elsewhere"))
    assert read_dataset(moved).records[0].image.is_relative_to(moved)
