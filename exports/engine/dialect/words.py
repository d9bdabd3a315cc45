"""Refuse words that the parser accepts and Athena does not, before the tree is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from sqlglot.tokenizer_core import Token, TokenType

from exports.engine.errors import QueryError, place
from exports.engine.parse import tokens_of

SIGNS: Final = frozenset({"+", "-"})
# Tokens after which a bracket begins a DuckDB list; after a name or a value it is a subscript.
BEFORE_ARRAYS: Final = frozenset({
    TokenType.SELECT, TokenType.COMMA, TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.EQ, TokenType.DISTINCT,
    TokenType.IN, TokenType.WHERE, TokenType.AND, TokenType.OR, TokenType.DPIPE, TokenType.ARROW,
})  # fmt: skip
# Tokens that end a list, so that a comma before them is an error.
BEHIND_LISTS: Final = frozenset({
    None, TokenType.FROM, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.WHERE, TokenType.GROUP_BY,
    TokenType.ORDER_BY, TokenType.HAVING, TokenType.LIMIT, TokenType.OFFSET, TokenType.SEMICOLON, TokenType.UNION,
})  # fmt: skip
# Words that need quotes as names (Trino, "Keywords and identifiers").
RESERVED: Final = frozenset({
    "ALTER", "AND", "AS", "BETWEEN", "BY", "CASE", "CAST", "CONSTRAINT", "CREATE", "CROSS", "CUBE",
    "CURRENT_CATALOG", "CURRENT_DATE", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "CURRENT_USER", "DEALLOCATE", "DELETE", "DESCRIBE", "DISTINCT", "DROP", "ELSE", "END",
    "ESCAPE", "EXCEPT", "EXECUTE", "EXISTS", "EXTRACT", "FALSE", "FOR", "FROM", "FULL", "GROUP", "GROUPING",
    "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LISTAGG", "LOCALTIME",
    "LOCALTIMESTAMP", "NATURAL", "NORMALIZE", "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "PREPARE", "RECURSIVE",
    "RIGHT", "ROLLUP", "SELECT", "SKIP", "TABLE", "THEN", "TRIM", "TRUE", "UESCAPE", "UNION", "UNNEST", "USING",
    "VALUES", "WHEN", "WHERE", "WITH",
})  # fmt: skip
OWN_SYNTAX: Final = {
    "extract": (TokenType.FROM, "extract(year FROM x)"),
    "position": (TokenType.IN, "position('a' IN x)"),
}
UNITS: Final = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
# Operators and words of other dialects, and Athena's alternative.
FOREIGN: Final = {
    TokenType.DCOLON: "Athena has no ::. Write CAST(x AS type).",
    TokenType.NULLSAFE_EQ: "Athena has no <=>. Write IS NOT DISTINCT FROM.",
    TokenType.ISNULL: "Athena has no ISNULL. Write IS NULL.",
    TokenType.NOTNULL: "Athena has no NOTNULL. Write IS NOT NULL.",
}


def check_words(sql: str) -> None:
    """Raise `QueryError` at the first word of another dialect."""
    words = tokens_of(sql)
    for number, word in enumerate(words):
        for check in CHECKS:
            detail = check(sql, words, number)
            if detail:
                raise QueryError("syntax", detail, *place(sql, word.start))


def _foreign(sql: str, words: Sequence[Token], number: int) -> str:
    word = words[number]
    if word.text == "==":
        return "Athena compares by =, not ==."
    if word.token_type == TokenType.NOT and word.text == "!":
        return "Athena has no !. Write NOT."
    if word.token_type == TokenType.HEX_STRING and sql[word.start : word.start + 2].lower() == "0x":
        return "Write bytes as X'1F', and whole numbers with decimal digits."
    return FOREIGN.get(word.token_type, "")


def _number(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    word, before = words[number], words[number - 1] if number else None
    if word.token_type == TokenType.NUMBER and re.search(r"[eE]\d+[+-]", word.text):  # read as one number
        return "Write a space before + or - behind a number with an exponent: 1e0 + 2."
    if before is not None and before.token_type == TokenType.NUMBER and word.token_type == TokenType.VAR:
        return "Write numbers with digits only, without _ and letters." if word.start == before.end + 1 else ""
    return ""


def _limit(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    if [each.token_type for each in words[max(0, number - 2) : number]] != [TokenType.LIMIT, TokenType.NUMBER]:
        return ""
    if words[number].token_type == TokenType.OFFSET:
        return "Athena takes OFFSET before LIMIT."
    if words[number].token_type in (TokenType.R_PAREN, TokenType.SEMICOLON):
        return ""
    return "LIMIT takes one number, at the end of a query. Write OFFSET before it."


def _alias(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    word = words[number]
    if word.token_type == TokenType.VAR and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word.text):
        return f"Write the name {word.text[:40]} in double quotes: it has other letters than A to Z, digits and _."
    if not number or words[number - 1].token_type != TokenType.ALIAS:
        return ""
    if word.token_type == TokenType.STRING:
        return "Write names in double quotes."
    if word.token_type != TokenType.IDENTIFIER and word.text.upper() in RESERVED:
        return f"The word {word.text} is reserved: write the name in double quotes."
    return ""


def _comma(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    if words[number].token_type != TokenType.COMMA:
        return ""
    after = words[number + 1].token_type if number + 1 < len(words) else None
    return "Nothing follows this comma: leave it out." if after in BEHIND_LISTS else ""


def _own_syntax(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    """Refuse extract and position with commas, and IS UNKNOWN."""
    name = words[number].text.lower()
    if name == "unknown" and number and words[number - 1].token_type == TokenType.IS:
        return "Athena has no IS UNKNOWN. Write IS NULL."
    if name not in OWN_SYNTAX or [each.token_type for each in words[number + 1 : number + 2]] != [TokenType.L_PAREN]:
        return ""
    wanted, form = OWN_SYNTAX[name]
    depth = 0
    for word in words[number + 1 :]:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(word.token_type, 0)
        if depth == 1 and word.token_type == wanted:
            return ""
        if depth == 0:
            break
    return f"Write {form}."


def _interval(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    if words[number].token_type != TokenType.INTERVAL:
        return ""
    behind = [each for each in words[number + 1 : number + 4] if each.text not in SIGNS]
    if not behind or behind[0].token_type not in (TokenType.STRING, TokenType.NUMBER):
        return ""
    if behind[0].token_type == TokenType.STRING and behind[1:] and behind[1].text.upper() in UNITS:
        return ""
    return "Write an interval as INTERVAL '2' DAY: the number in quotes, and SECOND to YEAR behind."


def _bracket(sql: str, words: Sequence[Token], number: int) -> str:  # noqa: ARG001
    if words[number].token_type != TokenType.L_BRACKET or words[number - 1].token_type not in BEFORE_ARRAYS:
        return ""
    return "Write an array as ARRAY[1, 2]."


Check = Callable[[str, Sequence[Token], int], str]
CHECKS: Final[tuple[Check, ...]] = (
    _foreign, _number, _limit, _alias, _comma, _own_syntax, _interval, _bracket,
)  # fmt: skip
