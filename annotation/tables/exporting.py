"""Tables on their way out, a piece at a time: however many rows there are, few of them are in memory."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from annotation.tables.cells import exported, harmless
from annotation.tables.formats import TableFormat
from annotation.tables.xlsx import workbook_bytes

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_AT_ONCE = 2000
_PIECE = 64 * 1024


def table_rows(documents: QuerySet, table: TableFormat) -> Iterator[list[Any]]:
    """The values of each document in the order of the table's columns."""
    for values in documents.values_list(*table.exported).iterator(chunk_size=_AT_ONCE):
        yield [exported(value) for value in values]


def table_bytes(format: str, documents: QuerySet, table: TableFormat) -> Iterator[bytes]:
    """The file, in pieces. `format`: one of CONTENT_TYPES."""
    write = {"csv": csv_bytes, "jsonl": jsonl_bytes, "xlsx": xlsx_bytes}[format]
    return write(table.exported, table_rows(documents, table))


def csv_bytes(header: Iterable[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    """CSV as RFC 4180 has it, with a byte order mark, without which spreadsheets take it for another encoding."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
        if buffer.tell() > _PIECE:
            yield _drained(buffer)
    yield _drained(buffer)


def jsonl_bytes(header: Iterable[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    """One JSON object a line (jsonlines.org)."""
    names, buffer = list(header), io.StringIO()
    for row in rows:
        buffer.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
        if buffer.tell() > _PIECE:
            yield _drained(buffer)
    yield _drained(buffer)


def xlsx_bytes(header: Iterable[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    """A workbook of one sheet."""
    yield from workbook_bytes(chain([header], ([harmless(value) for value in row] for row in rows)))


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
