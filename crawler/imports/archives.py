"""ZIP files from strangers: looked through before anything of them is unpacked."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from crawler.imports.errors import ImportFileError

# zipfile never unpacks more of an entry than the directory says, so these caps on what it says hold.
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_ENTRIES = 100_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"}
_ENCRYPTED = 0x1
_BLOCK = 1024 * 1024


def checked_archive(file: BinaryIO) -> zipfile.ZipFile:
    """The open archive. Raises ImportFileError for one that is damaged, locked, nested, or too large unpacked."""
    try:
        archive = _opened(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise ImportFileError(_("The ZIP file cannot be read: %(error)s") % {"error": str(error)[:100]}) from error
    try:
        _check(archive.infolist())
    except ImportFileError:
        archive.close()
        raise
    return archive


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        # Windows in China names files in GBK, which is part of GB 18030, and does not say so.
        return zipfile.ZipFile(file, metadata_encoding="gb18030")
    except UnicodeDecodeError:
        file.seek(0)
        return zipfile.ZipFile(file)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ImportFileError(_("The ZIP file holds more than %(max)d files.") % {"max": MAX_ENTRIES})
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        message = _("Unpacked, the file is larger than %(max)d megabytes.")
        raise ImportFileError(message % {"max": MAX_UNPACKED // 1024**2})
    for entry in entries:
        named = {"name": entry.filename[:100]}
        if PurePosixPath(entry.filename).suffix.lower() in _ARCHIVES:
            raise ImportFileError(_("The ZIP file holds another archive, “%(name)s”.") % named)
        if entry.flag_bits & _ENCRYPTED:
            raise ImportFileError(_("“%(name)s” in the ZIP file is locked with a password.") % named)
        if entry.compress_type not in _METHODS:
            raise ImportFileError(_("“%(name)s” in the ZIP file is packed in an uncommon way.") % named)


def visible_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The entries that people put there: no folders, and nothing that macOS or an editor added."""
    return [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(entry.filename).parts)
    ]


@contextmanager
def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """A temporary file with what `entry` holds. Raises ImportFileError when it is damaged."""
    with tempfile.TemporaryFile() as target:
        try:
            with archive.open(entry) as packed:
                while block := packed.read(_BLOCK):
                    target.write(block)
        except Exception as error:  # zlib.error, BadZipFile, EOFError, …
            message = _("“%(name)s” in the ZIP file is damaged.")
            raise ImportFileError(message % {"name": entry.filename[:100]}) from error
        target.seek(0)
        yield target
