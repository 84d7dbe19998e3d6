"""What can be wrong with data. Importing this loads nothing."""


class DatasetError(ValueError):
    """The dataset cannot be used. The message names the place, the value and what to do."""


class PictureError(ValueError):
    """One picture cannot be read; the message says why. The others can."""
