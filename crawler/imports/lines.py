"""The lines of a text file that strangers made: bounded, in UTF-8 or GB 18030, a broken one told and passed over."""

from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from crawler.imports.errors import ImportFileError

MAX_LINE = 1024 * 1024  # bytes
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class BrokenLineError(ValueError):
    """One line cannot be read; the next one can. The message is shown to users."""


def bounded_lines(file: BinaryIO, *, max_bytes: int = MAX_LINE) -> Iterator[bytes]:
    """The lines of `file` from where it stands, with their ends; of a longer line only its first `max_bytes` + 1."""
    while line := file.readline(max_bytes + 1):
        yield line
        while len(line) > max_bytes and not line.endswith(b"\n"):
            line = file.readline(max_bytes + 1)
            if not line:
                return


def text_encoding(file: BinaryIO) -> str:
    """ "utf-8" or "gb18030", whichever the file is in, found by reading all of it; rewinds it.

    Text in GB 18030 is hardly ever valid UTF-8 by chance, so a few broken lines do not make a UTF-8 file another one.
    Raises ImportFileError for what is no text, or is UTF-16.
    """
    file.seek(0)
    start = file.read(4096)
    if start.startswith(_UTF_16):
        raise ImportFileError(_("The file is in UTF-16: save it as “CSV UTF-8”."))
    if b"\0" in start:
        raise ImportFileError(_("The file is not text."))
    file.seek(0)
    foreign = valid = 0
    for line in bounded_lines(file):
        if not line.isascii():
            foreign += 1
            valid += _is_utf8(line)
    file.seek(0)
    return "utf-8" if start.startswith(_BOM) or 2 * valid >= foreign else "gb18030"


class TextLines:
    """The lines of a file as text, without a byte order mark. An iterator that can go on after BrokenLineError."""

    def __init__(self, file: BinaryIO, *, encoding: str) -> None:
        file.seek(0)
        self.number = 0  # of the line read last, from 1
        self._encoding = encoding
        self._lines = bounded_lines(file)

    def __iter__(self) -> "TextLines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(_BOM)
        if len(line) > MAX_LINE:
            raise BrokenLineError(_("The line is longer than %(max)d kilobytes.") % {"max": MAX_LINE // 1024})
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError:
            raise BrokenLineError(_("The line is not text in %(encoding)s.") % {"encoding": self._encoding}) from None


def count_lines(file: BinaryIO) -> int:
    """How many lines there are, blank ones included; rewinds the file."""
    file.seek(0)
    count, last = 0, b"\n"
    while block := file.read(1024 * 1024):
        count += block.count(b"\n")
        last = block[-1:]
    file.seek(0)
    return count + (last != b"\n")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
