"""Text of a query to a syntax tree: sqlglot's Trino parser, without what it takes beyond Trino's grammar."""

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

LONGEST_QUERY = 262_144
"""Bytes of a query's text (Athena service quotas)."""


class MalformedQuery(Exception):  # noqa: N818 - Athena's own name
    """A text that is no query: Athena refuses to start it."""


class _Dialect(Trino):
    """Trino, with every function left as it was written: `sandbox.athena.functions` knows them."""

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in TrinoParser.FUNCTION_PARSERS.items()
            if name in {"CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST"}
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items() if name in {"CASE", "IF"}
        }


# Reserved words of Trino's grammar that sqlglot takes as names.
# fmt: off
_RESERVED = frozenset(
    {
        "alter", "and", "as", "between", "by", "case", "cast", "constraint", "create", "cross", "cube",
        "current_catalog", "current_date", "current_path", "current_role", "current_schema", "current_time",
        "current_timestamp", "current_user", "deallocate", "delete", "describe", "distinct", "drop", "else", "end",
        "escape", "except", "execute", "exists", "extract", "false", "for", "from", "full", "group", "grouping",
        "having", "in", "inner", "insert", "intersect", "into", "is", "join", "left", "like", "listagg",
        "localtime", "localtimestamp", "natural", "normalize", "not", "null", "on", "or", "order", "outer",
        "prepare", "recursive", "right", "rollup", "select", "skip", "table", "then", "trim", "true", "uescape",
        "union", "unnest", "using", "values", "when", "where", "with",
    }
)
# fmt: on


def parse(text: str) -> exp.Query:
    """Read one SELECT.

    Raises
    ------
    MalformedQuery
        With the place, where there is one.
    """
    if len(text.encode()) > LONGEST_QUERY:
        raise MalformedQuery(f"Query string length is more than {LONGEST_QUERY} bytes")
    dialect = _Dialect()
    try:
        tokens = dialect.tokenize(text)
        _check(tokens, text)
        statements = [statement for statement in dialect.parser().parse(tokens, text) if statement is not None]
    except SqlglotError as error:
        details = (getattr(error, "errors", None) or [{}])[0]
        line, column = details.get("line", 1), details.get("col", 1)
        reason = re.sub(r"\x1b\[[0-9;]*m", "", details.get("description") or str(error))
        raise MalformedQuery(f"line {line}:{column}: mismatched input: {reason}") from None
    if len(statements) != 1:
        raise MalformedQuery(f"Only one sql statement is allowed. Got: {text[:200]}")
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise MalformedQuery(f"the sandbox's Athena runs SELECT only, not {statement.key.upper()}")
    for name in statement.find_all(exp.Identifier):
        if not name.args.get("quoted") and str(name.this).lower() in _RESERVED:
            raise MalformedQuery(f"{place(name)}mismatched input '{name.this}'. Expecting: <identifier>")
    return statement


def place(node: exp.Expr) -> str:
    """`line 1:8: ` of the first name in a part of a query, or nothing where the parser kept none."""
    for name in node.find_all(exp.Identifier):
        if "line" in name.meta:
            # The parser counts to a name's last character, Trino to its first.
            column = name.meta["col"] - (name.meta["end"] - name.meta["start"])
            return f"line {name.meta['line']}:{column}: "
    return ""


def _check(tokens: list[Token], text: str) -> None:
    """Spellings that sqlglot takes and Trino does not."""
    limited = [False]
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        kind = token.token_type
        limited += [False] if kind == TokenType.L_PAREN else []
        if kind == TokenType.R_PAREN and len(limited) > 1:
            limited.pop()
        written = text[token.start : token.end + 1]
        wrong = (
            kind == TokenType.DCOLON
            or written in {"==", "<=>"}
            or (kind == TokenType.INTERVAL and following is not None and following.token_type == TokenType.NUMBER)
            or (kind == TokenType.OFFSET and limited[-1])
            or (kind == TokenType.COMMA and following is not None and following.token_type == TokenType.FROM)
        )
        limited[-1] = limited[-1] or kind == TokenType.LIMIT
        if wrong:
            raise MalformedQuery(f"line {token.line}:{token.col}: mismatched input '{written}'")
