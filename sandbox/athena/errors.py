"""How a query fails."""


class QueryError(Exception):
    """Why Athena ends a query: the words of its StateChangeReason.

    Parameters
    ----------
    code
        Athena's name of the error, such as TABLE_NOT_FOUND; NOT_SUPPORTED for what only the sandbox cannot do.
    message
        What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message

    def at(self, place: str) -> "QueryError":
        """The same error with the place in the query's text, such as `line 1:8: `."""
        return QueryError(self.code, f"{place}{self.message}")


class Cancelled(Exception):  # noqa: N818 - an end, not an error
    """Why Athena cancelled a query that was going well."""


def not_supported(what: str) -> QueryError:
    """A query that Athena may take, and the sandbox does not answer rather than answer wrongly."""
    return QueryError("NOT_SUPPORTED", f"the sandbox's Athena does not know {what}; see docs/sandbox.md")
