"""The MUGE challenge's sets (ECommerce-IR): queries with the ids of their pictures, and the pictures in base64.

One picture is one listing; its title is the texts of the queries that name it.
"""

import base64
import binascii
import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crawler.images import MAX_BYTES
from crawler.imports.jsonl_rows import json_objects
from crawler.imports.lines import bounded_lines, count_lines, text_encoding
from crawler.imports.rows import Problem, Row

# The names of the challenge, and those of Chinese-CLIP's copy of it.
_TEXT_KEYS = ("query_text", "text")
_ITEM_KEYS = ("item_ids", "image_ids")
_MAX_LINE = 1000 + MAX_BYTES * 4 // 3  # base64 is a third longer than what it stands for
_JOINT = " · "


class MugeRows:
    """Raises ImportFileError when the queries are no text. Only the queries' texts are kept, on disk."""

    def __init__(self, queries: BinaryIO, pictures: BinaryIO, *, queries_name: str, pictures_name: str) -> None:
        self._queries, self._pictures = queries, pictures
        self._queries_name, self._pictures_name = queries_name, pictures_name
        self._encoding = text_encoding(queries)
        self.warnings: list[str] = []

    def count(self) -> int:
        return count_lines(self._pictures)

    def __iter__(self) -> Iterator[Row | Problem]:
        self.warnings = []
        database = sqlite3.connect("")  # a temporary file, which SQLite removes
        try:
            database.execute("CREATE TABLE named (item TEXT, line INTEGER, text TEXT)")
            database.execute("CREATE TABLE shown (item TEXT PRIMARY KEY) WITHOUT ROWID")
            yield from self._read_queries(database)
            database.execute("CREATE INDEX named_item ON named (item)")
            yield from self._read_pictures(database)
            yield from self._without_picture(database)
        finally:
            database.close()

    def _read_queries(self, database: sqlite3.Connection) -> Iterator[Problem]:
        nameless = 0
        for one in json_objects(self._queries, encoding=self._encoding, file_name=self._queries_name):
            if isinstance(one, Problem):
                yield one
                continue
            line, values = one
            text, items = _first(values, _TEXT_KEYS), _first(values, _ITEM_KEYS)
            if not isinstance(text, str) or not text.strip():
                message = _("The text of the query is missing.")
                yield self._wrong_query(line, _TEXT_KEYS[0], text, message)
            elif not isinstance(items, list) or not all(_is_id(item) for item in items):
                yield self._wrong_query(line, _ITEM_KEYS[0], items, _("It should be a list of ids."))
            else:
                nameless += not items
                clean = text.strip().encode(errors="replace").decode()
                database.executemany("INSERT INTO named VALUES (?, ?, ?)", [(str(item), line, clean) for item in items])
        if nameless:
            text = ngettext("%(count)d query names no picture.", "%(count)d queries name no picture.", nameless)
            self.warnings.append(text % {"count": nameless})

    def _read_pictures(self, database: sqlite3.Connection) -> Iterator[Row | Problem]:
        unnamed = 0
        self._pictures.seek(0)
        for number, data in enumerate(bounded_lines(self._pictures, max_bytes=_MAX_LINE), start=1):
            if not data.strip():
                continue
            one = self._picture(number, data)
            if isinstance(one, Problem):
                yield one
                continue
            item, picture = one
            texts = database.execute("SELECT DISTINCT text FROM named WHERE item = ? ORDER BY line", (item,)).fetchall()
            database.execute("INSERT OR IGNORE INTO shown VALUES (?)", (item,))
            if texts:
                title = _JOINT.join(text for (text,) in texts)
                values = {"item_id": item, "title": title}
                yield Row(line=number, values=values, picture=picture, file=self._pictures_name)
            unnamed += not texts
        if unnamed:
            text = ngettext(
                "%(count)d picture is named by no query: it is left out.",
                "%(count)d pictures are named by no query: they are left out.",
                unnamed,
            )
            self.warnings.append(text % {"count": unnamed})

    def _picture(self, line: int, data: bytes) -> tuple[str, bytes] | Problem:
        name, tab, encoded = data.rstrip(b"\r\n").partition(b"\t")
        item = name.decode("utf-8", errors="replace").strip()
        if not tab or not item:
            message = _("The line should be an id, a tab and a picture in base64.")
            return Problem(line=line, value=item, message=message, file=self._pictures_name)
        if len(data) > _MAX_LINE:
            message = _("The picture is larger than %(max)d megabytes.") % {"max": MAX_BYTES // 1024**2}
            return Problem(line=line, field="image", value=item, message=message, file=self._pictures_name)
        try:
            return item, base64.b64decode(encoded.strip().translate(_STANDARD), validate=True)
        except (binascii.Error, ValueError):
            shown = encoded[:100].decode("ascii", errors="replace")
            message = _("The picture is not in base64.")
            return Problem(line=line, field="image", value=shown, message=message, file=self._pictures_name)

    def _without_picture(self, database: sqlite3.Connection) -> Iterator[Problem]:
        missing = "SELECT item, MIN(line) FROM named WHERE item NOT IN shown GROUP BY item ORDER BY 2, 1"
        for item, line in database.execute(missing):
            yield self._wrong_query(line, _ITEM_KEYS[0], item, _("There is no picture of this id."))

    def _wrong_query(self, line: int, field: str, value: Any, message: str) -> Problem:
        shown = value if isinstance(value, str) else repr(value)[:200]
        return Problem(line=line, field=field, value=shown, message=message, file=self._queries_name)


_STANDARD = bytes.maketrans(b"-_", b"+/")  # some copies use the alphabet for addresses


def _first(values: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if name in values), None)


def _is_id(item: Any) -> bool:
    return isinstance(item, str | int) and not isinstance(item, bool) and str(item).strip() != ""
