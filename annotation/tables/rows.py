"""What a table's row comes to: something new, something changed, nothing, or what is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.translation import gettext as _

from annotation.tables.cells import WrongCellError, text_of
from crawler.imports.rows import Problem, Row

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


class WrongRowError(ValueError):
    """The row is left out; the message, with field and value, is shown to users."""

    def __init__(self, field: str, value: Any, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the import makes, or would make, of a row. `fields`: what changes, as field -> (before, after)."""

    line: int
    what: str
    name: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


class Target(Protocol):
    """Where the rows of one kind go."""

    def keys(self, row: Row) -> list[str]:
        """What the row names, for finding a second row about the same thing."""
        ...

    def take(self, rows: Sequence[Row], *, dry_run: bool) -> Iterable[Outcome | Problem]:
        """Write the rows, or only look; safe to repeat."""
        ...


def problem_of(row: Row, error: WrongRowError) -> Problem:
    shown = error.value if isinstance(error.value, str) else repr(error.value)
    return Problem(line=row.line, field=error.field, value=shown, message=str(error))


def cell_text(row: Row, name: str) -> str:
    """The text of a cell, "" where the column is not there. Raises WrongRowError for no text and no number."""
    try:
        return text_of(row.values.get(name))
    except WrongCellError as error:
        raise WrongRowError(name, row.values.get(name), str(error)) from error


def limited_text(row: Row, name: str, length: int | None) -> str:
    """Like `cell_text`. Raises WrongRowError also for one that is longer than a document holds."""
    text = cell_text(row, name)
    if length and len(text) > length:
        raise WrongRowError(name, text, _("It is longer than %(max)d characters.") % {"max": length})
    return text
