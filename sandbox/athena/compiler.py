"""A query in Trino's SQL to one in DuckDB's, with Trino's rules for names and types checked on the way.

Every part is compiled by a method that knows it; a part without one fails the query, so that nothing is answered that
Athena might answer otherwise. Columns of each relation are renamed c0, c1 ..., which leaves no name to DuckDB's rules.

While it compiles, it notes which conditions hold for partition columns alone, and hands them to the table's scan:
through subqueries, views and unions, and through a window only if the window is divided by that column, as Trino's
optimiser does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlglot import exp

from sandbox.athena import functions
from sandbox.athena.casts import cast
from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.functions import Value, coerced
from sandbox.athena.parser import MalformedQuery, parse, place
from sandbox.athena.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DAY_INTERVAL,
    DOUBLE,
    INTEGER,
    MONTH_INTERVAL,
    TIMESTAMP,
    TIMESTAMP_TZ,
    UNKNOWN,
    VARCHAR,
    Type,
    as_decimal,
    common,
    from_trino,
    is_number,
    quoted,
)

CATALOG = "awsdatacatalog"
_DEEPEST_VIEW = 16


@dataclass(frozen=True)
class Table:
    """A table as queries see it: its columns, partition columns last."""

    database: str
    name: str
    columns: tuple[tuple[str, Type], ...]
    partitions: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """A view: its text, and what it said its columns were when it was made."""

    database: str
    name: str
    text: str
    columns: tuple[tuple[str, Type], ...]


class Catalog(Protocol):
    """Where the compiler finds tables."""

    def find(self, database: str, name: str) -> Table | View:
        """Look up a table or view by lower-case names.

        Raises
        ------
        QueryError
            SCHEMA_NOT_FOUND or TABLE_NOT_FOUND.
        """
        ...


@dataclass
class Scan:
    """One reading of a table, and DuckDB conditions on its partition columns that every row wanted meets."""

    table: Table
    name: str
    conditions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Query:
    """A compiled query: DuckDB's text, the columns it gives, and the tables it reads."""

    sql: str
    columns: tuple[tuple[str, Type], ...]
    scans: tuple[Scan, ...]


Origins = frozenset[tuple[int, str]]
"""Partition columns (scan, name) whose values an expression passes on unchanged."""


@dataclass(frozen=True)
class _Column:
    name: str | None
    kind: Type
    origins: Origins = frozenset()


@dataclass
class _Relation:
    alias: str | None
    sql_name: str
    columns: list[_Column]
    database: str | None = None

    def find(self, name: str) -> list[tuple[str, _Column]]:
        return [
            (f"{self.sql_name}.c{index}", column) for index, column in enumerate(self.columns) if column.name == name
        ]


@dataclass
class _Scope:
    """Names that can be used somewhere, and what may be done with them there."""

    relations: list[_Relation] = field(default_factory=list)
    outer: _Scope | None = None
    ctes: Mapping[str, _Cte] = field(default_factory=dict)
    database: str = ""
    clause: str = "SELECT"
    aggregates: bool = False
    aliases: Mapping[str, list[Value]] = field(default_factory=dict)
    lambdas: Mapping[str, Value] = field(default_factory=dict)
    scan: int | None = None
    """Only for conditions handed to a scan: columns are its partition columns."""


@dataclass(frozen=True)
class _Cte:
    query: exp.Query
    names: tuple[str, ...]
    ctes: Mapping[str, _Cte]


@dataclass(frozen=True)
class _Part:
    """A compiled query inside another."""

    sql: str
    columns: list[_Column]


def compile_query(text: str, catalog: Catalog, database: str) -> Query:
    """Compile a query.

    Raises
    ------
    MalformedQuery
        For a text that Athena would not start.
    QueryError
        For a query that Athena would fail, or that the sandbox cannot answer.
    """
    compiler = _Compiler(catalog)
    part = compiler.query(parse(text), _Scope(database=database.lower()))
    columns = tuple((column.name or f"_col{index}", column.kind) for index, column in enumerate(part.columns))
    for scan in compiler.scans:
        scan.conditions = [functions.finished(condition) for condition in scan.conditions]
    return Query(functions.finished(part.sql), columns, tuple(compiler.scans))


class _Compiler:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.scans: list[Scan] = []
        self._relations = 0
        self._views: list[tuple[str, str]] = []

    # Queries

    def query(self, node: exp.Expression, outer: _Scope) -> _Part:
        """A SELECT, a set operation, VALUES, or one of these in parentheses."""
        scope = replace(outer, ctes={**outer.ctes, **self._ctes(node, outer)}, relations=[], aliases={}, outer=outer)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, scope)
        if isinstance(node, exp.Subquery):
            _only(node, "this", "with_", "order", "limit", "offset")
            return self._ordered(node, self.query(node.this, scope), scope)
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        raise not_supported(f"{node.key} as a query")

    def _ctes(self, node: exp.Expression, outer: _Scope) -> dict[str, _Cte]:
        found: dict[str, _Cte] = {}
        clause = node.args.get("with_")
        if clause is None:
            return found
        _only(clause, "expressions")
        for cte in clause.expressions:
            _only(cte, "this", "alias")
            names = tuple(_lower(column) for column in cte.args["alias"].args.get("columns") or ())
            found[cte.alias.lower()] = _Cte(cte.this, names, {**outer.ctes, **found})
        return found

    def _set_operation(self, node: exp.SetOperation, scope: _Scope) -> _Part:
        _only(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
        left, right = self.query(node.this, scope), self.query(node.expression, scope)
        if len(left.columns) != len(right.columns):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{node.key.upper()} query has different number of fields: {len(left.columns)}, {len(right.columns)}",
            )
        columns: list[_Column] = []
        for index, (a, b) in enumerate(zip(left.columns, right.columns, strict=True)):
            kind = common(a.kind, b.kind)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"column {index + 1} in {node.key.upper()} query has incompatible types: {a.kind}, {b.kind}",
                )
            columns.append(_Column(a.name, kind, a.origins | b.origins))
        word = node.key.upper() + ("" if node.args.get("distinct") is not False else " ALL")
        sides = [self._retyped(side, columns) for side in (left, right)]
        return self._ordered(node, _Part(f"{sides[0]} {word} {sides[1]}", columns), scope)

    def _retyped(self, part: _Part, columns: Sequence[_Column]) -> str:
        items = ", ".join(
            f"{coerced(Value(f'c{index}', old.kind), new.kind)} AS c{index}"
            for index, (old, new) in enumerate(zip(part.columns, columns, strict=True))
        )
        return f"(SELECT {items} FROM ({part.sql}))"

    def _ordered(self, node: exp.Expression, part: _Part, scope: _Scope) -> _Part:
        """ORDER BY, OFFSET and LIMIT of a whole set operation, by its columns only."""
        order = node.args.get("order")
        texts = []
        for item in order.expressions if order else ():
            place_in = self._ordinal(item.this, [column.name for column in part.columns])
            if place_in is None:
                raise not_supported("ORDER BY of a set operation by anything but its columns")
            texts.append(f"{place_in + 1}{_direction(item)}")
        limits = self._limits(node)
        if not texts and not limits:
            return part
        clause = f" ORDER BY {', '.join(texts)}" if texts else ""
        return self._closed(_Part(f"SELECT * FROM ({part.sql}){clause}{limits}", part.columns), bool(limits))

    def _closed(self, part: _Part, limited: bool) -> _Part:
        """What comes out of a LIMIT must not be filtered before it."""
        return _Part(part.sql, [replace(column, origins=frozenset()) for column in part.columns]) if limited else part

    def _limits(self, node: exp.Expression) -> str:
        text = ""
        for word in ("limit", "offset"):
            clause = node.args.get(word)
            if clause is None:
                continue
            number = clause.args.get("expression")
            if not isinstance(clause, exp.Limit | exp.Offset) or not isinstance(number, exp.Literal):
                raise not_supported(f"this form of {word.upper()}")
            text += f" {word.upper()} {int(number.this)}"
        return text

    def _values(self, node: exp.Values, scope: _Scope) -> _Part:
        _only(node, "expressions", "alias")
        rows = [
            [self.value(item, scope) for item in (row.expressions if isinstance(row, exp.Tuple) else [row])]
            for row in node.expressions
        ]
        kinds: list[Type] = [UNKNOWN] * len(rows[0])
        for row in rows:
            merged = [common(a, b.kind) for a, b in zip(kinds, row, strict=False)]
            if len(row) != len(kinds) or None in merged:
                raise QueryError("TYPE_MISMATCH", "Values rows have mismatched types")
            kinds = [kind for kind in merged if kind is not None]
        texts = [", ".join(coerced(v, k) for v, k in zip(row, kinds, strict=True)) for row in rows]
        names = ", ".join(f"c{index}" for index in range(len(kinds)))
        body = ", ".join(f"({text})" for text in texts)
        return _Part(f"SELECT * FROM (VALUES {body}) AS v({names})", [_Column(None, kind) for kind in kinds])

    # SELECT

    def _select(self, node: exp.Select, scope: _Scope) -> _Part:
        _only(
            node,
            *("with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit"),
            "offset",
        )
        if not node.expressions:
            raise MalformedQuery("line 1:8: mismatched input. Expecting: <expression>")
        sql_from = self._from(node, scope)
        where = self._where(node, scope)
        items = list(self._items(node, replace(scope, aggregates=True), scope))
        group = self._group(node, scope, items)
        grouped = bool(group) or any(_has_aggregate(item) for item in node.expressions)
        having = ""
        if node.args.get("having"):
            condition = self._condition(
                node.args["having"].this, replace(scope, aggregates=True, clause="HAVING"), "HAVING"
            )
            having = f" HAVING {condition}"
        distinct = node.args.get("distinct")
        if distinct is not None:
            _only(distinct)
        order = self._select_order(node, scope, items, distinct is not None)
        limits = self._limits(node)
        selected = ", ".join(f"{value.sql} AS c{index}" for index, (_, value, _) in enumerate(items))
        sql = (
            f"SELECT {'DISTINCT ' if distinct is not None else ''}{selected}{sql_from}{where}"
            + (f" GROUP BY {', '.join(group)}" if group else "")
            + f"{having}{order}{limits}"
        )
        windows = [self._divided_by(window, scope) for window in _own(node, exp.Window)]
        columns = []
        for name, value, origins in items:
            kept = origins if all(value.sql in keys for keys in windows) else frozenset()
            kept = kept if not grouped or value.sql in group else frozenset()
            columns.append(_Column(name, value.kind, kept))
        return self._closed(_Part(sql, columns), bool(limits))

    def _divided_by(self, window: exp.Window, scope: _Scope) -> set[str]:
        quiet = replace(scope, aggregates=True)
        return {self.value(key, quiet).sql for key in window.args.get("partition_by") or ()}

    def _items(self, node: exp.Select, scope: _Scope, own: _Scope) -> Iterator[tuple[str | None, Value, Origins]]:
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                yield from self._star(item, own)
                continue
            expression = item.this if isinstance(item, exp.Alias) else item
            name = item.alias.lower() if isinstance(item, exp.Alias) else None
            value = self.value(expression, scope)
            origins: Origins = frozenset()
            if isinstance(expression, exp.Column | exp.Dot):
                name = name or _path(expression)[-1]
                origins = self._resolve(expression, own)[1].origins
            yield name, value, origins

    def _star(self, item: exp.Expression, scope: _Scope) -> Iterator[tuple[str | None, Value, Origins]]:
        wanted = item.args["table"].name.lower() if isinstance(item, exp.Column) else None
        _only(item.this if isinstance(item, exp.Column) else item)
        chosen = [relation for relation in scope.relations if wanted in {None, relation.alias}]
        if not chosen:
            raise QueryError(
                "TABLE_NOT_FOUND",
                f"Unable to resolve reference {wanted}"
                if wanted
                else "SELECT * not allowed in queries without FROM clause",
            )
        for relation in chosen:
            for index, column in enumerate(relation.columns):
                yield column.name, Value(f"{relation.sql_name}.c{index}", column.kind), column.origins

    def _where(self, node: exp.Select, scope: _Scope) -> str:
        clause = node.args.get("where")
        if clause is None:
            return ""
        text = self._condition(clause.this, replace(scope, clause="WHERE"), "WHERE")
        self._hand_down(clause.this, scope)
        return f" WHERE {text}"

    def _condition(self, node: exp.Expression, scope: _Scope, clause: str) -> str:
        value = self.value(node, scope)
        if common(value.kind, BOOLEAN) != BOOLEAN:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}{clause} clause must evaluate to a boolean: actual type {value.kind}"
            )
        return coerced(value, BOOLEAN)

    def _group(self, node: exp.Select, scope: _Scope, items: Sequence[tuple[str | None, Value, Origins]]) -> list[str]:
        clause = node.args.get("group")
        if clause is None:
            return []
        _only(clause, "expressions")
        texts = []
        for item in clause.expressions:
            if isinstance(item, exp.Literal) and not item.is_string:
                if not 1 <= int(item.this) <= len(items):
                    raise QueryError("INVALID_COLUMN_REFERENCE", f"GROUP BY position {item.this} is not in select list")
                if _has_aggregate(node.expressions[min(int(item.this), len(node.expressions)) - 1]):
                    raise QueryError("EXPRESSION_NOT_SCALAR", f"GROUP BY position {item.this} is an aggregation")
                texts.append(items[int(item.this) - 1][1].sql)
            else:
                texts.append(self.value(item, replace(scope, clause="GROUP BY")).sql)
        return texts

    def _select_order(
        self, node: exp.Select, scope: _Scope, items: Sequence[tuple[str | None, Value, Origins]], distinct: bool
    ) -> str:
        clause = node.args.get("order")
        if clause is None:
            return ""
        aliases: dict[str, list[Value]] = {}
        for name, value, _ in items:
            if name is not None:
                aliases.setdefault(name, []).append(value)
        texts = []
        for item in clause.expressions:
            position = self._ordinal(item.this, [name for name, _, _ in items])
            if position is not None:
                texts.append(f"{position + 1}{_direction(item)}")
                continue
            value = self.value(item.this, replace(scope, aggregates=True, aliases=aliases, clause="ORDER BY"))
            known = [index for index, (_, each, _) in enumerate(items) if each.sql == value.sql]
            if distinct and not known:
                raise QueryError(
                    "EXPRESSION_NOT_IN_DISTINCT",
                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                )
            texts.append(f"{known[0] + 1 if known else value.sql}{_direction(item)}")
        return f" ORDER BY {', '.join(texts)}"

    def _ordinal(self, node: exp.Expression, names: Sequence[str | None]) -> int | None:
        if isinstance(node, exp.Literal) and not node.is_string:
            if not 1 <= int(node.this) <= len(names):
                raise QueryError("INVALID_COLUMN_REFERENCE", f"ORDER BY position {node.this} is not in select list")
            return int(node.this) - 1
        if isinstance(node, exp.Column) and len(_path(node)) == 1:
            found = [index for index, name in enumerate(names) if name == _path(node)[0]]
            if len(found) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"{place(node)}Column '{node.name}' is ambiguous")
            return found[0] if found else None
        return None

    # FROM

    def _from(self, node: exp.Select, scope: _Scope) -> str:
        clause = node.args.get("from_")
        if clause is None:
            return ""
        text = self._relation(clause.this, scope)
        for join in node.args.get("joins") or ():
            text += self._join(join, scope)
        return f" FROM {text}"

    def _join(self, join: exp.Join, scope: _Scope) -> str:
        _only(join, "this", "side", "kind", "on")
        side, kind, on = (
            (join.args.get("side") or "").upper(),
            (join.args.get("kind") or "").upper(),
            join.args.get("on"),
        )
        before = len(scope.relations)
        right = self._relation(join.this, scope)
        if on is None:
            if side or kind not in {"", "CROSS"}:
                raise MalformedQuery("a JOIN needs ON")
            return f" CROSS JOIN {right}"
        if kind not in {"", "INNER", "OUTER"}:
            raise not_supported(f"{kind} JOIN")
        condition = self._condition(on, replace(scope, clause="JOIN"), "JOIN ON")
        if not side:
            self._hand_down(on, scope)
        for relation in (scope.relations[before:] if side in {"LEFT", "FULL"} else []) + (
            scope.relations[:before] if side in {"RIGHT", "FULL"} else []
        ):
            relation.columns = [replace(column, origins=frozenset()) for column in relation.columns]
        return f" {side} JOIN {right} ON {condition}"

    def _relation(self, node: exp.Expression, scope: _Scope) -> str:
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, exp.Table):
            part, alias, database = self._table(node, scope)
        elif isinstance(node, exp.Subquery | exp.Values):
            inner = replace(scope, relations=[], outer=None)
            if isinstance(node, exp.Subquery):
                _only(node, "this", "alias", "with_")
                part = self.query(node.this, inner)
            else:
                part = self._values(node, inner)
            alias, database = node.alias.lower() or None, None
        else:
            raise not_supported(f"{node.key} in FROM")
        names = (
            [_lower(name) for name in (node.args["alias"].args.get("columns") or ())] if node.args.get("alias") else []
        )
        columns = self._renamed(part.columns, names, alias)
        return self._add(scope, alias, columns, f"({part.sql})", database)

    def _add(
        self, scope: _Scope, alias: str | None, columns: list[_Column], sql: str, database: str | None = None
    ) -> str:
        if alias is not None and any(each.alias == alias and each.database == database for each in scope.relations):
            raise QueryError("SYNTAX_ERROR", f"Table name '{alias}' is ambiguous")
        relation = _Relation(alias, f"r{self._relations}", columns, database)
        self._relations += 1
        scope.relations.append(relation)
        names = ", ".join(f"c{index}" for index in range(len(columns)))
        return f"{sql} AS {relation.sql_name}({names})"

    def _renamed(self, columns: list[_Column], names: Sequence[str], alias: str | None) -> list[_Column]:
        if not names:
            return columns
        if len(names) != len(columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but '{alias}' has {len(columns)} columns available",
            )
        return [replace(column, name=name) for column, name in zip(columns, names, strict=True)]

    def _unnest(self, node: exp.Unnest, scope: _Scope) -> str:
        _only(node, "expressions", "alias", "offset")
        if len(node.expressions) != 1:
            raise not_supported("UNNEST of several arrays")
        array = self.value(node.expressions[0], replace(scope, clause="UNNEST"))
        if array.kind.name != "array":
            raise not_supported(f"UNNEST of {array.kind}")
        alias = node.args.get("alias")
        names = [_lower(name) for name in (alias.args.get("columns") or ())] if alias else []
        items, element = "unnest(a) AS c0", array.kind.inner[0]
        if element.name == "row":
            kinds = list(zip(element.fields, element.inner, strict=True))
            items = ", ".join(f"struct_extract(e, '{name}') AS c{index}" for index, (name, _) in enumerate(kinds))
        else:
            kinds = [("", element)]
            items = "e AS c0"
        columns = [_Column(name or None, kind) for name, kind in kinds]
        if node.args.get("offset"):
            items += f", n AS c{len(columns)}"
            columns.append(_Column(None, BIGINT))
            if isinstance(node.args["offset"], exp.Identifier):
                names.append(_lower(node.args["offset"]))
        columns = self._renamed(columns, names, alias.name if alias else None)
        rows = f"SELECT unnest({array.sql}) AS e, generate_subscripts({array.sql}, 1) AS n"
        return "LATERAL " + self._add(
            scope, alias.name.lower() if alias else None, columns, f"(SELECT {items} FROM ({rows}))"
        )

    def _table(self, node: exp.Table, scope: _Scope) -> tuple[_Part, str, str | None]:
        _only(node, "this", "db", "catalog", "alias")
        name, database, catalog = node.name.lower(), node.db.lower(), node.catalog.lower()
        alias = node.alias.lower() or name
        if not database and name in scope.ctes:
            cte = scope.ctes[name]
            part = self.query(cte.query, _Scope(ctes=cte.ctes, database=scope.database))
            return _Part(part.sql, self._renamed(part.columns, cte.names, name)), alias, None
        if catalog and catalog != CATALOG:
            raise QueryError("CATALOG_NOT_FOUND", f"{place(node)}Catalog '{catalog}' does not exist")
        if not database and not scope.database:
            raise QueryError(
                "MISSING_SCHEMA_NAME", f"{place(node)}Schema must be specified when session schema is not set"
            )
        try:
            found = self._catalog.find(database or scope.database, name)
        except QueryError as error:
            raise QueryError(error.code, place(node) + str(error).partition(": ")[2]) from None
        known_by = None if node.alias else found.database
        if isinstance(found, View):
            return self._view(found, node), alias, known_by
        number = len(self.scans)
        self.scans.append(Scan(found, f"scan_{number}"))
        columns = [
            _Column(column, kind, frozenset({(number, column)}) if column in found.partitions else frozenset())
            for column, kind in found.columns
        ]
        return _Part(f"SELECT * FROM scan_{number}", columns), alias, known_by

    def _view(self, view: View, node: exp.Table) -> _Part:
        key = (view.database, view.name)
        if key in self._views or len(self._views) > _DEEPEST_VIEW:
            raise QueryError("VIEW_IS_RECURSIVE", f"{place(node)}View is recursive")
        label = f"View '{CATALOG}.{view.database}.{view.name}'"
        self._views.append(key)
        try:
            part = self.query(parse(view.text), _Scope(database=view.database))
        except MalformedQuery as error:
            raise QueryError("INVALID_VIEW", f"{place(node)}Failed parsing stored {label}: {error}") from None
        except QueryError as error:
            raise QueryError("INVALID_VIEW", f"{place(node)}Failed analyzing stored {label}: {error}") from None
        finally:
            self._views.pop()
        stale = f"{place(node)}{label} is stale or in invalid state: "
        if len(part.columns) != len(view.columns):
            raise QueryError(
                "VIEW_IS_STALE",
                f"{stale}stored view column count ({len(view.columns)}) does not match column count "
                f"derived from the view query analysis ({len(part.columns)})",
            )
        for index, (column, (name, kind)) in enumerate(zip(part.columns, view.columns, strict=True)):
            given = f"column [{column.name}] of type {column.kind} projected from query view at position {index}"
            stored = f"column [{name}] of type {kind} stored in view definition"
            if column.name != name:
                raise QueryError("VIEW_IS_STALE", f"{stale}{given} has a different name from {stored}")
            if column.kind != kind:
                raise QueryError("VIEW_IS_STALE", f"{stale}{given} cannot be coerced to {stored}")
        return part

    # Conditions on partitions

    def _hand_down(self, condition: exp.Expression, scope: _Scope) -> None:
        """Give each conjunct that is about partition columns alone to the scans these come from."""
        for conjunct in _conjuncts(condition):
            columns = list(conjunct.find_all(exp.Column))
            if not columns or any(conjunct.find(kind) for kind in (exp.Query, exp.Exists, exp.Lambda, exp.Window)):
                continue
            own = replace(scope, outer=None)
            try:
                origins = [self._resolve(column, own)[1].origins for column in columns]
            except QueryError:
                continue
            for number in sorted(set.intersection(*({scan for scan, _ in each} for each in origins))):
                text = self.value(conjunct, replace(own, scan=number)).sql
                self.scans[number].conditions.append(text)

    # Names

    def _resolve(self, node: exp.Expression, scope: _Scope) -> tuple[Value, _Column]:
        path = _path(node)
        found = self._search(node, path, scope)
        if found is None:
            if scope.outer is not None:
                return self._resolve(node, scope.outer)
            name = ".".join(path)
            raise QueryError(
                "COLUMN_NOT_FOUND",
                f"{place(node)}Column '{name}' cannot be resolved or requester is not authorized to access "
                "requested resources",
            )
        sql, column, fields = found
        if not fields:
            return Value(sql, column.kind), column
        value = Value(sql, column.kind)
        for name in fields:
            value = self._field(value, name, node)
        return value, _Column(fields[-1], value.kind)

    def _search(self, node: exp.Expression, path: list[str], scope: _Scope) -> tuple[str, _Column, list[str]] | None:
        if len(path) == 1 and path[0] in scope.aliases:
            values = scope.aliases[path[0]]
            return values[0].sql, _Column(path[0], values[0].kind), []
        qualified: list[tuple[int, list[_Relation]]] = []
        if len(path) > 2:
            qualified.append((2, [r for r in scope.relations if (r.database, r.alias) == (path[0], path[1])]))
        if len(path) > 1:
            qualified.append((1, [r for r in scope.relations if r.alias == path[0]]))
        for skipped, relations in [*qualified, (0, scope.relations)]:
            matches = [match for relation in relations for match in relation.find(path[skipped])]
            if len(matches) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"{place(node)}Column '{'.'.join(path)}' is ambiguous")
            if matches:
                sql, column = matches[0]
                if scope.scan is not None:
                    sql = quoted(next(name for scan, name in column.origins if scan == scope.scan))
                return sql, column, path[skipped + 1 :]
        return None

    def _field(self, value: Value, name: str, node: exp.Expression) -> Value:
        if value.kind.name != "row":
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Expression is not of type ROW")
        if name not in value.kind.fields:
            raise QueryError("COLUMN_NOT_FOUND", f"{place(node)}Column '{name}' cannot be resolved")
        kind = value.kind.inner[value.kind.fields.index(name)]
        text = name.replace("'", "''")
        return Value(f"struct_extract({value.sql}, '{text}')", kind)

    # Expressions

    def value(self, node: exp.Expression, scope: _Scope) -> Value:
        """Compile an expression."""
        compile_ = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if compile_ is None:
            raise not_supported(f"{node.key} ({node.sql(dialect='trino')[:80]})")
        result: Value = compile_(node, scope)
        return result

    def _of_literal(self, node: exp.Literal, scope: _Scope) -> Value:
        text = str(node.this)
        if node.is_string:
            if "\x01" in text or "\x02" in text:
                raise not_supported("control characters in text")
            return Value(f"CAST('{text.replace(chr(39), chr(39) * 2)}' AS VARCHAR)", VARCHAR, text)
        if "e" in text.lower():
            return Value(f"CAST({text} AS DOUBLE)", DOUBLE)
        if "." in text:
            whole, _, fraction = text.partition(".")
            digits = len(whole.lstrip("0")) + len(fraction)
            kind = Type("decimal", precision=max(digits, 1), scale=len(fraction))
            return Value(f"CAST({text if whole else '0' + text} AS {kind.duckdb})".replace(".", ".", 1), kind)
        kind = INTEGER if int(text) < 1 << 31 else BIGINT
        return Value(f"CAST({text} AS {kind.duckdb})", kind, text)

    def _of_null(self, node: exp.Null, scope: _Scope) -> Value:
        return Value("CAST(NULL AS INTEGER)", UNKNOWN)

    def _of_boolean(self, node: exp.Boolean, scope: _Scope) -> Value:
        return Value("true" if node.this else "false", BOOLEAN)

    def _of_column(self, node: exp.Column, scope: _Scope) -> Value:
        path = _path(node)
        if path[0] in scope.lambdas:
            value = scope.lambdas[path[0]]
            for name in path[1:]:
                value = self._field(value, name, node)
            return value
        return self._resolve(node, scope)[0]

    def _of_identifier(self, node: exp.Identifier, scope: _Scope) -> Value:
        if node.name.lower() in scope.lambdas:
            return scope.lambdas[node.name.lower()]
        return self._resolve(exp.Column(this=node), scope)[0]

    def _of_dot(self, node: exp.Dot, scope: _Scope) -> Value:
        if isinstance(node.expression, exp.Identifier) and not isinstance(node.this, exp.Column | exp.Dot):
            return self._field(self.value(node.this, scope), _lower(node.expression), node)
        if all(isinstance(part, exp.Column | exp.Dot | exp.Identifier) for part in node.walk()):
            return self._resolve(node, scope)[0]
        return self._field(self.value(node.this, scope), _lower(node.expression), node)

    def _of_paren(self, node: exp.Paren, scope: _Scope) -> Value:
        return self.value(node.this, scope)

    def _of_neg(self, node: exp.Neg, scope: _Scope) -> Value:
        value = self.value(node.this, scope)
        if not is_number(value.kind) and value.kind not in {DAY_INTERVAL, MONTH_INTERVAL}:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Cannot negate {value.kind}")
        return Value(f"(-{value.sql})", value.kind, f"-{value.literal}" if value.literal else None)

    def _of_not(self, node: exp.Not, scope: _Scope) -> Value:
        return Value(f"(NOT {self._boolean(node.this, scope)})", BOOLEAN)

    def _of_and(self, node: exp.And, scope: _Scope) -> Value:
        return Value(f"({self._boolean(node.this, scope)} AND {self._boolean(node.expression, scope)})", BOOLEAN)

    def _of_or(self, node: exp.Or, scope: _Scope) -> Value:
        return Value(f"({self._boolean(node.this, scope)} OR {self._boolean(node.expression, scope)})", BOOLEAN)

    def _boolean(self, node: exp.Expression, scope: _Scope) -> str:
        value = self.value(node, scope)
        if common(value.kind, BOOLEAN) != BOOLEAN:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Logical expression term must evaluate to a boolean: {value.kind}"
            )
        return coerced(value, BOOLEAN)

    def _compared(self, operator: str, sign: str, left: Value, right: Value, node: exp.Expression) -> Value:
        kind = common(left.kind, right.kind)
        if kind is None:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Cannot apply operator: {left.kind} {operator} {right.kind}"
            )
        return Value(f"({coerced(left, kind)} {sign} {coerced(right, kind)})", BOOLEAN)

    def _comparison(self, node: exp.Binary, scope: _Scope) -> Value:
        shown, sign = _COMPARISONS[type(node)]
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        return self._compared(shown, sign, left, right, node)

    _of_eq = _of_neq = _of_lt = _of_lte = _of_gt = _of_gte = _of_nullsafeeq = _of_nullsafeneq = _comparison

    def _of_between(self, node: exp.Between, scope: _Scope) -> Value:
        _only(node, "this", "low", "high")
        value = self.value(node.this, scope)
        low = self._compared("BETWEEN", ">=", value, self.value(node.args["low"], scope), node)
        high = self._compared("BETWEEN", "<=", value, self.value(node.args["high"], scope), node)
        return Value(f"({low.sql} AND {high.sql})", BOOLEAN)

    def _of_in(self, node: exp.In, scope: _Scope) -> Value:
        _only(node, "this", "expressions", "query")
        value = self.value(node.this, scope)
        if node.args.get("query"):
            part = self.query(node.args["query"], scope)
            kind = common(value.kind, part.columns[0].kind)
            if len(part.columns) != 1 or kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"{place(node)}value and result of subquery must be of the same type for IN expression: {value.kind} vs {part.columns[0].kind}",
                )
            inner = self._retyped(part, [_Column(None, kind)])
            return Value(f"({coerced(value, kind)} IN {inner})", BOOLEAN)
        found = [self._compared("=", "=", value, self.value(each, scope), node).sql for each in node.expressions]
        return Value(f"({' OR '.join(found)})", BOOLEAN)

    def _of_is(self, node: exp.Is, scope: _Scope) -> Value:
        if not isinstance(node.expression, exp.Null):
            raise MalformedQuery(f"mismatched input '{node.expression.sql()}'. Expecting: NULL")
        return Value(f"({self.value(node.this, scope).sql} IS NULL)", BOOLEAN)

    def _of_like(self, node: exp.Like, scope: _Scope, escape: str = "") -> Value:
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        if (left.kind, right.kind) != (VARCHAR, VARCHAR):
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Left and right side of LIKE must be varchar: {left.kind}, {right.kind}"
            )
        return Value(f"({left.sql} LIKE {right.sql}{escape})", BOOLEAN)

    def _of_escape(self, node: exp.Escape, scope: _Scope) -> Value:
        if not isinstance(node.this, exp.Like) or not isinstance(node.expression, exp.Literal):
            raise not_supported("this ESCAPE")
        return self._of_like(node.this, scope, f" ESCAPE '{str(node.expression.this).replace(chr(39), chr(39) * 2)}'")

    def _of_exists(self, node: exp.Exists, scope: _Scope) -> Value:
        return Value(f"EXISTS ({self.query(node.this, scope).sql})", BOOLEAN)

    def _of_subquery(self, node: exp.Subquery, scope: _Scope) -> Value:
        _only(node, "this", "with_")
        part = self.query(node.this, scope)
        if len(part.columns) != 1:
            raise QueryError("NOT_SUPPORTED", "Multiple columns returned by subquery are not yet supported")
        return Value(f"(SELECT c0 FROM ({part.sql}))", part.columns[0].kind)

    # Arithmetic

    def _arithmetic(self, node: exp.Binary, scope: _Scope) -> Value:
        sign = _ARITHMETIC[type(node)]
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        if sign in "+-":
            moment = self._moved(sign, left, right) or (self._moved(sign, right, left) if sign == "+" else None)
            if moment:
                return moment
        kind = common(left.kind, right.kind)
        if kind is None or not (is_number(kind) or kind == UNKNOWN):
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Cannot apply operator: {left.kind} {sign} {right.kind}")
        if kind.name == "decimal":
            return self._decimals(sign, left, right)
        a, b = coerced(left, kind), coerced(right, kind)
        if sign == "/" and kind != DOUBLE and kind.name != "real":
            return Value(f"({a} // {b})", kind)
        return Value(f"CAST({a} {sign} {b} AS {kind.duckdb})", kind)

    _of_add = _of_sub = _of_mul = _of_div = _of_mod = _arithmetic

    def _decimals(self, sign: str, left: Value, right: Value) -> Value:
        a, b = as_decimal(left.kind), as_decimal(right.kind)
        if sign in "/%":
            raise not_supported(
                "division of decimals, which rounds to the operands' digits in Athena (10.0 / 3 is 3.3): "
                "cast one side to double"
            )
        if sign == "*":
            precision, scale = a.precision + b.precision, a.scale + b.scale
        else:
            scale = max(a.scale, b.scale)
            precision = max(a.precision - a.scale, b.precision - b.scale) + scale + 1
        if scale > 38 or (sign == "*" and precision > 38):
            raise not_supported("decimals of over 38 digits")
        kind = Type("decimal", precision=min(38, precision), scale=scale)
        return Value(f"CAST({coerced(left, a)} {sign} {coerced(right, b)} AS {kind.duckdb})", kind)

    def _moved(self, sign: str, moment: Value, interval: Value) -> Value | None:
        """A date or time and an interval."""
        if interval.kind not in {DAY_INTERVAL, MONTH_INTERVAL}:
            return None
        if moment.kind in {DATE, TIMESTAMP, TIMESTAMP_TZ}:
            return Value(f"CAST({moment.sql} {sign} {interval.sql} AS {moment.kind.duckdb})", moment.kind)
        if moment.kind.name == TIMESTAMP_TZ.name:
            raise not_supported("intervals in a time zone that is not UTC")
        return None

    def _of_dpipe(self, node: exp.DPipe, scope: _Scope) -> Value:
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        kind = common(left.kind, right.kind)
        if kind is None or kind.name not in {"varchar", "array"}:
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"{place(node)}Unexpected parameters ({left.kind}, {right.kind}) for function concat. Expected: concat(varchar), concat(array(E), E)",
            )
        return Value(f"({coerced(left, kind)} || {coerced(right, kind)})", kind)

    def _of_interval(self, node: exp.Interval, scope: _Scope) -> Value:
        unit = str(node.args["unit"].this).upper() if isinstance(node.args.get("unit"), exp.Var) else ""
        if not isinstance(node.this, exp.Literal) or unit not in {"SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"}:
            raise not_supported(f"the interval {node.sql(dialect='trino')}")
        kind = MONTH_INTERVAL if unit in {"MONTH", "YEAR"} else DAY_INTERVAL
        return Value(f"(INTERVAL '{int(str(node.this.this))}' {unit})", kind)

    # Forms of their own

    def _of_case(self, node: exp.Case, scope: _Scope) -> Value:
        compared = self.value(node.this, scope) if node.this else None
        conditions, results = [], []
        for branch in node.args["ifs"]:
            if compared is None:
                conditions.append(self._boolean(branch.this, scope))
            else:
                conditions.append(self._compared("=", "=", compared, self.value(branch.this, scope), branch).sql)
            results.append(self.value(branch.args["true"], scope))
        default = node.args.get("default")
        results.append(self.value(default, scope) if default else Value("NULL", UNKNOWN))
        kind: Type | None = UNKNOWN
        for result in results:
            merged = common(kind, result.kind) if kind else None
            if merged is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"{place(node)}All CASE results must be the same type or coercible to a common type: {', '.join(str(r.kind) for r in results)}",
                )
            kind = merged
        assert kind is not None
        *texts, last = [coerced(result, kind) for result in results]
        whens = " ".join(f"WHEN {c} THEN {t}" for c, t in zip(conditions, texts, strict=True))
        return Value(f"(CASE {whens} ELSE {last} END)", kind)

    def _of_if(self, node: exp.If, scope: _Scope) -> Value:
        return self._of_case(
            exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])], default=node.args.get("false")), scope
        )

    def _of_cast(self, node: exp.Cast, scope: _Scope) -> Value:
        to = node.args["to"]
        if isinstance(to, exp.DataType) and to.this in {exp.DataType.Type.TEXT, exp.DataType.Type.NVARCHAR}:
            raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {to.sql()}")
        length = None
        if isinstance(to, exp.DataType) and to.this == exp.DataType.Type.VARCHAR and to.expressions:
            length = int(to.expressions[0].this.this)
        return cast(self.value(node.this, scope), from_trino(to.sql(dialect="trino")), length)

    def _of_trycast(self, node: exp.TryCast, scope: _Scope) -> Value:
        return functions.tried(self._of_cast(node, scope))

    def _of_extract(self, node: exp.Extract, scope: _Scope) -> Value:
        return functions.date_part(str(node.this.this).lower(), [self.value(node.expression, scope)])

    def _of_strposition(self, node: exp.StrPosition, scope: _Scope) -> Value:
        _only(node, "this", "substr")
        return self._called("strpos", [self.value(node.this, scope), self.value(node.args["substr"], scope)])

    def _of_trim(self, node: exp.Trim, scope: _Scope) -> Value:
        _only(node, "this", "position", "expression")
        position = str(node.args.get("position") or "BOTH").upper()
        name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[position]
        value = self.value(node.this, scope)
        if node.expression is None or not node.args.get("expression"):
            return self._called(name, [value])
        return Value(f"{name}({value.sql}, {self.value(node.expression, scope).sql})", VARCHAR)

    def _of_substring(self, node: exp.Substring, scope: _Scope) -> Value:
        given = [node.this, node.args.get("start"), node.args.get("length")]
        return self._called("substring", [self.value(each, scope) for each in given if each])

    def _of_attimezone(self, node: exp.AtTimeZone, scope: _Scope) -> Value:
        return self._called("at_timezone", [self.value(node.this, scope), self.value(node.args["zone"], scope)])

    def _of_bracket(self, node: exp.Bracket, scope: _Scope) -> Value:
        value = self.value(node.this, scope)
        if len(node.expressions) != 1:
            raise not_supported("this subscript")
        index = self.value(node.expressions[0], scope)
        if value.kind.name == "map":
            return self._called("element_at", [value, index])
        if value.kind.name != "array" or common(index.kind, BIGINT) != BIGINT:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Cannot use {index.kind} for subscript of {value.kind}")
        # The parser counts array subscripts from 0, as its other dialects do.
        place_in = f"({index.sql} + {int(not node.args.get('offset'))})"
        array = value.sql
        return Value(
            f"(CASE WHEN {place_in} < 1 OR {place_in} > len({array}) THEN "
            f"{functions.failing(_OUT_OF_BOUNDS)} ELSE {array}[{place_in}] END)",
            value.kind.inner[0],
        )

    def _of_array(self, node: exp.Array, scope: _Scope) -> Value:
        values = [self.value(each, scope) for each in node.expressions]
        kind: Type | None = UNKNOWN
        for each in values:
            kind = common(kind, each.kind) if kind else None
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}All ARRAY elements must be the same type")
        return Value(f"[{', '.join(coerced(each, kind) for each in values)}]", Type("array", (kind,)))

    def _of_currentdate(self, node: exp.CurrentDate, scope: _Scope) -> Value:
        return Value("CAST(now() AS DATE)", DATE)

    def _of_currenttimestamp(self, node: exp.CurrentTimestamp, scope: _Scope) -> Value:
        return Value("date_trunc('millisecond', now())", TIMESTAMP_TZ)

    def _of_localtimestamp(self, node: exp.Localtimestamp, scope: _Scope) -> Value:
        return Value("CAST(date_trunc('millisecond', now()) AS TIMESTAMP)", TIMESTAMP)

    # Calls

    def _called(self, name: str, arguments: Sequence[Value]) -> Value:
        found = functions.call(name, arguments)
        if found is None:
            raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered (or not known to the sandbox)")
        return found

    def _of_anonymous(self, node: exp.Anonymous, scope: _Scope) -> Value:
        name = str(node.this).lower()
        if name == "try":
            return functions.tried(self.value(node.expressions[0], scope))
        if name == "now" and not node.expressions:
            return self._of_currenttimestamp(exp.CurrentTimestamp(), scope)
        if name == "date" and len(node.expressions) == 1:
            return cast(self.value(node.expressions[0], scope), DATE)
        if name in {"transform", "filter", "any_match", "all_match", "none_match"}:
            return self._higher(name, node, scope)
        if name in functions.AGGREGATES:
            return self._aggregate(node, scope)
        found = functions.call(name, [self.value(each, scope) for each in node.expressions])
        if found is None:
            raise QueryError(
                "FUNCTION_NOT_FOUND", f"{place(node)}Function '{name}' not registered (or not known to the sandbox)"
            )
        return found

    def _higher(self, name: str, node: exp.Anonymous, scope: _Scope) -> Value:
        array, function = self.value(node.expressions[0], scope), node.expressions[1]
        if array.kind.name != "array" or not isinstance(function, exp.Lambda) or len(function.expressions) != 1:
            raise not_supported(f"this {name}")
        variable = f"x{len(scope.lambdas)}"
        element = Value(variable, array.kind.inner[0])
        inner = replace(scope, lambdas={**scope.lambdas, _lower(function.expressions[0]): element})
        body = self.value(function.this, inner)
        if name == "transform":
            return Value(f"list_transform({array.sql}, lambda {variable}: {body.sql})", Type("array", (body.kind,)))
        if body.kind != BOOLEAN:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}{name} needs a function that gives a boolean")
        chosen = f"list_filter({array.sql}, lambda {variable}: {body.sql})"
        if name == "filter":
            return Value(chosen, array.kind)
        raise not_supported(name)

    def _aggregate(
        self, node: exp.Anonymous, scope: _Scope, condition: str = "", order: exp.Order | None = None
    ) -> Value:
        name = str(node.this).lower()
        if not scope.aggregates:
            raise QueryError(
                "EXPRESSION_NOT_SCALAR",
                f"{place(node)}{scope.clause} clause cannot contain aggregations, window functions or grouping "
                f"operations: [{name}]",
            )
        inner = replace(scope, aggregates=False, clause="An aggregation's", aliases={})
        given, distinct = list(node.expressions), ""
        if len(given) == 1 and isinstance(given[0], exp.Star) and name == "count":
            return Value(f"count(*){condition}", BIGINT)
        if given and isinstance(given[-1], exp.Order):
            order = given[-1]
            given[-1] = order.this
        if not given:
            if name == "count":
                return Value(f"count(*){condition}", BIGINT)
            raise functions.wrong_arguments(name, [])
        if isinstance(given[0], exp.Distinct):
            distinct, given = "DISTINCT ", [*given[0].expressions, *given[1:]]
        values = [self.value(each, inner) for each in given]
        found = functions.aggregate(name, values)
        assert found is not None
        texts = [f"{self.value(item.this, inner).sql}{_direction(item)}" for item in order.expressions] if order else []
        text = found.sql.replace("{more}", f" ORDER BY {', '.join(texts)}" if texts else "")
        if distinct:
            if name not in {"count", "sum", "avg", "array_agg", "listagg", "min", "max"}:
                raise not_supported(f"{name}(DISTINCT ...)")
            inside = {"count": "count(", "avg": "avg(", "array_agg": "list(", "listagg": "string_agg("}.get(
                name, f"{name}("
            )
            text = text.replace(inside, inside + distinct, 1)
        if condition:
            text = _filtered(text, condition)
        return Value(text, found.kind)

    def _of_filter(self, node: exp.Filter, scope: _Scope) -> Value:
        inner = replace(scope, aggregates=False, clause="FILTER")
        condition = f" FILTER (WHERE {self._condition(node.expression.this, inner, 'FILTER')})"
        if isinstance(node.this, exp.Anonymous) and str(node.this.this).lower() in functions.AGGREGATES:
            return self._aggregate(node.this, scope, condition)
        raise not_supported("this FILTER")

    def _of_withingroup(self, node: exp.WithinGroup, scope: _Scope) -> Value:
        if not isinstance(node.this, exp.Anonymous) or str(node.this.this).lower() != "listagg":
            raise not_supported("this WITHIN GROUP")
        return self._aggregate(node.this, scope, order=node.expression)

    def _of_window(self, node: exp.Window, scope: _Scope) -> Value:
        _only(node, "this", "partition_by", "order", "spec", "over")
        if not scope.aggregates:
            raise QueryError("EXPRESSION_NOT_SCALAR", f"{scope.clause} clause cannot contain window functions")
        call = node.this
        if not isinstance(call, exp.Anonymous):
            raise not_supported(f"{call.key} over a window")
        name = str(call.this).lower()
        if any(isinstance(each, exp.Distinct) for each in call.expressions):
            raise QueryError("NOT_SUPPORTED", "DISTINCT in window function parameters not yet supported")
        function = None
        if name not in functions.AGGREGATES:
            function = functions.window(name, [self.value(each, scope) for each in call.expressions])
            if function is None:
                raise QueryError("FUNCTION_NOT_FOUND", f"{place(node)}Function '{name}' not registered")
        else:
            function = self._aggregate(call, scope)
        keys = [self.value(key, scope).sql for key in node.args.get("partition_by") or ()]
        order = node.args.get("order")
        texts = [f"{self.value(item.this, scope).sql}{_direction(item)}" for item in order.expressions] if order else []
        if name in {"rank", "dense_rank", "ntile", "percent_rank", "cume_dist", "lag", "lead"} and not texts:
            # Trino takes these; without an order their answers mean nothing.
            if name not in {"lag", "lead"}:
                raise not_supported(f"{name} over a window without ORDER BY")
        parts = [f"PARTITION BY {', '.join(keys)}"] if keys else []
        parts += [f"ORDER BY {', '.join(texts)}"] if texts else []
        parts += [self._frame(node.args["spec"])] if node.args.get("spec") else []
        return Value(_filtered(function.sql, f" OVER ({' '.join(parts)})"), function.kind)

    def _frame(self, spec: exp.WindowSpec) -> str:
        _only(spec, "kind", "start", "start_side", "end", "end_side")
        texts = []
        for which in ("start", "end"):
            bound, side = spec.args.get(which), spec.args.get(f"{which}_side") or ""
            if isinstance(bound, exp.Literal):
                bound = int(str(bound.this))
            texts.append(f"{bound or 'CURRENT ROW'} {side}".strip())
        return f"{spec.args['kind']} BETWEEN {texts[0]} AND {texts[1]}"


_OUT_OF_BOUNDS = "'Array subscript must be less than or equal to array length'"
_COMPARISONS: dict[type, tuple[str, str]] = {
    exp.EQ: ("=", "="),
    exp.NEQ: ("<>", "<>"),
    exp.LT: ("<", "<"),
    exp.LTE: ("<=", "<="),
    exp.GT: (">", ">"),
    exp.GTE: (">=", ">="),
    exp.NullSafeEQ: ("IS NOT DISTINCT FROM", "IS NOT DISTINCT FROM"),
    exp.NullSafeNEQ: ("IS DISTINCT FROM", "IS DISTINCT FROM"),
}
_ARITHMETIC: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


def _filtered(call: str, addition: str) -> str:
    """A call with FILTER or OVER behind it, inside the cast around it if there is one."""
    if call.startswith("CAST(") and " AS " in call:
        inner, _, kind = call.removeprefix("CAST(").rpartition(" AS ")
        return f"CAST({inner}{addition} AS {kind}"
    return call + addition


def _only(node: exp.Expression, *known: str) -> None:
    """Refuse any part of a node that would be overlooked."""
    for name, value in node.args.items():
        if name not in known and value not in (None, False, []):
            raise not_supported(f"{name.rstrip('_').upper()} in {node.key.upper()}")


def _lower(name: Any) -> str:
    return str(name.name).lower()


def _path(node: exp.Expression) -> list[str]:
    """`a.b.c` as its names; Trino's names are the same in any case."""
    if isinstance(node, exp.Dot):
        return [*_path(node.this), *_path(node.expression)]
    if isinstance(node, exp.Column):
        return [part.name.lower() for part in node.parts]
    return [node.name.lower()]


def _conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _direction(item: exp.Ordered) -> str:
    nulls = "FIRST" if item.args.get("nulls_first") else "LAST"
    return f" {'DESC' if item.args.get('desc') else 'ASC'} NULLS {nulls}"


def _own(node: exp.Expression, kind: type[exp.Expression]) -> Iterator[exp.Expression]:
    """Parts of a kind in a query's own clauses, not in queries inside it."""
    for child in node.iter_expressions():
        if isinstance(child, kind):
            yield child
        if not isinstance(child, exp.Query):
            yield from _own(child, kind)


def _has_aggregate(item: exp.Expression) -> bool:
    """Whether an expression aggregates by itself, not over a window."""
    if isinstance(item, exp.Query):
        return False
    if isinstance(item, exp.Anonymous) and str(item.this).lower() in functions.AGGREGATES:
        return True
    if isinstance(item, exp.Window):
        inside = [*item.this.iter_expressions(), *(item.args.get("partition_by") or ())]
        return any(_has_aggregate(each) for each in inside)
    return any(_has_aggregate(each) for each in item.iter_expressions())
