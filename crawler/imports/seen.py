"""Which items a file has named already: on disk, because a file may name millions."""

import sqlite3
from typing import Self


class SeenIds:
    """Ids in hex with the line where each stood first; forgotten when closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a temporary file, which SQLite removes
        self._database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def earlier_line(self, item_id: str, line: int) -> int | None:
        """The line where this id stood before; None when it is new, and noted now."""
        key = bytes.fromhex(item_id)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, line)).rowcount:
            return None
        return self._database.execute("SELECT line FROM seen WHERE id = ?", (key,)).fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
