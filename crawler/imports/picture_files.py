"""The pictures that come with a file: in a folder, or in the same ZIP. Nothing outside of it is ever read."""

import stat
import zipfile
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from crawler.images import MAX_BYTES, ImageError


class Pictures(Protocol):
    """Pictures by name: relative, with slashes, without ".."."""

    def read(self, name: str) -> bytes:
        """The bytes of a picture. Raises ImageError with the reason why there are none."""


class NoPictures:
    """A table came alone."""

    def read(self, name: str) -> bytes:
        raise ImageError(_("“%(name)s” did not come with the file.") % {"name": name[:100]})


class FolderPictures:
    """The files of one folder and those below it; links are not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            if path.resolve() != path or not path.is_relative_to(self._folder):  # a link in it, or a way out
                raise ImageError(_("“%(name)s” is a link: it is not followed.") % {"name": name[:100]})
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise ImageError(_("“%(name)s” is no file.") % {"name": name[:100]})
            if found.st_size > MAX_BYTES:
                raise ImageError(_("The picture is larger than %(max)d megabytes.") % {"max": MAX_BYTES // 1024**2})
            return path.read_bytes()
        except FileNotFoundError:
            raise ImageError(_("There is no picture “%(name)s”.") % {"name": name[:100]}) from None
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, ImageError):
                raise
            raise ImageError(_("“%(name)s” cannot be read.") % {"name": name[:100]}) from error


class ZipPictures:
    """The entries of an archive, by names relative to the folder `under` in it."""

    def __init__(self, archive: zipfile.ZipFile, *, under: str) -> None:
        self._archive = archive
        self._under = under
        self._entries = {entry.filename.replace("\\", "/"): entry for entry in archive.infolist() if not entry.is_dir()}

    def read(self, name: str) -> bytes:
        entry = self._entries.get(self._under + name)
        if entry is None:
            raise ImageError(_("There is no picture “%(name)s”.") % {"name": name[:100]})
        if entry.file_size > MAX_BYTES:
            raise ImageError(_("The picture is larger than %(max)d megabytes.") % {"max": MAX_BYTES // 1024**2})
        try:
            return self._archive.read(entry)
        except Exception as error:  # zlib.error, BadZipFile, EOFError, …: the archive is damaged there
            raise ImageError(_("The picture is damaged.")) from error
