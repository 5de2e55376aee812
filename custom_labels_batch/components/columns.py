"""Columns of the analytics tables, and their types in the two languages Athena has."""

from dataclasses import dataclass

ENGINE_TYPES = {
    "string": "varchar",
    "double": "double",
    "int": "integer",
    "bigint": "bigint",
    "timestamp": "timestamp",
}
"""Type in the Glue catalog, where tables are defined -> type in Athena's engine, where queries run (Amazon Athena
user guide, "Data types in Amazon Athena"). The engine's `timestamp` has milliseconds: `timestamp(3)`."""


@dataclass(frozen=True)
class Column:
    """A column as the Glue catalog has it; the comment is for people who read a table's schema."""

    name: str
    type: str
    comment: str

    @property
    def engine_type(self) -> str:
        """The type in Athena's engine; KeyError for one that no view here has."""
        return ENGINE_TYPES[self.type]
