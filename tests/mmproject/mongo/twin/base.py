"""SQLite with text lookups that mean what Django's documentation says.

SQLite's own LIKE is blind to case in `contains`, too, and knows case only in ASCII. Here `icontains` and its like
compare lower-cased text and `contains` and its like compare text as it is; everything else, NULL above all, is
SQLite's own.
"""

from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper as SqliteWrapper


class DatabaseWrapper(SqliteWrapper):
    operators = SqliteWrapper.operators | dict.fromkeys(("contains", "startswith", "endswith"), "GLOB %s")

    def ensure_connection(self) -> None:
        # Not super(): during a test Django replaces the base class's method by one that knows only declared databases.
        if self.connection is None:
            self.connect()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("like", 3, lambda pattern, text, escape: _folded(pattern, text), deterministic=True)
        connection.create_function("glob", 2, _like, deterministic=True)
        return connection


def _folded(pattern: str | None, text: Any) -> bool | None:
    if pattern is None or text is None:
        return None
    return _like(pattern.lower(), str(text).lower())


def _like(pattern: str | None, text: Any) -> bool | None:
    """LIKE by trying every split: slow, obvious, and no regular expression."""
    if pattern is None or text is None:
        return None
    return _matches(_pieces(pattern), str(text))


def _pieces(pattern: str) -> list[tuple[str, str]]:
    pieces, characters = [], iter(pattern)
    for character in characters:
        if character == "\\":
            pieces.append(("is", next(characters)))
        else:
            pieces.append(({"%": "any", "_": "one"}.get(character, "is"), character))
    return pieces


def _matches(pieces: list[tuple[str, str]], text: str) -> bool:
    if not pieces:
        return not text
    (kind, character), rest = pieces[0], pieces[1:]
    if kind == "any":
        return any(_matches(rest, text[start:]) for start in range(len(text) + 1))
    return bool(text) and (kind == "one" or text[0] == character) and _matches(rest, text[1:])
