"""The one error the sandbox shows to a person."""


class SandboxError(Exception):
    """Something the person at the keyboard can act on; printed as one line, without a traceback."""
