"""Reading each kind of file, and what is wrong with it."""

import csv
import datetime
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from crawler.imports import xlsx_rows
from crawler.imports.columns import FIELDS, LISTING_COLUMNS
from crawler.imports.errors import ImportFileError
from crawler.imports.muge_rows import MugeRows
from crawler.imports.opening import opened_file
from crawler.imports.rows import ImportRow, Problem
from tests.crawler.import_files import (
    csv_of,
    jsonl_of,
    muge_pictures,
    muge_queries,
    picture,
    read,
    titles,
    warnings,
    xlsx_of,
    zip_of,
)
from tests.shop import HOSTILE_TITLE

FULL = {
    "title": "Orange juice, 1 l",
    "url": "https://shop.example/1",
    "price": 12.5,
    "currency": "CNY",
    "shop_name": "Juice house",
    "shop_url": "https://shop.example/",
    "image_url": "https://img.example/1.jpg",
}
CELLS = ["77", FULL["title"], FULL["url"], "12.50", "CNY", FULL["shop_name"], FULL["shop_url"], FULL["image_url"]]


def only(data: bytes) -> ImportRow:
    (row,) = read(data)
    assert isinstance(row, ImportRow), row
    return row


def problems(data: bytes) -> list[Problem]:
    return [row for row in read(data) if isinstance(row, Problem)]


@pytest.mark.parametrize(
    "data",
    [
        csv_of(",".join(f'"{cell}"' for cell in CELLS)),
        jsonl_of(dict(zip(FIELDS, CELLS, strict=True))),
        jsonl_of(dict(zip(FIELDS, CELLS, strict=True)) | {"item_id": 77, "price": 12.5}),
        xlsx_of(FIELDS, CELLS),
        xlsx_of(FIELDS, [77, *CELLS[1:3], 12.5, *CELLS[4:]]),
        zip_of({"list.csv": csv_of(",".join(f'"{cell}"' for cell in CELLS))}),
        zip_of({"export/list.xlsx": xlsx_of(FIELDS, CELLS), "__MACOSX/._list.csv": b"x", "readme.md": b"x"}),
    ],
)
def test_every_format_gives_the_same_listing(data):
    row = only(data)
    assert (row.item_id, row.line, row.values) == ("77", 1 if data[:1] == b"{" else 2, FULL)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_what_spreadsheets_write(encoding, delimiter):
    lines = [["商品ID", "标题", "价格", "店铺", "链接", "图片"], ["9", "龙井绿茶 一级", "￥88", "茶庄", "", ""]]
    row = only("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    assert (row.item_id, row.values["title"], row.values["price"], row.values["shop_name"]) == (
        "9",
        "龙井绿茶 一级",
        88.0,
        "茶庄",
    )
    assert row.values["currency"] == "￥"


@pytest.mark.parametrize("name", [" Title ", "TITLE", "ｔｉｔｌｅ", "商品标题", "product-name", "Product  Name"])
def test_a_column_is_known_by_many_names(name):
    assert LISTING_COLUMNS.field_of(name) == "title"


def test_columns_that_are_not_known_are_named_in_a_warning():
    assert warnings(csv_of("a,b,c", header="title,colour,Grösse")) == [
        "Columns that are not imported: “colour”, “Grösse”."
    ]
    assert warnings(jsonl_of({"title": "a", "colour": 1}, {"title": "b", "size": 2})) == [
        "Columns that are not imported: “colour”, “size”."
    ]
    assert warnings(csv_of("a,b", header="title,name")) == ["Columns that are not imported: “name”."]


@pytest.mark.parametrize("data", [csv_of("1,2", header="item_id,price"), xlsx_of(["item_id", "price"], [1, 2])])
def test_a_table_without_titles_is_refused_with_its_columns(data):
    with pytest.raises(ImportFileError, match=r"No column “title”.*“item_id”, “price”"):
        read(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "The file is empty"),
        ("标题\na".encode("utf-16"), "UTF-16"),
        (b"title\0\n", "not text"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "XLS"),
        (b"%PDF-1.7", "neither CSV"),
        (picture(), "neither CSV"),
        (b"PK\x03\x04" + b"x" * 50, "ZIP file cannot be read"),
        (zip_of({"a.txt.md": b"x"}), "holds no CSV"),
        (zip_of({"a.csv": b"title\na", "b.csv": b"title\nb"}), "several tables: “a.csv”, “b.csv”"),
        (zip_of({"a.csv": zip_of({"b.csv": b"title\nb"})}), "another archive"),
        (zip_of({"a.csv": b"title\na", "in.zip": b"x"}), "another archive, “in.zip”"),
        (zip_of({"xl/workbook.xml": b"<x"}), "spreadsheet cannot be read"),
    ],
)
def test_what_cannot_be_imported_is_told(data, told):
    with pytest.raises(ImportFileError, match=told):
        read(data)


def test_a_broken_line_is_told_with_its_number_and_the_others_are_read():
    data = b"title,price\nfirst,1\n\xff\xfe\x80 broken,2\n" + "第三,3\n第四,4\n第五,5\n".encode()
    assert titles(data) == ["first", "第三", "第四", "第五"]
    (problem,) = problems(data)
    assert (problem.line, problem.message) == (3, "The line is not text in utf-8.")


def test_lines_longer_than_a_row_can_be_are_passed_over():
    data = b"title\nfirst\n" + b"x" * (3 * 1024 * 1024) + b"\nlast\n"
    assert titles(data) == ["first", "last"]
    assert [(one.line, one.message) for one in problems(data)] == [(3, "The line is longer than 1024 kilobytes.")]


def test_a_quote_that_is_never_closed_costs_no_memory_and_is_told():
    data = b'title\nfirst\n"' + b"many words\n" * 20_000
    assert titles(data)[0] == "first"
    assert "larger than field limit" in problems(data)[0].message
    assert problems(data)[0].line == 3


def test_a_row_with_more_cells_than_columns_is_told():
    (problem,) = problems(csv_of("a,1,2", header="title,price"))
    assert (problem.line, problem.message) == (2, "The line has 3 cells, but there are 2 columns.")


def test_a_title_of_several_lines_keeps_the_line_numbers_right():
    data = csv_of('"one\ntwo",1', "bad,x", header="title,price")
    assert titles(data) == ["one\ntwo"]
    assert problems(data)[0].line == 4


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "no JSON"),
        (b"[1]", "no JSON object"),
        (b'"title"', "no JSON object"),
        (b"[" * 100_000, "no JSON"),
        (b'{"title": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"title": ["a"]}', "text or a number"),
        (b'{"title": true}', "text or a number"),
        (b'{"title": null}', "title is missing"),
        (b'{"name": "a", "price": NaN}', "no price"),
        (b'{"name": "a", "price": {"x": 1}}', "text or a number"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_a_wrong_line_of_jsonl_is_told_and_the_next_is_read(line, told):
    data = b'{"title": "first"}\n\n' + line + b'\n{"title": "last"}'
    assert titles(data) == ["first", "last"]
    (problem,) = problems(data)
    assert problem.line == 3
    assert told in problem.message
    assert len(problem.as_json()["value"]) <= 100


@pytest.mark.parametrize(
    "title", [HOSTILE_TITLE, '=HYPERLINK("http://x")', "+1", "@SUM(1)", "-1+1", "'; DROP", "{{7*7}}"]
)
def test_hostile_texts_and_formulas_are_texts(title):
    quoted = '"' + title.replace('"', '""') + '"'
    assert titles(csv_of(quoted, header="title")) == [title]
    assert titles(jsonl_of({"title": title})) == [title]


def test_a_formula_in_a_spreadsheet_counts_with_its_value_or_is_no_title():
    assert read(xlsx_of(["title", "price"], ["=1+1", 1]))[0].message == "The title is missing."  # nobody computed it


def test_half_a_character_becomes_a_question_mark():
    assert titles(b'{"title": "a\\ud800b\\u0000"}\n') == ["a?b?"]


def test_a_spreadsheet_has_numbers_dates_and_blanks():
    data = xlsx_of(["item_id", "title", "price"], [], [123456789012, datetime.date(2026, 1, 2), 5], [1.0, True, None])
    rows = read(data)
    assert [(row.item_id, row.values["title"], row.values["price"]) for row in rows] == [
        ("123456789012", "2026-01-02T00:00:00", 5.0),
        ("1", "True", None),
    ]
    assert [row.line for row in rows] == [3, 4]


def test_a_spreadsheet_that_is_a_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(xlsx_rows, "MAX_UNPACKED", 1000)
    with pytest.raises(ImportFileError, match="Unpacked, the file is larger"):
        read(xlsx_of(["title"], ["a"]))


def test_entities_in_a_spreadsheet_are_refused():
    data = xlsx_of(["title"], ["a"])
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            text = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                text = b'<!DOCTYPE a [<!ENTITY x "boom">]>' + text
            archive.writestr(entry.filename, text)
    assert load_workbook(io.BytesIO(data))  # as it was, it is a good one
    with pytest.raises(ImportFileError, match="spreadsheet cannot be read"):
        read(target.getvalue())


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).map(str.strip).filter(bool)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.floats(0, 1e9)), min_size=1, max_size=8))
def test_what_is_written_as_csv_or_jsonl_is_read_again(rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["item_id", "title", "price"])
    writer.writerows(rows)
    as_jsonl = jsonl_of(*({"item_id": one, "title": two, "price": price} for one, two, price in rows))
    for data in (buffer.getvalue().encode(), as_jsonl):
        found = [(row.item_id, row.values["title"], row.values["price"]) for row in read(data)]
        assert found == rows


class TestMuge:
    QUERIES = muge_queries((1, "连衣裙 夏", [10, 11]), (2, "法式 裙子", [10]), (3, "nothing", []))
    PICTURES = muge_pictures({10: picture("red"), 11: picture("blue"), 12: picture("green")})

    def zipped(self, queries=QUERIES, pictures=PICTURES, names=("MR_valid_queries.jsonl", "MR_valid_imgs.tsv")):
        return zip_of(dict(zip(names, (queries, pictures), strict=True)))

    def test_a_picture_is_a_listing_titled_by_its_queries(self):
        rows = read(self.zipped())
        assert [(row.item_id, row.values["title"]) for row in rows] == [
            ("10", "连衣裙 夏 · 法式 裙子"),
            ("11", "连衣裙 夏"),
        ]
        assert rows[0].picture == picture("red")

    def test_what_is_not_used_is_said(self):
        assert warnings(self.zipped()) == [
            "1 query names no picture.",
            "1 picture is named by no query: it is left out.",
        ]

    def test_the_names_of_chinese_clip_are_known_as_well(self):
        queries = jsonl_of({"text_id": 1, "text": "tea", "image_ids": [10]})
        rows = read(self.zipped(queries, names=("valid_texts.jsonl", "valid_imgs.tsv")))
        assert [(row.item_id, row.values["title"]) for row in rows] == [("10", "tea")]

    def test_wrong_lines_of_both_files_are_told(self):
        queries = self.QUERIES + b'{broken\n{"query_text": "a", "item_ids": "10"}\n{"item_ids": [1]}\n'
        queries += b'{"query_text": "a", "item_ids": [99, 10]}\n'
        pictures = self.PICTURES + b"no tab\n13\t%%%\n\n14\t" + b"A" * 12_000_000 + b"\n"
        found = problems(self.zipped(queries, pictures))
        assert [(one.file[-13:], one.line, one.message.split(":")[0]) for one in found] == [
            ("queries.jsonl", 4, "The line is no JSON"),
            ("queries.jsonl", 5, "It should be a list of ids."),
            ("queries.jsonl", 6, "The text of the query is missing."),
            ("alid_imgs.tsv", 4, "The line should be an id, a tab and a picture in base64."),
            ("alid_imgs.tsv", 5, "The picture is not in base64."),
            ("alid_imgs.tsv", 7, "The picture is larger than 8 megabytes."),
            ("queries.jsonl", 7, "There is no picture of this id."),
        ]  # fmt: skip

    def test_one_file_alone_is_not_enough(self):
        with pytest.raises(ImportFileError, match="MUGE is two files"):
            read(zip_of({"a_queries.jsonl": self.QUERIES}), chosen="muge")
        with pytest.raises(ImportFileError, match="MUGE is two files"):
            read(self.QUERIES, chosen="muge")

    def test_pictures_are_streamed(self):
        """A file that is read as it is iterated: after the first row most of it is still to come."""

        class Watched(io.BytesIO):
            at = 0

            def readline(self, *args):
                Watched.at += 1
                return super().readline(*args)

        pictures = Watched(muge_pictures({number: picture() for number in range(10, 200)}))
        rows = MugeRows(io.BytesIO(self.QUERIES), pictures, queries_name="q", pictures_name="p")
        next(iter(rows))
        assert Watched.at == 1


def test_opening_names_the_format():
    for data, name in ((csv_of(), "csv"), (b"{}", "jsonl"), (xlsx_of(["title"]), "xlsx")):
        with opened_file(io.BytesIO(data)) as opened:
            assert opened.format == name
