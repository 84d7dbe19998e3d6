"""A folder as a zip archive, made while it is read: nothing is kept in memory or on the disk."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


class _Pipe:
    """What is written to it is taken away before more is written. It cannot seek, so zip writes for a stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def zipped(folder: Path, *, name: str) -> Iterator[bytes]:
    """The bytes of a zip with the files of `folder` under `name`/, uncompressed: weights hardly become smaller.

    The same folder always gives the same bytes. What is no plain file is left out.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink()):
            entry = zipfile.ZipInfo(f"{name}/{path.name}")  # dated 1980, as zip's time begins
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while data := source.read(CHUNK):
                    target.write(data)
                    yield pipe.take()
    yield pipe.take()
