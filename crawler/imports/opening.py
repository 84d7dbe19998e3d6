"""What an import reads: its format, by what is in the file rather than by its name, and where its pictures are."""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from crawler.imports.archives import checked_archive, unpacked, visible_files
from crawler.imports.columns import LISTING_COLUMNS, Columns
from crawler.imports.csv_rows import CsvRows
from crawler.imports.errors import ImportFileError
from crawler.imports.jsonl_rows import JsonlRows
from crawler.imports.muge_rows import MugeRows
from crawler.imports.picture_files import FolderPictures, NoPictures, Pictures, ZipPictures
from crawler.imports.rows import Rows
from crawler.imports.xlsx_rows import XlsxRows
from crawler.models import ImportFormat

_TABLES = {".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".xlsx"}
_MUGE_QUERIES = ("_queries.jsonl", "_texts.jsonl")
_MUGE_PICTURES = "_imgs.tsv"
_READERS: dict[str, Callable[..., Rows]] = {
    str(ImportFormat.CSV): CsvRows,
    str(ImportFormat.JSONL): JsonlRows,
    str(ImportFormat.XLSX): XlsxRows,
}


@dataclass(frozen=True, kw_only=True)
class OpenedFile:
    """Rows and pictures of an import, open for the length of a `with`."""

    format: str
    rows: Rows
    pictures: Pictures


@contextmanager
def opened_file(
    file: BinaryIO, *, chosen: str = str(ImportFormat.AUTO), columns: Columns = LISTING_COLUMNS
) -> Iterator[OpenedFile]:
    """One file: a table, or a ZIP with a table and its pictures, or with the two files of MUGE.

    `chosen` overrides what the file looks like; `columns` are those of a table. Raises ImportFileError.
    """
    if _looks_like(file) != "zip":
        yield _table(file, chosen, NoPictures(), columns)
        return
    with ExitStack() as stack, checked_archive(file) as archive:
        tables = {
            entry.filename: entry
            for entry in visible_files(archive)
            if PurePosixPath(entry.filename).suffix.lower() in _TABLES
        }
        queries, shown = _muge_of(list(tables))
        if chosen == ImportFormat.MUGE or (chosen == ImportFormat.AUTO and queries):
            files = {name: stack.enter_context(unpacked(archive, tables[name])) for name in (queries, shown) if name}
            yield _muge(files, queries, shown)
        else:
            name = _only(list(tables))
            folder, slash, _name = name.replace("\\", "/").rpartition("/")
            table = stack.enter_context(unpacked(archive, tables[name]))
            yield _table(table, chosen, ZipPictures(archive, under=folder + slash), columns)


@contextmanager
def opened_paths(
    paths: Sequence[Path], *, pictures: Path | None = None, chosen: str = str(ImportFormat.AUTO)
) -> Iterator[OpenedFile]:
    """Files of this machine: one like `opened_file`, or the two of MUGE in any order.

    The pictures of a table are in the folder `pictures`, else beside it. Raises ImportFileError, and OSError for what
    cannot be opened.
    """
    with ExitStack() as stack:
        files = {path.name: stack.enter_context(path.open("rb")) for path in paths}
        if len(paths) == 2:
            yield _muge(files, *_muge_of(list(files)))
            return
        if len(paths) != 1:
            text = _("One file is imported at a time; two only when they are the queries and the pictures of MUGE.")
            raise ImportFileError(text)
        file = files[paths[0].name]
        if _looks_like(file) == "zip":
            yield stack.enter_context(opened_file(file, chosen=chosen))
        else:
            yield _table(file, chosen, FolderPictures(pictures or paths[0].parent))


def _table(file: BinaryIO, chosen: str, pictures: Pictures, columns: Columns = LISTING_COLUMNS) -> OpenedFile:
    name = chosen if chosen != ImportFormat.AUTO else _looks_like(file)
    if name == ImportFormat.MUGE:
        raise ImportFileError(_muge_needs())
    if name == "zip":
        raise ImportFileError(_("The ZIP file holds another archive."))
    reader = _READERS[name]
    return OpenedFile(format=name, rows=reader(file, columns=columns), pictures=pictures)


def _muge(files: Mapping[str, BinaryIO], queries: str, pictures: str) -> OpenedFile:
    if not queries or not pictures:
        raise ImportFileError(_muge_needs())
    names = {"queries_name": PurePosixPath(queries).name, "pictures_name": PurePosixPath(pictures).name}
    rows = MugeRows(files[queries], files[pictures], **names)
    return OpenedFile(format=str(ImportFormat.MUGE), rows=rows, pictures=NoPictures())


def _muge_needs() -> str:
    return _("MUGE is two files: …_queries.jsonl (or …_texts.jsonl) and …_imgs.tsv.")


def _muge_of(names: Sequence[str]) -> tuple[str, str]:
    """Which of the names are the queries and the pictures of MUGE; "" for what is not among them."""
    queries = [name for name in names if name.lower().endswith(_MUGE_QUERIES)]
    pictures = [name for name in names if name.lower().endswith(_MUGE_PICTURES)]
    if len(queries) != 1 or len(pictures) != 1:
        return "", ""
    return queries[0], pictures[0]


def _looks_like(file: BinaryIO) -> str:
    """The format by the first bytes, or "zip". Raises ImportFileError for what is empty or no table at all."""
    file.seek(0)
    start = file.read(4096)
    file.seek(0)
    if not start.strip():
        raise ImportFileError(_("The file is empty."))
    if start.startswith(b"PK\x03\x04"):
        return str(ImportFormat.XLSX) if _is_workbook(file) else "zip"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise ImportFileError(_("The file is an old spreadsheet (XLS): save it as XLSX or CSV."))
    if start.startswith((b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        raise ImportFileError(_("The file is neither CSV, JSONL, XLSX nor ZIP."))
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return str(ImportFormat.JSONL) if text.startswith(b"{") else str(ImportFormat.CSV)


def _is_workbook(file: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.NameToInfo
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False
    finally:
        file.seek(0)


def _only(tables: Sequence[str]) -> str:
    if not tables:
        raise ImportFileError(_("The ZIP file holds no CSV, JSONL or XLSX file."))
    if len(tables) > 1:
        names = ", ".join(f"“{one[:50]}”" for one in tables[:5])
        raise ImportFileError(_("The ZIP file holds several tables: %(names)s.") % {"names": names})
    return tables[0]
