"""Rows of a JSON Lines file: one object a line (jsonlines.org)."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from crawler.imports.columns import LISTING_COLUMNS, Columns, unknown_columns
from crawler.imports.lines import BrokenLineError, TextLines, count_lines, text_encoding
from crawler.imports.rows import Problem, Row

_MAX_UNKNOWN = 20


class JsonlRows:
    """Raises ImportFileError for what is no text. The keys are named like the columns of a table."""

    def __init__(self, file: BinaryIO, *, columns: Columns = LISTING_COLUMNS, file_name: str = "") -> None:
        self._file = file
        self._known = columns
        self._file_name = file_name
        self._encoding = text_encoding(file)
        self._unknown: dict[str, None] = {}

    @property
    def warnings(self) -> list[str]:
        return unknown_columns(self._unknown)

    def count(self) -> int:
        return count_lines(self._file)

    def __iter__(self) -> Iterator[Row | Problem]:
        for one in json_objects(self._file, encoding=self._encoding, file_name=self._file_name):
            if isinstance(one, Problem):
                yield one
            else:
                line, values = one
                yield Row(line=line, values=self._fields(values), file=self._file_name)

    def _fields(self, values: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {}
        for name, value in values.items():
            field = self._known.field_of(name)
            if field and field not in known:
                known[field] = value
            elif len(self._unknown) < _MAX_UNKNOWN:
                self._unknown.setdefault(name)
        return known


def json_objects(
    file: BinaryIO, *, encoding: str, file_name: str = ""
) -> Iterator[tuple[int, dict[str, Any]] | Problem]:
    """Each line's number and object, or what is wrong with it; blank lines are passed over."""
    lines = TextLines(file, encoding=encoding)
    while True:
        try:
            text = next(lines).strip()
        except StopIteration:
            return
        except BrokenLineError as error:
            yield Problem(line=lines.number, message=str(error), file=file_name)
            continue
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            message = _("The line is no JSON: %(error)s") % {"error": str(error)[:100]}
            yield Problem(line=lines.number, message=message, value=text, file=file_name)
            continue
        if isinstance(value, dict):
            yield lines.number, value
        else:
            yield Problem(line=lines.number, message=_("The line is no JSON object."), value=text, file=file_name)
