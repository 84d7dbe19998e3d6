"""Rows of a spreadsheet: the first sheet of an XLSX file, with a header. Formulas count with the value last shown."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Any, BinaryIO

import defusedxml  # noqa: F401 - openpyxl reads XML with it where it is installed: entity bombs are refused
from django.utils.translation import gettext as _
from openpyxl import load_workbook

from crawler.imports.columns import LISTING_COLUMNS, Columns, unknown_columns
from crawler.imports.errors import ImportFileError
from crawler.imports.rows import Problem, Row

# openpyxl holds all texts of the file in memory, about five times their size.
MAX_UNPACKED = 256 * 1024 * 1024
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # a character that XML cannot hold (ECMA-376 part 1, ST_Xstring)


class XlsxRows:
    """Raises ImportFileError for what is no XLSX file, is too large unpacked, or lacks a column that is needed."""

    def __init__(self, file: BinaryIO, *, columns: Columns = LISTING_COLUMNS, file_name: str = "") -> None:
        self._file = file
        self._known = columns
        self._file_name = file_name
        self._check_size()
        try:
            self._book = load_workbook(file, read_only=True, data_only=True)
            self._sheet: Any = self._book.worksheets[0]
            # What the file says of its own size may be wrong, and openpyxl would stop there.
            self._said_rows = self._sheet.max_row or 0
            self._sheet.reset_dimensions()
            cells = next(self._sheet.iter_rows(values_only=True), ())
        except Exception as error:  # openpyxl fails in many ways on damaged files
            raise self._unreadable(error) from error
        header = ["" if cell is None else str(cell) for cell in cells]
        self._fields = columns.fields_of(header)
        columns.check_header(header, self._fields)
        unknown = [name for name, field in zip(header, self._fields, strict=True) if not field]
        self.warnings = unknown_columns(unknown)

    def count(self) -> int:
        return max(self._said_rows - 1, 0)

    def __iter__(self) -> Iterator[Row | Problem]:
        rows = self._sheet.iter_rows(min_row=2, values_only=True)
        line = 1
        while True:
            line += 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except Exception as error:  # the rest cannot be found after a damaged row
                raise self._unreadable(error) from error
            if any(cell not in (None, "") for cell in cells):
                named = zip_longest(self._fields, cells[: len(self._fields)])  # empty cells at the end are not there
                values = {field: _plain(cell) for field, cell in named if field}
                yield Row(line=line, values=values, file=self._file_name)

    def _check_size(self) -> None:
        try:
            with zipfile.ZipFile(self._file) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise self._unreadable(error) from error
        if unpacked > MAX_UNPACKED:
            message = _("Unpacked, the file is larger than %(max)d megabytes.")
            raise ImportFileError(message % {"max": MAX_UNPACKED // 1024**2})
        self._file.seek(0)

    @staticmethod
    def _unreadable(error: Exception) -> ImportFileError:
        return ImportFileError(_("The spreadsheet cannot be read: %(error)s") % {"error": str(error)[:100]})


def _plain(cell: Any) -> Any:
    """A cell as a text or a number: a spreadsheet also has dates and truth values, which a listing has not."""
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, str) and "_x" in cell:
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell)
    return cell
