"""Execution parameters: literals that replace question marks, by Athena's rules. Pure.

A parameter is the text of a literal: texts and dates carry their quotes, as in a query.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from exports.athena.wire import AthenaError
from exports.engine.introspection import is_utility, tokens

MOST_CHARACTERS: Final = 1024
_TEXT: Final = r"'(?:[^']|'')*'"
_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_LITERAL: Final = (
    rf"(?:{_NUMBER}|{_TEXT}|null|true|false|(?:date|time|timestamp|decimal|double|real|bigint)\s*{_TEXT}|x{_TEXT})"
)
_TYPE: Final = r"[a-z]+(?:\s*\(\s*\d+\s*(?:,\s*\d+\s*)?\))?"
_PARAMETER: Final = re.compile(
    rf"\s*(?:{_LITERAL}|cast\s*\(\s*{_LITERAL}\s+as\s+{_TYPE}\s*\)|interval\s*[+-]?\s*{_TEXT}\s+[a-z]+)\s*",
    re.IGNORECASE,
)


def read_parameters(given: Any) -> tuple[str, ...]:
    """Return the parameters of a request, each the text of a literal; raise `AthenaError`."""
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise AthenaError("ExecutionParameters must be a list of strings")
    for number, each in enumerate(given, start=1):
        if not 1 <= len(each) <= MOST_CHARACTERS:
            raise AthenaError(f"Parameter {number} of ExecutionParameters has 1 to {MOST_CHARACTERS} characters")
        if not _PARAMETER.fullmatch(each):
            raise AthenaError(
                f"Parameter {number} of ExecutionParameters is no literal: write numbers as 7 or 0.5, texts as 'a' in "
                "single quotes, and days as DATE '2020-10-15'"
            )
    return tuple(each.strip() for each in given)


def bound(sql: str, parameters: Sequence[str]) -> str:
    """Return the query with a parameter for each question mark, in order; raise `AthenaError`."""
    places = [token.start for token in tokens(sql) if token.value == "?" and token.kind == "other"]
    if len(places) != len(parameters):
        raise AthenaError(
            f"Incorrect number of parameters: the query has {len(places)} question marks outside of quotes, and "
            f"ExecutionParameters has {len(parameters)}"
        )
    if parameters and is_utility(sql):
        raise AthenaError("Parameters are for SELECT, not for SHOW, DESCRIBE and EXPLAIN")
    pieces, end = [], 0
    for place, parameter in zip(places, parameters, strict=True):
        pieces += [sql[end:place], parameter]
        end = place + 1
    return "".join([*pieces, sql[end:]])
