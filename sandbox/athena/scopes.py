"""Names a part of a query can use, and questions about the parts of its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from sandbox.athena import functions
from sandbox.athena.errors import not_supported
from sandbox.athena.functions import Value
from sandbox.athena.types import Type

Origins = frozenset[tuple[int, str]]
"""Partition columns (scan, name) whose values an expression passes on unchanged."""


@dataclass(frozen=True)
class Column:
    name: str | None
    kind: Type
    origins: Origins = frozenset()


@dataclass
class Relation:
    alias: str | None
    sql_name: str
    columns: list[Column]
    database: str | None = None

    def find(self, name: str) -> list[tuple[str, Column]]:
        return [
            (f"{self.sql_name}.c{index}", column) for index, column in enumerate(self.columns) if column.name == name
        ]


@dataclass
class Scope:
    """Names that can be used somewhere, and what may be done with them there."""

    relations: list[Relation] = field(default_factory=list)
    outer: Scope | None = None
    ctes: Mapping[str, Cte] = field(default_factory=dict)
    database: str = ""
    clause: str = "SELECT"
    aggregates: bool = False
    aliases: Mapping[str, list[Value]] = field(default_factory=dict)
    lambdas: Mapping[str, Value] = field(default_factory=dict)
    scan: int | None = None
    """Only for conditions handed to a scan: columns are its partition columns."""


@dataclass(frozen=True)
class Cte:
    query: exp.Query
    names: tuple[str, ...]
    ctes: Mapping[str, Cte]


@dataclass(frozen=True)
class Part:
    """A compiled query inside another."""

    sql: str
    columns: list[Column]


def only(node: exp.Expr, *known: str) -> None:
    """Refuse any part of a node that would be overlooked."""
    for name, value in node.args.items():
        if name not in known and value not in (None, False, []):
            raise not_supported(f"{name.rstrip('_').upper()} in {node.key.upper()}")


def lower(name: Any) -> str:
    return str(name.name).lower()


def path_of(node: exp.Expr) -> list[str]:
    """`a.b.c` as its names; Trino's names are the same in any case."""
    if isinstance(node, exp.Dot):
        return [*path_of(node.this), *path_of(node.expression)]
    if isinstance(node, exp.Column):
        return [part.name.lower() for part in node.parts]
    return [node.name.lower()]


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def direction(item: exp.Ordered) -> str:
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f" {'DESC' if item.args.get('desc') else 'ASC'} NULLS {nulls}"


def own_parts(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    """Parts of a kind in a query's own clauses, not in queries inside it."""
    for child in node.iter_expressions():
        if isinstance(child, kind):
            yield child
        if not isinstance(child, exp.Query):
            yield from own_parts(child, kind)


def has_aggregate(item: exp.Expr) -> bool:
    """Whether an expression aggregates by itself, not over a window."""
    if isinstance(item, exp.Query):
        return False
    if isinstance(item, exp.Anonymous) and str(item.this).lower() in functions.AGGREGATES:
        return True
    if isinstance(item, exp.Window):
        inside = [*item.this.iter_expressions(), *(item.args.get("partition_by") or ())]
        return any(has_aggregate(each) for each in inside)
    return any(has_aggregate(each) for each in item.iter_expressions())
