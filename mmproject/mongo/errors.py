"""What the driver raises, as the errors of Python's DB-API that Django knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from djongo import database
from pymongo import errors

DUPLICATE_KEY = 11000
NOT_ALLOWED = {13, 18}  # Unauthorized, AuthenticationFailed


@contextmanager
def translated() -> Iterator[None]:
    """Raises IntegrityError for a duplicate key, OperationalError when no server answers, DataError for a value
    that BSON cannot hold, else DatabaseError; the driver's error is the cause.
    """
    try:
        yield
    except errors.PyMongoError as error:
        raise translate(error) from error
    except (BSONError, OverflowError, UnicodeEncodeError) as error:  # an int beyond 64 bits, a lone surrogate
        raise database.DataError(str(error)[:500]) from error


def translate(error: errors.PyMongoError) -> database.Error:
    """The DB-API error for one of the driver's."""
    text = str(error)[:500]
    if DUPLICATE_KEY in _codes(error):
        return database.IntegrityError(text)
    if isinstance(error, errors.ConnectionFailure | errors.ExecutionTimeout | errors.WTimeoutError):
        return database.OperationalError(text)
    if isinstance(error, errors.ConfigurationError) or NOT_ALLOWED & _codes(error):
        return database.OperationalError(text)
    if isinstance(error, errors.DocumentTooLarge):
        return database.DataError(text)
    return database.DatabaseError(text)


def _codes(error: errors.PyMongoError) -> set[int | None]:
    if isinstance(error, errors.BulkWriteError):
        return {write.get("code") for write in error.details.get("writeErrors", ())}
    return {error.code} if isinstance(error, errors.OperationFailure) else set()
