"""DuckDB's errors, explained to the author of the query."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final

from exports.engine.errors import QueryError, place
from exports.lake.errors import LakeAwayError

# Our codes for some of DuckDB's kinds of error; the code of all others is that of a failed query.
CODES: Final = {
    "Parser": "syntax",
    "Catalog": "unknown-name",
    "Permission": "forbidden",
    "Out of Memory": "out-of-memory",
    "Conversion": "bad-value",
    "Kind": "bad-value",
    "Invalid Input": "bad-value",
    "Out of Range": "bad-value",
    "Interrupt": "too-slow",
}
TOO_LONG_A_CHAIN: Final = (
    "A chain of operators has more than 1,000 parts. Write alternatives as column IN ('a', 'b'), or make the parts of "
    "a sum rows of a WITH clause."
)
OUT_OF_MEMORY: Final = "The query needs more memory than a query may use. Read fewer days, or group before you join."
# Kinds of error that the server causes, not the query.
AWAY: Final = frozenset({"IO", "HTTP", "Tables"})
_UNKNOWN: Final = re.compile(r'(?:column named|Referenced column|Referenced table) "([^"]*)"')
_NAMED: Final = re.compile(r'[Cc]olumn "([^"]{1,100})"')
_CANDIDATES: Final = re.compile(r"Candidate (?:bindings|tables): (.*)")
# Maximum number of a function's signatures to show; some have forty.
MOST_FORMS: Final = 6


def explained(sql: str, error: Mapping[str, Any], columns: Collection[str]) -> QueryError | LakeAwayError:
    """Return the error to raise for an error of DuckDB; `columns` are candidates for a misspelt name."""
    if error.get("exception_type") in AWAY:
        # The message would reveal a path or URL of the server.
        return LakeAwayError("the lake cannot be read at the moment")
    whole = str(error.get("exception_message", "the query failed"))
    # After an empty line follows advice to load extensions, which is impossible here.
    message = whole.partition("\n\n")[0].partition("\n\tCandidate functions:")[0].replace("Values list", "Table")
    code = CODES.get(str(error.get("exception_type")), "failed")
    if code == "forbidden":
        return QueryError(code, "A query reads nothing but the dataset's tables.")
    if code == "out-of-memory":
        return QueryError(code, OUT_OF_MEMORY)
    if "expression depth limit" in message:
        return QueryError("too-deep", TOO_LONG_A_CHAIN)
    nearest: tuple[str, ...] = ()
    if error.get("error_subtype") == "NO_MATCHING_FUNCTION":
        code, message = "wrong-types", message + _forms(error)
    elif code == "unknown-name":
        nearest = _listed(error)
    elif unknown := _UNKNOWN.search(message):
        code, nearest = "unknown-name", _nearest(unknown[1], whole, error, columns)
    line = column = None
    position = str(error.get("position", ""))
    if position.isdigit():
        line, column = place(sql, len(sql.encode()[: int(position)].decode(errors="ignore")))
    elif named := _NAMED.search(message):
        found = re.search(rf"\b{re.escape(named[1])}\b", sql, re.IGNORECASE)
        if found is not None:
            line, column = place(sql, found.start())
    return QueryError(code, " ".join(message.split()), line, column, nearest)


def _listed(error: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(error.get("candidates", "")).split(",") if name.strip())


def _nearest(name: str, message: str, error: Mapping[str, Any], columns: Collection[str]) -> tuple[str, ...]:
    """Return similar names: those that DuckDB suggests, or columns of the tables."""
    if listed := _listed(error):
        return listed
    offered = _CANDIDATES.search(message)
    if offered is not None:
        return tuple(re.findall(r'"([^"]+)"', offered[1]))
    return tuple(get_close_matches(name[:100], sorted(columns), n=3))


def _forms(error: Mapping[str, Any]) -> str:
    """Return the signatures of a function if they are few."""
    forms = re.findall(r"[^,]+?\(.*?\) -> [^,]+", str(error.get("candidates", "")))
    return f" There is: {'; '.join(forms)}." if 0 < len(forms) <= MOST_FORMS else ""
