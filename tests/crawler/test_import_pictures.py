"""The pictures that come with a file: nothing outside of their folder or archive is read, nothing endless unpacked."""

import io
import os
import struct
import zipfile

import pytest

from crawler.images import ImageError
from crawler.imports import archives
from crawler.imports.archives import checked_archive
from crawler.imports.errors import ImportFileError
from crawler.imports.opening import opened_file
from crawler.imports.picture_files import FolderPictures
from tests.crawler.import_files import csv_of, picture, zip_of


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "pictures"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "a.jpg").write_bytes(b"A")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return inside


def test_a_picture_in_the_folder_is_read(folder):
    assert FolderPictures(folder).read("sub/a.jpg") == b"A"


@pytest.mark.parametrize("name", ["../secret.jpg", "sub/../../secret.jpg", "/etc/passwd", "link.jpg", "loop/a.jpg"])
def test_nothing_outside_of_the_folder_is_read(folder, name):
    (folder / "link.jpg").symlink_to(folder.parent / "secret.jpg")
    (folder / "loop").symlink_to(folder.parent)
    with pytest.raises(ImageError, match=r"is a link|There is no picture"):
        FolderPictures(folder).read(name)


def test_a_folder_that_is_a_link_itself_is_the_callers_choice(folder):
    (folder.parent / "linked").symlink_to(folder)
    assert FolderPictures(folder.parent / "linked").read("sub/a.jpg") == b"A"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.jpg", "There is no picture “none.jpg”"),
        ("sub", "is no file"),
        ("pipe", "is no file"),
        ("big.jpg", "8 megabytes"),
        ("a\0b", "cannot be read"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_what_is_no_picture_is_told(folder, name, told):
    os.mkfifo(folder / "pipe")
    with (folder / "big.jpg").open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    with pytest.raises(ImageError, match=told):
        FolderPictures(folder).read(name)


def pictures_of(data: bytes, *names: str) -> list[bytes | str]:
    found: list[bytes | str] = []
    with opened_file(io.BytesIO(data)) as opened:
        for name in names:
            try:
                found.append(opened.pictures.read(name))
            except ImageError as error:
                found.append(str(error))
    return found


def test_pictures_in_a_zip_are_named_from_the_folder_of_the_table():
    data = zip_of({"export/list.csv": csv_of(), "export/pics/a.jpg": b"A", "b.jpg": b"B"})
    assert pictures_of(data, "pics/a.jpg", "b.jpg", "../b.jpg") == [
        b"A",
        "There is no picture “b.jpg”.",
        "There is no picture “../b.jpg”.",
    ]


def test_names_in_the_encoding_of_chinese_windows_are_read():
    data = zip_of({"list.csv": csv_of(), "aabb.jpg": b"A"})
    assert pictures_of(data.replace(b"aabb.jpg", "图片".encode("gbk") + b".jpg"), "图片.jpg") == [b"A"]


def test_a_table_that_came_alone_has_no_pictures():
    assert pictures_of(csv_of(), "a.jpg") == ["“a.jpg” did not come with the file."]


def test_a_picture_larger_than_any_is_not_unpacked():
    data = zip_of({"list.csv": csv_of(), "a.jpg": b"\0" * 9 * 1024 * 1024})
    assert pictures_of(data, "a.jpg") == ["The picture is larger than 8 megabytes."]


def test_a_damaged_picture_is_told_and_the_others_are_read():
    good = picture()
    data = zip_of({"list.csv": csv_of(), "a.jpg": good, "b.jpg": b"B"}, method=zipfile.ZIP_STORED)
    assert pictures_of(data.replace(good, good[:-3] + b"xyz"), "a.jpg", "b.jpg") == ["The picture is damaged.", b"B"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (zip_of({"a.csv": b"title\n", "b.tar": b"x"}), "another archive"),
        (zip_of({"a.csv": b"title\n" * 500}, method=zipfile.ZIP_BZIP2), "uncommon way"),
        (zip_of({"a.csv": b"title\n" * 500}, method=zipfile.ZIP_LZMA), "uncommon way"),
    ],
)
def test_archives_that_are_not_taken(data, told):
    with pytest.raises(ImportFileError, match=told):
        checked_archive(io.BytesIO(data))


def test_a_locked_archive_is_told():
    data = bytearray(zip_of({"a.csv": b"title\n"}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # general purpose flag, bit 0
    with pytest.raises(ImportFileError, match="locked with a password"):
        checked_archive(io.BytesIO(bytes(data)))


@pytest.mark.parametrize(("limit", "told"), [("MAX_UNPACKED", "Unpacked"), ("MAX_ENTRIES", "more than 2 files")])
def test_a_bomb_is_refused_before_anything_is_unpacked(monkeypatch, limit, told):
    monkeypatch.setattr(archives, limit, 2 if limit == "MAX_ENTRIES" else 5_000_000)
    bomb = io.BytesIO(zip_bomb())
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # whoever unpacks fails
    with pytest.raises(ImportFileError, match=told):
        checked_archive(bomb)


def test_a_bomb_that_lies_about_its_size_is_cut_where_it_said():
    """zipfile unpacks no more than the directory says: then the checksum is wrong."""
    data = bytearray(zip_bomb())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 100)  # uncompressed size
    with (
        pytest.raises(ImportFileError, match="damaged"),
        opened_file(io.BytesIO(bytes(data))),
    ):
        pass


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"title\n" + b"x" * 10_000_000)
        archive.writestr("b.jpg", b"x")
        archive.writestr("c.jpg", b"x")
    return buffer.getvalue()
