"""What can be wrong with a file as a whole; what is wrong with one row is a `Problem` in rows.py."""


class ImportFileError(ValueError):
    """The file cannot be imported at all; the message is shown to users."""
