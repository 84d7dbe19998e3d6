"""A dictionary of texts that is too large for memory."""

import sqlite3
from types import TracebackType


class DiskMap:
    """Texts by texts, in a temporary file that SQLite removes. Used with `with`."""

    def __enter__(self) -> "DiskMap":
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE entries (key BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def get(self, key: str) -> str | None:
        row = self._database.execute("SELECT value FROM entries WHERE key = ?", (_bytes(key),)).fetchone()
        return row[0] if row else None

    def __setitem__(self, key: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (_bytes(key), value))


def _bytes(key: str) -> bytes:
    return key.encode(errors="surrogatepass")  # ids may hold halves of pairs, which SQLite's texts may not
