"""References to pictures must never read anything but a picture of the folder."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.errors import PictureError
from ml.data.refs import MAX_PICTURE, PictureRef, parse_ref, read_ref


def test_a_file_and_a_run_of_bytes_are_references() -> None:
    assert parse_ref("images/a.jpg") == PictureRef("images/a.jpg")
    assert parse_ref("images/ab/abc.jpg") == PictureRef("images/ab/abc.jpg")
    assert parse_ref("shards/00000.tar:512+34567") == PictureRef("shards/00000.tar", 512, 34567)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.jpg",
        "images",
        "images/",
        "images//a.jpg",
        "images/./a.jpg",
        "images/../catalog.json",
        "/images/a.jpg",
        "images/a\\..\\b",
        "images/a\0.jpg",
        "shards/00000.tar",
        "shards/00000.tar:512",
        "shards/00000.tar:512+0",
        "shards/00000.tar:-1+5",
        "shards/00000.tar:+5+5",
        "shards/00000.tar:٣+5",
        "shards/00000.tar:1+5\n",
        "shards/../a.tar:0+5",
        "shards/.tar:0+5",
        "shards/a/b.tar:0+5",
        f"shards/0.tar:0+{MAX_PICTURE + 1}",
        "shards/0.tar:9999999999999+5",
        "shards/0.tar:" + "9" * 500 + "+5",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|lies|has)"):
        parse_ref(text)


@given(
    st.text() | st.text("imagesrdt/.:+0123456789\\").map("shards/".__add__) | st.text("./a\\").map("images/".__add__)
)
def test_any_text_is_refused_or_stays_in_the_folder(text: str) -> None:
    try:
        ref = parse_ref(text)
    except ValueError:
        return
    assert ref.path.split("/")[0] in ("images", "shards")
    assert os.path.normpath(ref.path) == ref.path
    assert not set(ref.path.split("/")) & {"..", "."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "shards"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / "images" / "a.jpg").write_bytes(b"picture")
    (tmp_path / "data" / "shards" / "0.tar").write_bytes(bytes(range(256)) * 10)
    return tmp_path / "data"


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_a_run_of_bytes_is_what_a_slice_gives_or_an_error(offset: int, size: int) -> None:
    content = bytes(range(256)) * 10
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shards").mkdir()
        (Path(folder) / "shards" / "0.tar").write_bytes(content)
        ref = f"shards/0.tar:{offset}+{size}"
        if offset + size > len(content):
            with pytest.raises(PictureError, match="ends at 2560"):
                read_ref(Path(folder), ref)
            return
        data = read_ref(Path(folder), ref)
    assert data == content[offset : offset + size]
    assert len(data) == size


def test_a_link_out_of_the_folder_or_in_circles_is_refused(folder: Path) -> None:
    (folder / "images" / "out.jpg").symlink_to("/etc/passwd")
    (folder / "images" / "round.jpg").symlink_to(folder / "images" / "round.jpg")
    (folder / "images" / "same.jpg").symlink_to(folder / "images" / "a.jpg")
    for name in ("out.jpg", "round.jpg"):
        with pytest.raises(PictureError):
            read_ref(folder, f"images/{name}")
    assert read_ref(folder, "images/same.jpg") == b"picture"


def test_a_folder_and_a_pipe_are_no_pictures(folder: Path) -> None:
    (folder / "images" / "sub").mkdir()
    os.mkfifo(folder / "images" / "pipe")
    for name in ("sub", "pipe"):
        with pytest.raises(PictureError, match="not a file"):
            read_ref(folder, f"images/{name}")


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    with (folder / "images" / "huge.jpg").open("wb") as file:
        file.truncate(MAX_PICTURE + 1)
    with pytest.raises(PictureError, match="larger than"):
        read_ref(folder, "images/huge.jpg")


def test_it_leaves_no_file_open(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        read_ref(folder, "shards/0.tar:3+5")
    assert len(os.listdir("/proc/self/fd")) == before
