"""Primary keys, made by us before the first write, so that every write can be repeated.

What can arrive twice takes its key from its content; what is a new event takes a time-ordered unique id.
"""

import hashlib

from uuid_utils import uuid7

ID_LENGTH = 64


def new_id() -> str:
    """A time-ordered unique id (UUID version 7, RFC 9562 section 5.7): later ids sort after earlier ones."""
    return str(uuid7())


def content_id(*parts: str) -> str:
    """The same id for the same parts: 40 hex digits of SHA-256.

    Parts are length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:40]
