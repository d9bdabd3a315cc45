"""Convert constant patterns: dates of MySQL and Joda, regular expressions, JSON paths and Java's formats."""

from __future__ import annotations

import re
from typing import Final

# MySQL's specifiers (`date_format`) -> strftime's.
MYSQL: Final = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
# Joda's letters (`format_datetime`) -> strftime's.
JODA: Final = {
    "y": "%Y", "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "xxxx": "%G", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m",
    "dd": "%d", "d": "%-d", "EEEE": "%A", "EEE": "%a", "E": "%a", "e": "%u", "ww": "%V", "DDD": "%j", "D": "%-j",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g",
    "a": "%p",
}  # fmt: skip
# Unambiguous fields, which may be used for parsing.
READ: Final = frozenset(
    [
        "%Y",
        "%m",
        "%d",
        "%H",
        "%M",
        "%S",
        "%f",
        "%g",
        "%b",
        "%B",
        "%I",
        "%p",
        "%-m",
        "%-d",
        "%-H",
        "%-I",
        "%-M",
        "%-S",
        "%y",
    ]
)


class PatternError(ValueError):
    """A part of a pattern is not offered."""


def of_mysql(pattern: str) -> list[str]:
    """Convert the parts of a MySQL pattern to strftime's syntax."""
    parts: list[str] = []
    for found in re.finditer(r"%(.)|[^%]+|%$", pattern, re.DOTALL):
        if found[1] is None:
            if found[0] == "%":
                raise PatternError("a last %")
            parts.append(_literal(found[0]))
        elif found[1] in MYSQL:
            parts += re.findall(r"%-?.|[^%]+", MYSQL[found[1]])
        else:
            raise PatternError(f"%{found[1]}")
    return parts


def of_joda(pattern: str) -> list[str]:
    """Convert the parts of a Joda-Time pattern to strftime's syntax."""
    parts: list[str] = []
    for found in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'", pattern):
        if found[1] is not None:
            parts.append(_literal(found[1].replace("''", "'") or "'"))
        elif found[2] is None:
            if found[0] == "'":
                raise PatternError("'")
            parts.append(_literal(found[0]))
        elif found[0] in JODA:
            parts.append(JODA[found[0]])
        else:
            raise PatternError(found[0])
    return parts


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def to_read(parts: list[str]) -> str:
    """Return a pattern for strptime; raise `PatternError` unless it determines a day."""
    fields = [part for part in parts if part.startswith("%") and part != "%%"]
    for field in fields:
        if field not in READ:
            raise PatternError(field)
    if not {"%Y", "%y"} & set(fields):
        raise PatternError("a pattern without a year")
    if bool({"%I", "%-I"} & set(fields)) != ("%p" in fields):
        raise PatternError("an hour of twelve without AM or PM, or the reverse")
    return "".join(part.replace("%-", "%") if part in fields else part for part in parts)


# Regular expressions --------------------------------------------------------------------------------------------------
# Patterns that only match between letters.
OF_NO_WIDTH: Final = frozenset({"", "^", "$"})


def of_ascii(pattern: str) -> bool:
    r"""Return whether a pattern has \w, \d, \s or \b, which may differ on letters outside ASCII."""
    return bool(re.search(r"(?<!\\)(\\\\)*\\[wWdDsSbB]", pattern))


def regular_expression(pattern: str) -> str:
    """Return a regular expression with the same meaning in Java and RE2; raise `PatternError` if it may differ."""
    if "&&" in pattern:
        raise PatternError("&&")
    inside = False
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "\\":
            following = pattern[place + 1 : place + 2]
            if following.isalnum() and following not in "dDwWsSbBtnrfAxQEpPz":
                raise PatternError("\\" + following)
            if following in ("Q", "p", "P"):
                raise PatternError("\\" + following)
            place += 2
            continue
        if letter == "[" and inside:
            raise PatternError("[ inside of [ ]")
        if letter == "[":
            inside = True
            place += 2 if pattern[place + 1 : place + 2] == "^" else 1
            if pattern[place : place + 1] == "]":
                raise PatternError("[]")
            continue
        if letter == "]":
            inside = False
        if letter == "{" and not inside and not re.match(r"\{\d+(,\d*)?\}", pattern[place:]):
            raise PatternError("{")
        if (
            letter == "("
            and not inside
            and pattern[place + 1 : place + 2] == "?"
            and pattern[place + 2 : place + 3] not in (":", "i")
        ):
            raise PatternError(pattern[place : place + 3])
        place += 1
    return pattern


def groups(pattern: str) -> int:
    """Return the number of groups of a regular expression."""
    return len(re.findall(r"\((?!\?)", re.sub(r"\\.|\[[^\]]*\]", "", pattern)))


def may_be_absent(pattern: str) -> bool:
    """Return whether a group may not participate in a match: Athena then returns null, DuckDB an empty text."""
    plain = re.sub(r"\\.|\[[^\]]*\]", "x", pattern)
    return "|" in plain or bool(re.search(r"\)([?*]|\{0)", plain))


def replacement(text: str, pattern: str) -> str:
    """Convert Java's replacement ($1) to RE2's syntax; raise `PatternError`."""
    out = []
    for found in re.finditer(r"\$(\d)|\\(.)|\$(.?)|\\$|[^$\\]+", text, re.DOTALL):
        if found[1] is not None:
            if int(found[1]) > groups(pattern):
                raise PatternError(found[0])
            out.append("\\" + found[1])
        elif found[2] is not None:
            out.append("\\\\" if found[2] == "\\" else found[2])
        elif found[0].startswith(("$", "\\")):
            raise PatternError(found[0])
        else:
            out.append(found[0])
    return "".join(out)


# JSON -----------------------------------------------------------------------------------------------------------------
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\[\"([^\"\\]+)\"\]")


def json_path(path: str) -> str:
    """Convert a JSON path of names and numbers to DuckDB's syntax; raise `PatternError`."""
    if not path.startswith("$"):
        raise PatternError(path[:20])
    place, out = 1, ["$"]
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            raise PatternError(path[place : place + 20])
        name = found[1] or found[3]
        out.append(f'."{name}"' if name else f"[{found[2]}]")
        place = found.end()
    return "".join(out)


# Formats of Java ------------------------------------------------------------------------------------------------------
FORMAT: Final = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d*)(?:\.(\d+))?([a-zA-Z%])|[^%]+|%")
