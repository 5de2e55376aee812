"""Expressions of Trino's SQL as DuckDB's, each with its type: a part that is not known here fails the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from sandbox.athena import functions
from sandbox.athena.casts import cast
from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.functions import Value, coerced
from sandbox.athena.parser import MalformedQuery, place
from sandbox.athena.scopes import Column, Part, Relation, Scope, direction, lower, only, path_of
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


class Expressions:
    """Compiles expressions, one method for each kind of node; queries inside them are left to a subclass."""

    def query(self, node: exp.Expr, outer: Scope) -> Part:
        """Compile a query inside an expression."""
        raise NotImplementedError

    def retyped(self, part: Part, columns: Sequence[Column]) -> str:
        """A query whose columns are coerced to other types."""
        items = ", ".join(
            f"{coerced(Value(f'c{index}', old.kind), new.kind)} AS c{index}"
            for index, (old, new) in enumerate(zip(part.columns, columns, strict=True))
        )
        return f"(SELECT {items} FROM ({part.sql}))"  # noqa: S608 - compiled text

    def condition(self, node: exp.Expr, scope: Scope, clause: str) -> str:
        """An expression that must be true or false, in a clause."""
        value = self.value(node, scope)
        if common(value.kind, BOOLEAN) != BOOLEAN:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}{clause} clause must evaluate to a boolean: actual type {value.kind}"
            )
        return coerced(value, BOOLEAN)

    # Names

    def resolve(self, node: exp.Expr, scope: Scope) -> tuple[Value, Column]:
        """Find the column, and the field in it, that a name stands for."""
        path = path_of(node)
        found = self._search(node, path, scope)
        if found is None:
            if scope.outer is not None:
                return self.resolve(node, scope.outer)
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
        return value, Column(fields[-1], value.kind)

    def _search(self, node: exp.Expr, path: list[str], scope: Scope) -> tuple[str, Column, list[str]] | None:
        if len(path) == 1 and path[0] in scope.aliases:
            values = scope.aliases[path[0]]
            return values[0].sql, Column(path[0], values[0].kind), []
        qualified: list[tuple[int, list[Relation]]] = []
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

    def _field(self, value: Value, name: str, node: exp.Expr) -> Value:
        if value.kind.name != "row":
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Expression is not of type ROW")
        if name not in value.kind.fields:
            raise QueryError("COLUMN_NOT_FOUND", f"{place(node)}Column '{name}' cannot be resolved")
        kind = value.kind.inner[value.kind.fields.index(name)]
        text = name.replace("'", "''")
        return Value(f"struct_extract({value.sql}, '{text}')", kind)

    # Expressions

    def value(self, node: exp.Expr, scope: Scope) -> Value:
        """Compile an expression."""
        compile_ = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if compile_ is None:
            raise not_supported(f"{node.key} ({node.sql(dialect='trino')[:80]})")
        result: Value = compile_(node, scope)
        return result

    def _of_literal(self, node: exp.Literal, _scope: Scope) -> Value:
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

    def _of_null(self, _node: exp.Null, _scope: Scope) -> Value:
        return Value("CAST(NULL AS INTEGER)", UNKNOWN)

    def _of_boolean(self, node: exp.Boolean, _scope: Scope) -> Value:
        return Value("true" if node.this else "false", BOOLEAN)

    def _of_column(self, node: exp.Column, scope: Scope) -> Value:
        path = path_of(node)
        if path[0] in scope.lambdas:
            value = scope.lambdas[path[0]]
            for name in path[1:]:
                value = self._field(value, name, node)
            return value
        return self.resolve(node, scope)[0]

    def _of_identifier(self, node: exp.Identifier, scope: Scope) -> Value:
        if node.name.lower() in scope.lambdas:
            return scope.lambdas[node.name.lower()]
        return self.resolve(exp.Column(this=node), scope)[0]

    def _of_dot(self, node: exp.Dot, scope: Scope) -> Value:
        if isinstance(node.expression, exp.Identifier) and not isinstance(node.this, exp.Column | exp.Dot):
            return self._field(self.value(node.this, scope), lower(node.expression), node)
        if all(isinstance(part, exp.Column | exp.Dot | exp.Identifier) for part in node.walk()):
            return self.resolve(node, scope)[0]
        return self._field(self.value(node.this, scope), lower(node.expression), node)

    def _of_paren(self, node: exp.Paren, scope: Scope) -> Value:
        return self.value(node.this, scope)

    def _of_neg(self, node: exp.Neg, scope: Scope) -> Value:
        value = self.value(node.this, scope)
        if not is_number(value.kind) and value.kind not in {DAY_INTERVAL, MONTH_INTERVAL}:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}Cannot negate {value.kind}")
        return Value(f"(-{value.sql})", value.kind, f"-{value.literal}" if value.literal else None)

    def _of_not(self, node: exp.Not, scope: Scope) -> Value:
        return Value(f"(NOT {self._boolean(node.this, scope)})", BOOLEAN)

    def _of_and(self, node: exp.And, scope: Scope) -> Value:
        return Value(f"({self._boolean(node.this, scope)} AND {self._boolean(node.expression, scope)})", BOOLEAN)

    def _of_or(self, node: exp.Or, scope: Scope) -> Value:
        return Value(f"({self._boolean(node.this, scope)} OR {self._boolean(node.expression, scope)})", BOOLEAN)

    def _boolean(self, node: exp.Expr, scope: Scope) -> str:
        value = self.value(node, scope)
        if common(value.kind, BOOLEAN) != BOOLEAN:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Logical expression term must evaluate to a boolean: {value.kind}"
            )
        return coerced(value, BOOLEAN)

    def _compared(self, operator: str, sign: str, left: Value, right: Value, node: exp.Expr) -> Value:
        kind = common(left.kind, right.kind)
        if kind is None:
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Cannot apply operator: {left.kind} {operator} {right.kind}"
            )
        return Value(f"({coerced(left, kind)} {sign} {coerced(right, kind)})", BOOLEAN)

    def _comparison(self, node: exp.Binary, scope: Scope) -> Value:
        shown, sign = _COMPARISONS[type(node)]
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        return self._compared(shown, sign, left, right, node)

    _of_eq = _of_neq = _of_lt = _of_lte = _of_gt = _of_gte = _of_nullsafeeq = _of_nullsafeneq = _comparison

    def _of_between(self, node: exp.Between, scope: Scope) -> Value:
        only(node, "this", "low", "high")
        value = self.value(node.this, scope)
        low = self._compared("BETWEEN", ">=", value, self.value(node.args["low"], scope), node)
        high = self._compared("BETWEEN", "<=", value, self.value(node.args["high"], scope), node)
        return Value(f"({low.sql} AND {high.sql})", BOOLEAN)

    def _of_in(self, node: exp.In, scope: Scope) -> Value:
        only(node, "this", "expressions", "query")
        value = self.value(node.this, scope)
        if node.args.get("query"):
            part = self.query(node.args["query"], scope)
            kind = common(value.kind, part.columns[0].kind)
            if len(part.columns) != 1 or kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"{place(node)}value and result of subquery must be of the same type for IN expression: "
                    f"{value.kind} vs {part.columns[0].kind}",
                )
            inner = self.retyped(part, [Column(None, kind)])
            return Value(f"({coerced(value, kind)} IN {inner})", BOOLEAN)
        found = [self._compared("=", "=", value, self.value(each, scope), node).sql for each in node.expressions]
        return Value(f"({' OR '.join(found)})", BOOLEAN)

    def _of_is(self, node: exp.Is, scope: Scope) -> Value:
        if not isinstance(node.expression, exp.Null):
            raise MalformedQuery(f"mismatched input '{node.expression.sql()}'. Expecting: NULL")
        return Value(f"({self.value(node.this, scope).sql} IS NULL)", BOOLEAN)

    def _of_like(self, node: exp.Like, scope: Scope, escape: str = "") -> Value:
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        if (left.kind, right.kind) != (VARCHAR, VARCHAR):
            raise QueryError(
                "TYPE_MISMATCH", f"{place(node)}Left and right side of LIKE must be varchar: {left.kind}, {right.kind}"
            )
        return Value(f"({left.sql} LIKE {right.sql}{escape})", BOOLEAN)

    def _of_escape(self, node: exp.Escape, scope: Scope) -> Value:
        if not isinstance(node.this, exp.Like) or not isinstance(node.expression, exp.Literal):
            raise not_supported("this ESCAPE")
        return self._of_like(node.this, scope, f" ESCAPE '{str(node.expression.this).replace(chr(39), chr(39) * 2)}'")

    def _of_exists(self, node: exp.Exists, scope: Scope) -> Value:
        return Value(f"EXISTS ({self.query(node.this, scope).sql})", BOOLEAN)

    def _of_subquery(self, node: exp.Subquery, scope: Scope) -> Value:
        only(node, "this", "with_")
        part = self.query(node.this, scope)
        if len(part.columns) != 1:
            raise QueryError("NOT_SUPPORTED", "Multiple columns returned by subquery are not yet supported")
        return Value(f"(SELECT c0 FROM ({part.sql}))", part.columns[0].kind)  # noqa: S608 - compiled text

    # Arithmetic

    def _arithmetic(self, node: exp.Binary, scope: Scope) -> Value:
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

    def _of_dpipe(self, node: exp.DPipe, scope: Scope) -> Value:
        left, right = self.value(node.this, scope), self.value(node.expression, scope)
        kind = common(left.kind, right.kind)
        if kind is None or kind.name not in {"varchar", "array"}:
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"{place(node)}Unexpected parameters ({left.kind}, {right.kind}) for function concat. "
                "Expected: concat(varchar), concat(array(E), E)",
            )
        return Value(f"({coerced(left, kind)} || {coerced(right, kind)})", kind)

    def _of_interval(self, node: exp.Interval, _scope: Scope) -> Value:
        unit = str(node.args["unit"].this).upper() if isinstance(node.args.get("unit"), exp.Var) else ""
        if not isinstance(node.this, exp.Literal) or unit not in {"SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"}:
            raise not_supported(f"the interval {node.sql(dialect='trino')}")
        kind = MONTH_INTERVAL if unit in {"MONTH", "YEAR"} else DAY_INTERVAL
        return Value(f"(INTERVAL '{int(str(node.this.this))}' {unit})", kind)

    # Forms of their own

    def _of_case(self, node: exp.Case, scope: Scope) -> Value:
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
        kind = UNKNOWN
        for result in results:
            merged = common(kind, result.kind)
            if merged is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"{place(node)}All CASE results must be the same type or coercible to a common type: "
                    f"{', '.join(str(each.kind) for each in results)}",
                )
            kind = merged
        *texts, last = [coerced(result, kind) for result in results]
        whens = " ".join(f"WHEN {c} THEN {t}" for c, t in zip(conditions, texts, strict=True))
        return Value(f"(CASE {whens} ELSE {last} END)", kind)

    def _of_if(self, node: exp.If, scope: Scope) -> Value:
        return self._of_case(
            exp.Case(ifs=[exp.If(this=node.this, true=node.args["true"])], default=node.args.get("false")), scope
        )

    def _of_cast(self, node: exp.Cast, scope: Scope) -> Value:
        to = node.args["to"]
        if isinstance(to, exp.DataType) and to.this in {exp.DataType.Type.TEXT, exp.DataType.Type.NVARCHAR}:
            raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {to.sql()}")
        length = None
        if isinstance(to, exp.DataType) and to.this == exp.DataType.Type.VARCHAR and to.expressions:
            length = int(to.expressions[0].this.this)
        return cast(self.value(node.this, scope), from_trino(to.sql(dialect="trino")), length)

    def _of_trycast(self, node: exp.TryCast, scope: Scope) -> Value:
        return functions.tried(self._of_cast(node, scope))

    def _of_extract(self, node: exp.Extract, scope: Scope) -> Value:
        return functions.date_part(str(node.this.this).lower(), [self.value(node.expression, scope)])

    def _of_strposition(self, node: exp.StrPosition, scope: Scope) -> Value:
        only(node, "this", "substr")
        return self._called("strpos", [self.value(node.this, scope), self.value(node.args["substr"], scope)])

    def _of_trim(self, node: exp.Trim, scope: Scope) -> Value:
        only(node, "this", "position", "expression")
        position = str(node.args.get("position") or "BOTH").upper()
        name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[position]
        value = self.value(node.this, scope)
        if node.expression is None or not node.args.get("expression"):
            return self._called(name, [value])
        return Value(f"{name}({value.sql}, {self.value(node.expression, scope).sql})", VARCHAR)

    def _of_substring(self, node: exp.Substring, scope: Scope) -> Value:
        given = [node.this, node.args.get("start"), node.args.get("length")]
        return self._called("substring", [self.value(each, scope) for each in given if each])

    def _of_attimezone(self, node: exp.AtTimeZone, scope: Scope) -> Value:
        return self._called("at_timezone", [self.value(node.this, scope), self.value(node.args["zone"], scope)])

    def _of_bracket(self, node: exp.Bracket, scope: Scope) -> Value:
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

    def _of_array(self, node: exp.Array, scope: Scope) -> Value:
        values = [self.value(each, scope) for each in node.expressions]
        kind: Type | None = UNKNOWN
        for each in values:
            kind = common(kind, each.kind) if kind else None
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"{place(node)}All ARRAY elements must be the same type")
        return Value(f"[{', '.join(coerced(each, kind) for each in values)}]", Type("array", (kind,)))

    def _of_currentdate(self, _node: exp.CurrentDate, _scope: Scope) -> Value:
        return Value("CAST(now() AS DATE)", DATE)

    def _of_currenttimestamp(self, _node: exp.CurrentTimestamp, _scope: Scope) -> Value:
        return Value("date_trunc('millisecond', now())", TIMESTAMP_TZ)

    def _of_localtimestamp(self, _node: exp.Localtimestamp, _scope: Scope) -> Value:
        return Value("CAST(date_trunc('millisecond', now()) AS TIMESTAMP)", TIMESTAMP)

    # Calls

    def _called(self, name: str, arguments: Sequence[Value]) -> Value:
        found = functions.call(name, arguments)
        if found is None:
            raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered (or not known to the sandbox)")
        return found

    def _of_anonymous(self, node: exp.Anonymous, scope: Scope) -> Value:
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

    def _higher(self, name: str, node: exp.Anonymous, scope: Scope) -> Value:
        array, function = self.value(node.expressions[0], scope), node.expressions[1]
        if array.kind.name != "array" or not isinstance(function, exp.Lambda) or len(function.expressions) != 1:
            raise not_supported(f"this {name}")
        variable = f"x{len(scope.lambdas)}"
        element = Value(variable, array.kind.inner[0])
        inner = replace(scope, lambdas={**scope.lambdas, lower(function.expressions[0]): element})
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
        self,
        node: exp.Anonymous,
        scope: Scope,
        condition: str = "",
        order: exp.Order | None = None,
        windowed: bool = False,
    ) -> Value:
        name = str(node.this).lower()
        if not scope.aggregates:
            raise QueryError(
                "EXPRESSION_NOT_SCALAR",
                f"{place(node)}{scope.clause} clause cannot contain aggregations, window functions or grouping "
                f"operations: [{name}]",
            )
        # A window comes after the groups, and can be over what these give.
        inner = replace(scope, aggregates=windowed, clause="An aggregation's", aliases={})
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
        texts = [f"{self.value(item.this, inner).sql}{direction(item)}" for item in order.expressions] if order else []
        text = found.sql.replace("{more}", f" ORDER BY {', '.join(texts)}" if texts else "")
        if distinct:
            if name not in {"count", "sum", "avg", "array_agg", "listagg", "min", "max"}:
                raise not_supported(f"{name}(DISTINCT ...)")
            inside = {"count": "count(", "avg": "avg(", "array_agg": "list(", "listagg": "string_agg("}.get(
                name, f"{name}("
            )
            text = text.replace(inside, inside + distinct, 1)
        if condition:
            text = filtered(text, condition)
        return Value(text, found.kind)

    def _of_filter(self, node: exp.Filter, scope: Scope) -> Value:
        inner = replace(scope, aggregates=False, clause="FILTER")
        condition = f" FILTER (WHERE {self.condition(node.expression.this, inner, 'FILTER')})"
        if isinstance(node.this, exp.Anonymous) and str(node.this.this).lower() in functions.AGGREGATES:
            return self._aggregate(node.this, scope, condition)
        raise not_supported("this FILTER")

    def _of_withingroup(self, node: exp.WithinGroup, scope: Scope) -> Value:
        if not isinstance(node.this, exp.Anonymous) or str(node.this.this).lower() != "listagg":
            raise not_supported("this WITHIN GROUP")
        return self._aggregate(node.this, scope, order=node.expression)

    def _of_window(self, node: exp.Window, scope: Scope) -> Value:
        only(node, "this", "partition_by", "order", "spec", "over")
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
            function = self._aggregate(call, scope, windowed=True)
        keys = [self.value(key, scope).sql for key in node.args.get("partition_by") or ()]
        order = node.args.get("order")
        texts = [f"{self.value(item.this, scope).sql}{direction(item)}" for item in order.expressions] if order else []
        if name in {"rank", "dense_rank", "ntile", "percent_rank", "cume_dist"} and not texts:
            # Trino takes these; without an order their answers mean nothing.
            raise not_supported(f"{name} over a window without ORDER BY")
        parts = [f"PARTITION BY {', '.join(keys)}"] if keys else []
        parts += [f"ORDER BY {', '.join(texts)}"] if texts else []
        parts += [self._frame(node.args["spec"])] if node.args.get("spec") else []
        return Value(filtered(function.sql, f" OVER ({' '.join(parts)})"), function.kind)

    def _frame(self, spec: exp.WindowSpec) -> str:
        only(spec, "kind", "start", "start_side", "end", "end_side")
        texts = []
        for which in ("start", "end"):
            bound, side = spec.args.get(which), spec.args.get(f"{which}_side") or ""
            if isinstance(bound, exp.Literal):
                bound = int(str(bound.this))
            texts.append(f"{bound or 'CURRENT ROW'} {side}".strip())
        return f"{spec.args['kind']} BETWEEN {texts[0]} AND {texts[1]}"


def filtered(call: str, addition: str) -> str:
    """A call with FILTER or OVER behind it, inside the cast around it if there is one."""
    if call.startswith("CAST(") and " AS " in call:
        inner, _, kind = call.removeprefix("CAST(").rpartition(" AS ")
        return f"CAST({inner}{addition} AS {kind}"
    return call + addition
