"""What an operator is told in one line when something cannot be done, and the exit code."""

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130
"""Exit codes beside 0: it was not done; it cannot be asked for like this; Ctrl-C."""


class InputError(ValueError):
    """The message is one line: the value, what is allowed, and how to put it right."""


class OperationError(RuntimeError):
    """What was asked for was not done. The message is one line: what is the matter, and what to do next."""
