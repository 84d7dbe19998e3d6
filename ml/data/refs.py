"""Where a picture of a dataset folder lies: a file, or a run of bytes inside an uncompressed tar."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ml.data.errors import PictureError

MAX_PICTURE = 64 * 1024**2  # bytes
MAX_OFFSET = 2**40  # bytes; a shard holds about a gigabyte
_SHARD = re.compile(r"shards/(?P<name>[A-Za-z0-9_-][A-Za-z0-9._-]*\.tar):(?P<offset>[0-9]{1,13})\+(?P<size>[0-9]{1,9})")


@dataclass(frozen=True)
class PictureRef:
    """`path` within the dataset folder; `size` bytes from `offset`, or the whole file where `size` is None."""

    path: str
    offset: int = 0
    size: int | None = None


def parse_ref(text: str) -> PictureRef:
    """ "images/NAME" or "shards/NAME.tar:OFFSET+SIZE".

    Raises ValueError that says what is wrong; a reference that is returned stays within the folder by its name.
    """
    if text.startswith("shards/"):
        return _shard_ref(text)
    folder, *names = text.split("/")
    if folder != "images" or not names:
        raise ValueError("is neither images/NAME nor shards/NAME.tar:OFFSET+SIZE")
    if any(name in ("", ".", "..") for name in names) or "\0" in text or "\\" in text or not _is_text(text):
        raise ValueError("lies outside the dataset folder, or is no name of a file")
    return PictureRef(text)


def _shard_ref(text: str) -> PictureRef:
    match = _SHARD.fullmatch(text)
    if match is None:
        raise ValueError("is not shards/NAME.tar:OFFSET+SIZE")
    offset, size = int(match["offset"]), int(match["size"])
    if offset > MAX_OFFSET:
        raise ValueError(f"has an offset of more than {MAX_OFFSET} bytes")
    if not 1 <= size <= MAX_PICTURE:
        raise ValueError(f"has a size that is not between 1 and {MAX_PICTURE} bytes")
    return PictureRef(f"shards/{match['name']}", offset, size)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def read_ref(folder: Path, text: str) -> bytes:
    """The bytes of the picture that `text` names in a dataset folder; nothing is kept open.

    Raises PictureError when the reference is wrong, leads out of the folder by a link, or reaches past the file's end.
    """
    try:
        ref = parse_ref(text)
    except ValueError as error:
        raise PictureError(f"{text!r} {error}") from None
    path = folder / ref.path
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise PictureError(f"{text!r} is a link out of the dataset folder")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would keep us waiting
    except FileNotFoundError:
        raise PictureError("the file is missing") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links that go in circles
        raise PictureError(f"the file cannot be opened: {error}") from None
    try:
        return _read(descriptor, ref)
    except OSError as error:
        raise PictureError(f"the file cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _read(descriptor: int, ref: PictureRef) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise PictureError("it is not a file")
    size = status.st_size if ref.size is None else ref.size
    if size > MAX_PICTURE:
        raise PictureError(f"the file is larger than {MAX_PICTURE} bytes")
    if ref.offset + size > status.st_size:
        raise PictureError(f"{ref.path} ends at {status.st_size}, before {ref.offset}+{size}")
    data = os.pread(descriptor, size, ref.offset)
    if len(data) != size:
        raise PictureError(f"only {len(data)} of {size} bytes could be read")
    return data
