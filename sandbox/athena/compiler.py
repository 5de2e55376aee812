"""A query in Trino's SQL to one in DuckDB's, with Trino's rules for names and types checked on the way.

Every part is compiled by a method that knows it; a part without one fails the query, so that nothing is answered that
Athena might answer otherwise. Columns of each relation are renamed c0, c1 ..., which leaves no name to DuckDB's rules.

While it compiles, it notes which conditions hold for partition columns alone, and hands them to the table's scan:
through subqueries, views and unions, and through a window only if the window is divided by that column, as Trino's
optimiser does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlglot import exp

from sandbox.athena import functions
from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.expressions import Expressions
from sandbox.athena.functions import Value, coerced
from sandbox.athena.parser import MalformedQuery, parse, place
from sandbox.athena.scopes import (
    Column,
    Cte,
    Origins,
    Part,
    Relation,
    Scope,
    conjuncts,
    direction,
    has_aggregate,
    lower,
    only,
    own_parts,
    path_of,
)
from sandbox.athena.types import (
    BIGINT,
    UNKNOWN,
    Type,
    common,
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
    part = compiler.query(parse(text), Scope(database=database.lower()))
    columns = tuple((column.name or f"_col{index}", column.kind) for index, column in enumerate(part.columns))
    for scan in compiler.scans:
        scan.conditions = [functions.finished(condition) for condition in scan.conditions]
    return Query(functions.finished(part.sql), columns, tuple(compiler.scans))


class _Compiler(Expressions):
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.scans: list[Scan] = []
        self._relations = 0
        self._views: list[tuple[str, str]] = []

    # Queries

    def query(self, node: exp.Expr, outer: Scope) -> Part:
        """A SELECT, a set operation, VALUES, or one of these in parentheses."""
        ctes = {**outer.ctes, **self._ctes(node, outer)}
        scope = Scope(outer=outer, ctes=ctes, database=outer.database, lambdas=outer.lambdas)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, scope)
        if isinstance(node, exp.Subquery):
            only(node, "this", "with_", "order", "limit", "offset")
            return self._ordered(node, self.query(node.this, scope))
        if isinstance(node, exp.Values):
            return self._values(node, scope)
        raise not_supported(f"{node.key} as a query")

    def _ctes(self, node: exp.Expr, outer: Scope) -> dict[str, Cte]:
        found: dict[str, Cte] = {}
        clause = node.args.get("with_")
        if clause is None:
            return found
        only(clause, "expressions")
        for cte in clause.expressions:
            only(cte, "this", "alias")
            names = tuple(lower(column) for column in cte.args["alias"].args.get("columns") or ())
            found[cte.alias.lower()] = Cte(cte.this, names, {**outer.ctes, **found})
        return found

    def _set_operation(self, node: exp.SetOperation, scope: Scope) -> Part:
        only(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
        left, right = self.query(node.this, scope), self.query(node.expression, scope)
        if len(left.columns) != len(right.columns):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{node.key.upper()} query has different number of fields: {len(left.columns)}, {len(right.columns)}",
            )
        columns: list[Column] = []
        for index, (a, b) in enumerate(zip(left.columns, right.columns, strict=True)):
            kind = common(a.kind, b.kind)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"column {index + 1} in {node.key.upper()} query has incompatible types: {a.kind}, {b.kind}",
                )
            columns.append(Column(a.name, kind, a.origins | b.origins))
        word = node.key.upper() + ("" if node.args.get("distinct") is not False else " ALL")
        sides = [self.retyped(side, columns) for side in (left, right)]
        return self._ordered(node, Part(f"{sides[0]} {word} {sides[1]}", columns))

    def _ordered(self, node: exp.Expr, part: Part) -> Part:
        """ORDER BY, OFFSET and LIMIT of a whole set operation, by its columns only."""
        order = node.args.get("order")
        texts = []
        for item in order.expressions if order else ():
            place_in = self._ordinal(item.this, [column.name for column in part.columns])
            if place_in is None:
                raise not_supported("ORDER BY of a set operation by anything but its columns")
            texts.append(f"{place_in + 1}{direction(item)}")
        limits = self._limits(node)
        if not texts and not limits:
            return part
        clause = f" ORDER BY {', '.join(texts)}" if texts else ""
        return self._closed(Part(f"SELECT * FROM ({part.sql}){clause}{limits}", part.columns), bool(limits))  # noqa: S608 - compiled text

    def _closed(self, part: Part, limited: bool) -> Part:
        """What comes out of a LIMIT must not be filtered before it."""
        return Part(part.sql, [replace(column, origins=frozenset()) for column in part.columns]) if limited else part

    def _limits(self, node: exp.Expr) -> str:
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

    def _values(self, node: exp.Values, scope: Scope) -> Part:
        only(node, "expressions", "alias")
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
        return Part(f"SELECT * FROM (VALUES {body}) AS v({names})", [Column(None, kind) for kind in kinds])  # noqa: S608 - compiled text

    # SELECT

    def _select(self, node: exp.Select, scope: Scope) -> Part:
        only(
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
        grouped = bool(group) or any(has_aggregate(item) for item in node.expressions)
        having = ""
        if node.args.get("having"):
            condition = self.condition(
                node.args["having"].this, replace(scope, aggregates=True, clause="HAVING"), "HAVING"
            )
            having = f" HAVING {condition}"
        distinct = node.args.get("distinct")
        if distinct is not None:
            only(distinct)
        order = self._select_order(node, scope, items, distinct is not None)
        limits = self._limits(node)
        selected = ", ".join(f"{value.sql} AS c{index}" for index, (_, value, _) in enumerate(items))
        sql = (
            f"SELECT {'DISTINCT ' if distinct is not None else ''}{selected}{sql_from}{where}"
            + (f" GROUP BY {', '.join(group)}" if group else "")
            + f"{having}{order}{limits}"
        )
        windows = [self._divided_by(window, scope) for window in own_parts(node, exp.Window)]
        columns = []
        for name, value, origins in items:
            kept = origins if all(value.sql in keys for keys in windows) else frozenset()
            kept = kept if not grouped or value.sql in group else frozenset()
            columns.append(Column(name, value.kind, kept))
        return self._closed(Part(sql, columns), bool(limits))

    def _divided_by(self, window: exp.Expr, scope: Scope) -> set[str]:
        quiet = replace(scope, aggregates=True)
        return {self.value(key, quiet).sql for key in window.args.get("partition_by") or ()}

    def _items(self, node: exp.Select, scope: Scope, own: Scope) -> Iterator[tuple[str | None, Value, Origins]]:
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                yield from self._star(item, own)
                continue
            expression = item.this if isinstance(item, exp.Alias) else item
            name = item.alias.lower() if isinstance(item, exp.Alias) else None
            value = self.value(expression, scope)
            origins: Origins = frozenset()
            if isinstance(expression, exp.Column | exp.Dot):
                name = name or path_of(expression)[-1]
                origins = self.resolve(expression, own)[1].origins
            yield name, value, origins

    def _star(self, item: exp.Expr, scope: Scope) -> Iterator[tuple[str | None, Value, Origins]]:
        wanted = item.args["table"].name.lower() if isinstance(item, exp.Column) else None
        only(item.this if isinstance(item, exp.Column) else item)
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

    def _where(self, node: exp.Select, scope: Scope) -> str:
        clause = node.args.get("where")
        if clause is None:
            return ""
        text = self.condition(clause.this, replace(scope, clause="WHERE"), "WHERE")
        self._hand_down(clause.this, scope)
        return f" WHERE {text}"

    def _group(self, node: exp.Select, scope: Scope, items: Sequence[tuple[str | None, Value, Origins]]) -> list[str]:
        clause = node.args.get("group")
        if clause is None:
            return []
        only(clause, "expressions")
        texts = []
        for item in clause.expressions:
            if isinstance(item, exp.Literal) and not item.is_string:
                if not 1 <= int(item.this) <= len(items):
                    raise QueryError("INVALID_COLUMN_REFERENCE", f"GROUP BY position {item.this} is not in select list")
                if has_aggregate(node.expressions[min(int(item.this), len(node.expressions)) - 1]):
                    raise QueryError("EXPRESSION_NOT_SCALAR", f"GROUP BY position {item.this} is an aggregation")
                texts.append(items[int(item.this) - 1][1].sql)
            else:
                texts.append(self.value(item, replace(scope, clause="GROUP BY")).sql)
        return texts

    def _select_order(
        self, node: exp.Select, scope: Scope, items: Sequence[tuple[str | None, Value, Origins]], distinct: bool
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
                texts.append(f"{position + 1}{direction(item)}")
                continue
            value = self.value(item.this, replace(scope, aggregates=True, aliases=aliases, clause="ORDER BY"))
            known = [index for index, (_, each, _) in enumerate(items) if each.sql == value.sql]
            if distinct and not known:
                raise QueryError(
                    "EXPRESSION_NOT_IN_DISTINCT",
                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                )
            texts.append(f"{known[0] + 1 if known else value.sql}{direction(item)}")
        return f" ORDER BY {', '.join(texts)}"

    def _ordinal(self, node: exp.Expr, names: Sequence[str | None]) -> int | None:
        if isinstance(node, exp.Literal) and not node.is_string:
            if not 1 <= int(node.this) <= len(names):
                raise QueryError("INVALID_COLUMN_REFERENCE", f"ORDER BY position {node.this} is not in select list")
            return int(node.this) - 1
        if isinstance(node, exp.Column) and len(path_of(node)) == 1:
            found = [index for index, name in enumerate(names) if name == path_of(node)[0]]
            if len(found) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"{place(node)}Column '{node.name}' is ambiguous")
            return found[0] if found else None
        return None

    # FROM

    def _from(self, node: exp.Select, scope: Scope) -> str:
        clause = node.args.get("from_")
        if clause is None:
            return ""
        text = self._relation(clause.this, scope)
        for join in node.args.get("joins") or ():
            text += self._join(join, scope)
        return f" FROM {text}"

    def _join(self, join: exp.Join, scope: Scope) -> str:
        only(join, "this", "side", "kind", "on")
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
        condition = self.condition(on, replace(scope, clause="JOIN"), "JOIN ON")
        if not side:
            self._hand_down(on, scope)
        for relation in (scope.relations[before:] if side in {"LEFT", "FULL"} else []) + (
            scope.relations[:before] if side in {"RIGHT", "FULL"} else []
        ):
            relation.columns = [replace(column, origins=frozenset()) for column in relation.columns]
        return f" {side} JOIN {right} ON {condition}"

    def _relation(self, node: exp.Expr, scope: Scope) -> str:
        alias: str | None
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, exp.Table):
            part, alias, database = self._table(node, scope)
        elif isinstance(node, exp.Subquery | exp.Values):
            inner = replace(scope, relations=[], outer=None)
            if isinstance(node, exp.Subquery):
                only(node, "this", "alias", "with_")
                part = self.query(node.this, inner)
            else:
                part = self._values(node, inner)
            alias, database = node.alias.lower() or None, None
        else:
            raise not_supported(f"{node.key} in FROM")
        names = (
            [lower(name) for name in (node.args["alias"].args.get("columns") or ())] if node.args.get("alias") else []
        )
        columns = self._renamed(part.columns, names, alias)
        return self._add(scope, alias, columns, f"({part.sql})", database)

    def _add(
        self, scope: Scope, alias: str | None, columns: list[Column], sql: str, database: str | None = None
    ) -> str:
        if alias is not None and any(each.alias == alias and each.database == database for each in scope.relations):
            raise QueryError("SYNTAX_ERROR", f"Table name '{alias}' is ambiguous")
        relation = Relation(alias, f"r{self._relations}", columns, database)
        self._relations += 1
        scope.relations.append(relation)
        names = ", ".join(f"c{index}" for index in range(len(columns)))
        return f"{sql} AS {relation.sql_name}({names})"

    def _renamed(self, columns: list[Column], names: Sequence[str], alias: str | None) -> list[Column]:
        if not names:
            return columns
        if len(names) != len(columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but '{alias}' has {len(columns)} columns available",
            )
        return [replace(column, name=name) for column, name in zip(columns, names, strict=True)]

    def _unnest(self, node: exp.Unnest, scope: Scope) -> str:
        only(node, "expressions", "alias", "offset")
        if len(node.expressions) != 1:
            raise not_supported("UNNEST of several arrays")
        array = self.value(node.expressions[0], replace(scope, clause="UNNEST"))
        if array.kind.name != "array":
            raise not_supported(f"UNNEST of {array.kind}")
        alias = node.args.get("alias")
        names = [lower(name) for name in (alias.args.get("columns") or ())] if alias else []
        items, element = "unnest(a) AS c0", array.kind.inner[0]
        if element.name == "row":
            kinds = list(zip(element.fields, element.inner, strict=True))
            items = ", ".join(f"struct_extract(e, '{name}') AS c{index}" for index, (name, _) in enumerate(kinds))
        else:
            kinds = [("", element)]
            items = "e AS c0"
        columns = [Column(name or None, kind) for name, kind in kinds]
        if node.args.get("offset"):
            items += f", n AS c{len(columns)}"
            columns.append(Column(None, BIGINT))
            if isinstance(node.args["offset"], exp.Identifier):
                names.append(lower(node.args["offset"]))
        columns = self._renamed(columns, names, alias.name if alias else None)
        rows = f"SELECT unnest({array.sql}) AS e, generate_subscripts({array.sql}, 1) AS n"
        text = f"(SELECT {items} FROM ({rows}))"  # noqa: S608 - compiled text
        return "LATERAL " + self._add(scope, alias.name.lower() if alias else None, columns, text)

    def _table(self, node: exp.Table, scope: Scope) -> tuple[Part, str, str | None]:
        only(node, "this", "db", "catalog", "alias")
        name, database, catalog = node.name.lower(), node.db.lower(), node.catalog.lower()
        alias = node.alias.lower() or name
        if not database and name in scope.ctes:
            cte = scope.ctes[name]
            part = self.query(cte.query, Scope(ctes=cte.ctes, database=scope.database))
            return Part(part.sql, self._renamed(part.columns, cte.names, name)), alias, None
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
            Column(column, kind, frozenset({(number, column)}) if column in found.partitions else frozenset())
            for column, kind in found.columns
        ]
        return Part(f"SELECT * FROM scan_{number}", columns), alias, known_by  # noqa: S608 - compiled text

    def _view(self, view: View, node: exp.Table) -> Part:
        key = (view.database, view.name)
        if key in self._views or len(self._views) > _DEEPEST_VIEW:
            raise QueryError("VIEW_IS_RECURSIVE", f"{place(node)}View is recursive")
        label = f"View '{CATALOG}.{view.database}.{view.name}'"
        self._views.append(key)
        try:
            part = self.query(parse(view.text), Scope(database=view.database))
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

    def _hand_down(self, condition: exp.Expr, scope: Scope) -> None:
        """Give each conjunct that is about partition columns alone to the scans these come from."""
        for conjunct in conjuncts(condition):
            columns = list(conjunct.find_all(exp.Column))
            if not columns or any(conjunct.find(kind) for kind in (exp.Query, exp.Exists, exp.Lambda, exp.Window)):
                continue
            own = replace(scope, outer=None)
            try:
                origins = [self.resolve(column, own)[1].origins for column in columns]
            except QueryError:
                continue
            for number in sorted(set.intersection(*({scan for scan, _ in each} for each in origins))):
                text = self.value(conjunct, replace(own, scan=number)).sql
                self.scans[number].conditions.append(text)
