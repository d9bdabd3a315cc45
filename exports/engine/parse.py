"""The parser of queries, with a limit on its steps: sqlglot's parser backtracks twice at each level of some brackets.

`ARRAY[ARRAY[ARRAY[...` of a hundred characters would occupy a thread for hours, and a thread cannot be ended. So the
parser counts every token that it consumes, repeated ones included. For an ordinary long query, that is each about once.
"""

from typing import ClassVar, Final, Literal

from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.parser import Parser
from sqlglot.parsers.athena import AthenaTrinoParser
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

Dialect = Literal["duckdb", "athena"]

# About a second. The longest texts of chains, lists and calls take 60,000 steps, eleven nested ARRAYs 16,000.
MAX_STEPS: Final = 100_000


class TooDeepError(Exception):
    """The text is nested too deeply for the parser."""


class _Counted(Parser):
    """A parser that consumes at most `MAX_STEPS` tokens."""

    _steps = 0

    def _advance(self, times: int = 1) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooDeepError
        super()._advance(times)


class _Athena(Trino):
    """Trino's dialect without rewriting: subscripts keep their numbers."""

    INDEX_OFFSET = 0


# Calls with special syntax; every other call keeps its name and arguments as written.
_SYNTAX: Final = frozenset({
    "CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING", "LISTAGG", "JSON_VALUE", "JSON_QUERY",
    "JSON_OBJECT", "JSON_TABLE",
})  # fmt: skip


class _AthenaParser(_Counted, AthenaTrinoParser):
    """A parser that keeps what the tree would lose: whether a cast is a call or a literal, and the name of its type."""

    FUNCTIONS: ClassVar = {}
    FUNCTION_PARSERS: ClassVar = {
        name: parser for name, parser in AthenaTrinoParser.FUNCTION_PARSERS.items() if name in _SYNTAX
    }

    def _parse_cast(self, strict: bool, safe: bool | None = None) -> exp.Expr:
        found = super()._parse_cast(strict, safe)
        found.meta["call"] = True
        return found

    def _parse_types(
        self,
        check_func: bool = False,
        schema: bool = False,
        allow_identifiers: bool = True,
        with_collation: bool = False,
    ) -> exp.Expr | None:
        word = self._curr.text if self._curr else ""
        found = super()._parse_types(check_func, schema, allow_identifiers, with_collation)
        if isinstance(found, exp.DataType):
            found.meta.setdefault("word", word)
        return found


class _DuckDBParser(_Counted, DuckDBParser):
    pass


def tokens_of(sql: str) -> list[Token]:
    """Return the tokens of a text in Athena's dialect."""
    return list(Athena().tokenize(sql))


def parse(sql: str, dialect: Dialect) -> list[exp.Expr]:
    """Parse the statements of a text; comments after the last one are dropped.

    Raise sqlglot's `ParseError` and `TokenError`, and `TooDeepError`.
    """
    tokens = (Athena() if dialect == "athena" else DuckDB()).tokenize(sql)
    if tokens and tokens[0].token_type == TokenType.HIVE_TOKEN_STREAM:
        # Athena passes DDL to another engine with other keywords; no query begins with them.
        return [exp.Command(this=tokens[1].text if tokens[1:] else "")]
    parser = _AthenaParser(dialect=_Athena()) if dialect == "athena" else _DuckDBParser(dialect=DuckDB())
    try:
        parsed = parser.parse(tokens, sql)
    except RecursionError:
        raise TooDeepError from None
    return [each for each in parsed if each is not None and not isinstance(each, exp.Semicolon)]
