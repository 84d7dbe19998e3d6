"""Rows of a CSV file: comma, semicolon or tab, with a header; RFC 4180, and what spreadsheets make of it."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from crawler.imports.columns import LISTING_COLUMNS, Columns, unknown_columns
from crawler.imports.errors import ImportFileError
from crawler.imports.lines import BrokenLineError, TextLines, text_encoding
from crawler.imports.rows import Problem, Row

_DELIMITERS = (",", ";", "\t")


class CsvRows:
    """Raises ImportFileError for a file without a header that names what is needed."""

    def __init__(self, file: BinaryIO, *, columns: Columns = LISTING_COLUMNS, file_name: str = "") -> None:
        self._file = file
        self._known = columns
        self._file_name = file_name
        self._encoding = text_encoding(file)
        self._delimiter, header = self._header()
        self._fields = columns.fields_of(header)
        self._columns = len(header)
        columns.check_header(header, self._fields)
        unknown = [name for name, field in zip(header, self._fields, strict=True) if not field]
        self.warnings = unknown_columns(unknown)

    def count(self) -> int:
        return sum(1 for _one in self)

    def __iter__(self) -> Iterator[Row | Problem]:
        lines = TextLines(self._file, encoding=self._encoding)
        reader = csv.reader(lines, delimiter=self._delimiter)
        next(reader)
        while True:
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except BrokenLineError as error:
                yield Problem(line=lines.number, message=str(error), file=self._file_name)
            except csv.Error as error:
                message = _("The line cannot be read: %(error)s") % {"error": error}
                yield Problem(line=line, message=message, file=self._file_name)
            else:
                if any(cell.strip() for cell in cells):
                    yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row | Problem:
        if len(cells) > self._columns and any(cell.strip() for cell in cells[self._columns :]):
            message = _("The line has %(count)d cells, but there are %(columns)d columns.")
            values = {"count": len(cells), "columns": self._columns}
            shown = self._delimiter.join(cells)
            return Problem(line=line, message=message % values, value=shown, file=self._file_name)
        cells += [""] * (self._columns - len(cells))
        named = zip(self._fields, cells, strict=False)
        return Row(line=line, values={field: cell for field, cell in named if field}, file=self._file_name)

    def _header(self) -> tuple[str, list[str]]:
        """The delimiter with which most columns are known, and the header that it gives."""
        found: list[tuple[str, list[str]]] = []
        for delimiter in _DELIMITERS:
            try:
                header = next(csv.reader(TextLines(self._file, encoding=self._encoding), delimiter=delimiter))
            except StopIteration:
                raise ImportFileError(_("The file is empty.")) from None
            except (BrokenLineError, csv.Error) as error:
                raise ImportFileError(_("The first line cannot be read: %(error)s") % {"error": error}) from None
            found.append((delimiter, header))
        return max(found, key=lambda one: sum(1 for field in self._known.fields_of(one[1]) if field))
