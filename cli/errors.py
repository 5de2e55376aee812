"""What an operator typed cannot be done."""


class InputError(ValueError):
    """The message is one line: the value, what is allowed, and how to put it right."""
