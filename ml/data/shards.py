"""Pictures in uncompressed tars of about a gigabyte: a million small files are slow to copy, list and open."""

import os
import tarfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

SHARD_BYTES = 10**9
_BLOCK = 512  # of a tar


class ShardWriter:
    """Writes `folder`/00000.tar, 00001.tar, …; any tar unpacks them. Used with `with`, at whose end all is on disk."""

    def __init__(self, folder: Path, *, shard_bytes: int = SHARD_BYTES) -> None:
        self._folder, self._shard_bytes = folder, shard_bytes
        self._number = -1
        self._file: BinaryIO | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, data: bytes) -> str:
        """Append a picture; the reference by which `read_ref` finds its bytes, for example "shards/00000.tar:512+34".

        Raises ValueError for no data: a reference to nothing cannot be read.
        """
        if not data:
            raise ValueError(f"{name}: no data")
        if self._file is None or self._file.tell() + len(data) > self._shard_bytes:
            self._next()
        assert self._file is not None
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self._file.write(entry.tobuf(tarfile.PAX_FORMAT))
        offset = self._file.tell()
        self._file.write(data)
        self._file.write(bytes(-len(data) % _BLOCK))
        return f"shards/{self._number:05}.tar:{offset}+{len(data)}"

    def _next(self) -> None:
        self._close()
        self._number += 1
        self._file = (self._folder / f"{self._number:05}.tar").open("xb")

    def _close(self) -> None:
        if self._file is not None:
            self._file.write(bytes(2 * _BLOCK))  # the end of a tar
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
