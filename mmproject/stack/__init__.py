"""One machine's own MongoDB and Redis, as child processes, and the demo that runs the whole project on them."""


class StackError(Exception):
    """The stack cannot start. The message is one line: what happened and what to do."""
