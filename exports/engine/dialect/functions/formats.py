"""Format texts like Java's `String.format`."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import patterns
from exports.engine.dialect import types as t
from exports.engine.dialect.casts import cast
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import quoted


@scalar("format")
def _format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    shape, *rest = values(own, node, given, 1, 99)
    if shape.constant is None or shape.type != t.VARCHAR:
        raise own.refuse(node, "not-offered", "The format is a text written in the query here, not a column.")
    parts: list[str] = []
    waiting, used = list(range(len(rest))), set()
    for found in patterns.FORMAT.finditer(shape.constant):
        number, flags, width, digits, letter = found.groups()
        if letter is None and found[0] != "%":
            parts.append(quoted(found[0]))
        elif letter == "%":
            parts.append("'%'")
        elif letter == "n":
            parts.append("chr(10)")
        elif letter not in ("s", "d", "f") or not (0 < int(number) <= len(rest) if number else waiting):
            detail = f"The format part {found[0]} is not offered, or has no value: there are %s, %d, %.2f and %%."
            raise own.refuse(node, "not-offered", detail)
        else:
            place = int(number) - 1 if number else waiting.pop(0)
            used.add(place)
            parts.append(_formatted(own, node, rest[place], found[0], (flags or "", width, digits, letter)))
    if len(used) < len(rest):
        raise own.refuse(node, "not-offered", "The format has fewer parts than values are given.")
    return Typed("(" + " || ".join(parts or ["''"]) + ")", t.VARCHAR)


def _formatted(
    own: Expressions, node: exp.Expr, given: Typed, part: str, shape: tuple[str, str, str | None, str]
) -> str:
    flags, width, digits, letter = shape
    text: str | None = None
    if letter == "s" and not flags.replace("-", "") and digits is None:
        text = cast(given.sql, given.type, t.VARCHAR, own.fail) if "timestamp" not in given.type.name else None
        if given.type.name in ("real", "double"):
            text = f"java_double(CAST({given.sql} AS VARCHAR))"
        if text is None:
            raise own.refuse(
                node, "not-offered", f"%s of {given.type} is not offered: cast it to varchar, or use %.2f."
            )
    elif letter == "d" and t.is_whole(given.type) and digits is None and set(flags) <= set(",0-"):
        text = f"format('{{:{',' if ',' in flags else 'd'}}}', CAST({given.sql} AS BIGINT))"
    elif letter == "f" and given.type.name in ("decimal", "double", "real") and set(flags) <= set(",0-"):
        places = 6 if digits is None else int(digits)
        if places <= 18:
            text = _fixed(own, given, places, grouped="," in flags)
    if text is None:
        raise own.refuse(node, "not-offered", f"The format part {part} of {given.type} is not offered.")
    whole = f"coalesce({text}, 'null')"
    if not width:
        return whole
    size = f"greatest({int(width)}, length({whole}))"
    if "-" in flags:
        return f"rpad({whole}, CAST({size} AS INTEGER), ' ')"
    if "0" in flags:
        sign = f"CASE WHEN starts_with({whole}, '-') THEN '-' ELSE '' END"
        return f"({sign} || lpad(ltrim({whole}, '-'), CAST({size} - length({sign}) AS INTEGER), '0'))"
    return f"lpad({whole}, CAST({size} AS INTEGER), ' ')"


def _fixed(own: Expressions, given: Typed, places: int, *, grouped: bool) -> str:
    """Write a number with fixed decimal places, rounding its shortest text half away from zero, as Java does."""
    said = f"CAST({given.sql} AS VARCHAR)"
    exact = f"abs(CAST({said} AS DECIMAL(38, {places})))"
    text = f"CAST({exact} AS VARCHAR)"
    if grouped:
        whole = f"format('{{:,}}', CAST(trunc({exact}) AS BIGINT))"
        text = f"({whole}" + (f" || right({text}, {places + 1}))" if places else ")")
    # The sign is that of the number, even if all shown digits are 0.
    sign = f"CASE WHEN starts_with({said}, '-') THEN '-' ELSE '' END"
    if given.type.name == "decimal":
        return f"({sign} || {text})"
    wrong = own.fail("format writes finite numbers by %f here")
    return f"CASE WHEN NOT isfinite({given.sql}) THEN {wrong} ELSE ({sign} || {text}) END"
