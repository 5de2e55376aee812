"""The SQL in `queries/`: files that begin with a comment, whose first line is a title and the rest a description."""

from dataclasses import dataclass
from pathlib import Path

QUERIES = Path(__file__).resolve().parent.parent / "queries"

_COMMENT = "--"


@dataclass(frozen=True)
class QueryFile:
    """One statement of Athena's SQL.

    Attributes
    ----------
    name
        The file's, without its suffix.
    text
        The file as it is.
    sql
        The statement alone.
    """

    name: str
    title: str
    description: str
    text: str
    sql: str


def read_query(path: Path) -> QueryFile:
    """Read one file.

    Raises
    ------
    ValueError
        It does not begin with a title, a description and a statement.
    """
    text = path.read_text(encoding="utf-8").strip()
    lines = text.splitlines()
    header = [line for line in lines if line.startswith(_COMMENT)]
    comment = [line.removeprefix(_COMMENT).strip() for line in header]
    sql = "\n".join(lines[len(header) :])
    if len(comment) < 2 or lines[: len(header)] != header or not sql:
        raise ValueError(
            f"{path.name} must begin with a comment, a title and a description below it, and then one query"
        )
    return QueryFile(path.stem, comment[0].removesuffix("."), " ".join(comment[1:]), text, sql)


def saved_queries() -> list[QueryFile]:
    """The queries a user finds in Athena, by file name."""
    return [read_query(path) for path in sorted(QUERIES.glob("*.sql"))]


def view_query(name: str) -> QueryFile:
    """The query of a view, by the view's name."""
    return read_query(QUERIES / "views" / f"{name}.sql")
