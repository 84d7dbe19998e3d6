"""Cells of a table: what a spreadsheet would run as a formula is made harmless on the way out, and back on the way in.

A text that a spreadsheet might take for a formula gets an apostrophe in front (OWASP, CSV injection). So does one that
only looks as if it had got one already, so that taking one away gives back exactly what there was.
"""

import math
import re
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

# After any apostrophes and whitespace: = + - @, also in full width, a tab or a carriage return.
_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[^\S\t\r]*[\t\r])")
_TRUE = {"true", "1", "yes", "y", "是", "真"}
_FALSE = {"false", "0", "no", "n", "否", "假"}


class WrongCellError(ValueError):
    """The message is shown to users."""


def harmless(value: Any) -> Any:
    """`value` for a cell of CSV or XLSX; numbers and truth values stay what they are."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def original(value: Any) -> Any:
    """What `harmless` made harmless."""
    if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value):
        return value[1:]
    return value


def exported(value: Any) -> Any:
    """A field's value as a text, a number, a truth value or nothing."""
    return value.isoformat() if isinstance(value, datetime) else value


def text_of(value: Any) -> str:
    """A cell as text, just as it stands. Raises WrongCellError for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, str):
        # Half a surrogate pair, which no document can hold, becomes a question mark; so does NUL.
        return value.encode(errors="replace").decode().replace("\0", "?")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # spreadsheets keep a name of digits as 12345.0
    if isinstance(value, int | float):
        return str(value)
    raise WrongCellError(_("It should be a text or a number."))


def truth_of(text: str) -> bool:
    """Raises WrongCellError for what says neither yes nor no."""
    word = text.strip().casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise WrongCellError(_("It should be true or false."))
