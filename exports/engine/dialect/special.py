"""Functions whose writing depends on the types of their arguments, or on constants given to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import intervals, patterns
from exports.engine.dialect import types as t
from exports.engine.dialect.calls import SCALARS
from exports.engine.dialect.casts import cast, local, moment_as_text, moved, placed, shifted
from exports.engine.dialect.expressions import Expressions, Lambda, Special, Typed, name_of
from exports.engine.dialect.types import named, quoted

Given = list[Typed | Lambda]

UNITS: Final = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
OF_DAYS: Final = UNITS[4:]
# Athena ends a query that makes a longer one.
MOST_OF_SEQUENCE: Final = 10_000
TO_UNITS: Final = {unit: f"to_{unit}s" for unit in UNITS if unit != "quarter"}
ISO: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,3})?)?)?(Z|[+-]00:?00)?)?"
NOT_ISO: Final = "from_iso8601_timestamp reads times of UTC in ISO 8601 here, such as 2020-10-15T23:30:00.000Z"
# What a wrong number of arguments is answered with.
FORMS: Final = {
    name: f"{name}(VARCHAR, BIGINT, BIGINT) -> VARCHAR; {name}(VARCHAR, BIGINT) -> VARCHAR"
    for name in ("substr", "substring")
}
# The forms in which the dataset has its times: found faster than by the expression.
FAST: Final = ("____-__-__T__:__:__.___Z", "____-__-__T__:__:__Z")


def scalar(*names: str) -> Callable[[Special], Special]:
    """Register a function."""

    def register(function: Special) -> Special:
        for name in names:
            Expressions.specials[name] = function
        return function

    return register


def aggregate(*names: str) -> Callable[[Special], Special]:
    """Register an aggregate; one that leaves a call to the table gives no SQL."""

    def register(function: Special) -> Special:
        for name in names:
            Expressions.aggregates[name] = function
        return function

    return register


def values(own: Expressions, node: exp.Expr, given: Given, least: int, most: int) -> list[Typed]:
    """Return the arguments, which are no lambdas, of a number between two; raises `QueryError`."""
    found = [each for each in given if isinstance(each, Typed)]
    if len(found) != len(given) or not least <= len(given) <= most:
        if name_of(node) in FORMS:
            raise own.refuse(
                node, "wrong-types", f"{name_of(node)} takes other arguments. There is: {FORMS[name_of(node)]}."
            )
        wanted = str(least) if least == most else f"{least} to {most}" if most < 100 else f"{least} or more"
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes {wanted} arguments, not {len(given)}.")
    return found


def as_types(own: Expressions, node: exp.Expr, found: Sequence[Typed]) -> tuple[list[str], t.Type]:
    """Write values as their common type."""
    kind = own.common_type(node, found, name_of(node))
    return [own.as_type(node, each, kind) if kind != t.UNKNOWN else each.sql for each in found], kind


def fallback(own: Expressions, node: exp.Expr, given: Given, name: str) -> Typed:
    """Write a call by the table of functions."""
    found = values(own, node, given, 0, 99)
    form, bound = own.form(node, SCALARS[name], found)
    return Typed(own.filled(form, own.arguments(node, form, found, bound)), own.named_type(form.gives, bound))


# Conditions -----------------------------------------------------------------------------------------------------------
@scalar("coalesce")
def _coalesce(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    written, kind = as_types(own, node, values(own, node, given, 2, 999))
    return Typed(f"coalesce({', '.join(written)})", kind)


@scalar("nullif")
def _nullif(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    left, right = values(own, node, given, 2, 2)
    one, other = own.alike(node, [left, right])
    return Typed(f"CASE WHEN {one} = {other} THEN NULL ELSE {left.sql} END", left.type)


@scalar("greatest", "least")
def _greatest(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 127)
    written = own.alike(node, found, "<") if len(found) > 1 else [found[0].sql]
    kind = own.common_type(node, found, name_of(node))
    absent = " OR ".join(f"{each} IS NULL" for each in written)
    chosen = f"{name_of(node)}({', '.join(written)})"
    if kind.name in ("real", "double"):  # NaN is chosen only where there is nothing else
        numbers = ", ".join(f"CASE WHEN NOT isnan({each}) THEN {each} END" for each in written)
        chosen = f"coalesce({name_of(node)}({numbers}), {written[0]})"
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE {chosen} END", kind)


@scalar("typeof")
def _typeof(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if "varchar" in str(found.type) or "row" in str(found.type):
        raise own.refuse(node, "not-the-same", "typeof is not offered for texts: lengths of varchar are not kept here.")
    return Typed(quoted(str(found.type)), t.VARCHAR)


@scalar("row")
def _row(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.row(node, values(own, node, given, 1, 999))


# Texts ----------------------------------------------------------------------------------------------------------------
@scalar("concat")
def _concat(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.joined(node, values(own, node, given, 2, 127))


@scalar("concat_ws")
def _concat_ws(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    between, *parts = values(own, node, given, 2, 127)
    separator = own.as_type(node, between, t.VARCHAR)
    if len(parts) == 1 and parts[0].type.name == "array":
        texts = own.as_type(node, parts[0], t.array(t.VARCHAR))
        return Typed(f"array_to_string({texts}, {separator})", t.VARCHAR)
    written = [own.as_type(node, each, t.VARCHAR) for each in parts]
    return Typed(f"concat_ws({separator}, {', '.join(written)})", t.VARCHAR)


@scalar("substr", "substring")
def _substr(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    text, start, *rest = (
        own.as_type(node, each, kind) for each, kind in zip(found, (t.VARCHAR, t.BIGINT, t.BIGINT), strict=False)
    )
    length = ""
    if rest:
        known = found[2].constant
        length = f", {rest[0]}" if known is not None and not known.startswith("-") else f", greatest({rest[0]}, 0)"
    plain = f"substr({text}, {start}{length})"
    constant = found[1].constant
    if constant is not None and constant.isdigit() and int(constant) > 0:
        return Typed(plain, t.VARCHAR)
    nothing = f"{start} = 0 OR {start} < -length({text})"
    return Typed(f"CASE WHEN {nothing} THEN left({text}, 0) ELSE {plain} END", t.VARCHAR)


@scalar("split")
def _split(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        return fallback(own, node, given, "split")
    whole = fallback(own, node, given[:2], "split")
    limit = own.as_type(node, values(own, node, given, 3, 3)[2], t.BIGINT)
    between = own.as_type(node, values(own, node, given, 3, 3)[1], t.VARCHAR)
    last = f"[array_to_string({whole.sql}[{limit}:], {between})]"
    wrong = own.fail("split takes a limit above 0")
    return Typed(
        f"CASE WHEN {limit} < 1 THEN {wrong} WHEN len({whole.sql}) <= {limit} THEN {whole.sql} "
        f"ELSE list_concat({whole.sql}[1:{limit} - 1], {last}) END",
        whole.type,
    )


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
    """Write a number with a number of places, half away from zero on its shortest text, as Java does."""
    said = f"CAST({given.sql} AS VARCHAR)"
    exact = f"abs(CAST({said} AS DECIMAL(38, {places})))"
    text = f"CAST({exact} AS VARCHAR)"
    if grouped:
        whole = f"format('{{:,}}', CAST(trunc({exact}) AS BIGINT))"
        text = f"({whole}" + (f" || right({text}, {places + 1}))" if places else ")")
    # The sign is that of the number, also where the places shown are all 0.
    sign = f"CASE WHEN starts_with({said}, '-') THEN '-' ELSE '' END"
    if given.type.name == "decimal":
        return f"({sign} || {text})"
    wrong = own.fail("format writes finite numbers by %f here")
    return f"CASE WHEN NOT isfinite({given.sql}) THEN {wrong} ELSE ({sign} || {text}) END"


# Regular expressions --------------------------------------------------------------------------------------------------
def _expression(own: Expressions, node: exp.Expr, found: Sequence[Typed], *, group: int = 0) -> tuple[str, str, str]:
    """Return the text, the expression as SQL, and the expression."""
    pattern = own.pattern(node, found[1], "regular_expression")
    if group > patterns.groups(pattern):
        raise own.refuse(node, "bad-value", f"The pattern has {patterns.groups(pattern)} groups, not {group}.")
    if group and patterns.may_be_absent(pattern):
        detail = "A group that may have no part in a match gives null in Athena and an empty text here: take group 0."
        raise own.refuse(node, "not-the-same", detail)
    return own.as_type(node, found[0], t.VARCHAR), quoted(pattern), pattern


def _group(own: Expressions, node: exp.Expr, found: Sequence[Typed]) -> int:
    if len(found) < 3:
        return 0
    number = found[2].constant
    if number is None or not number.isdigit() or int(number) > 9:
        raise own.refuse(node, "not-offered", "The number of the group is written in the query here, 0 to 9.")
    return int(number)


@scalar("regexp_like")
def _regexp_like(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    text, pattern, _ = _expression(own, node, values(own, node, given, 2, 2))
    return Typed(f"regexp_matches({text}, {pattern})", t.BOOLEAN)


@scalar("regexp_extract")
def _regexp_extract(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    group = _group(own, node, found)
    text, pattern, _ = _expression(own, node, found, group=group)
    return Typed(
        f"CASE WHEN regexp_matches({text}, {pattern}) THEN regexp_extract({text}, {pattern}, {group}) END", t.VARCHAR
    )


@scalar("regexp_extract_all")
def _regexp_extract_all(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    group = _group(own, node, found)
    text, pattern, _ = _expression(own, node, found, group=group)
    return Typed(f"regexp_extract_all({text}, {pattern}, {group})", t.array(t.VARCHAR))


@scalar("regexp_count")
def _regexp_count(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    text, pattern, _ = _expression(own, node, values(own, node, given, 2, 2))
    return Typed(f"len(regexp_extract_all({text}, {pattern}))", t.BIGINT)


@scalar("regexp_split")
def _regexp_split(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    text, pattern, _ = _expression(own, node, values(own, node, given, 2, 2))
    wrong = own.fail("regexp_split takes a pattern here that does not match the empty text")
    split = f"regexp_split_to_array({text}, {pattern})"
    return Typed(f"CASE WHEN regexp_matches('', {pattern}) THEN {wrong} ELSE {split} END", t.array(t.VARCHAR))


@scalar("regexp_replace")
def _regexp_replace(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if any(isinstance(each, Lambda) for each in given):
        raise own.refuse(node, "not-offered", "regexp_replace takes a text here, not a lambda.")
    found = values(own, node, given, 2, 3)
    text, pattern, plain = _expression(own, node, found)
    instead = ""
    if len(found) == 3:
        if found[2].constant is None:
            raise own.refuse(node, "not-offered", "The replacement is a text written in the query here, not a column.")
        try:
            instead = patterns.replacement(found[2].constant, plain)
        except patterns.PatternError as error:
            raise own.refuse(node, "not-offered", f"The part {error} of the replacement is not offered.") from None
        if "\\" in instead and patterns.may_be_absent(plain):
            raise own.refuse(
                node, "not-the-same", "The pattern's groups may have no part in a match: no page says what they give."
            )
    return Typed(f"regexp_replace({text}, {pattern}, {quoted(instead)}, 'g')", t.VARCHAR)


# Numbers --------------------------------------------------------------------------------------------------------------
def _number(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS INTEGER)", t.INTEGER)
    if not t.is_number(given.type):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a number, not {given.type}.")
    return given


@scalar("abs", "sign")
def _abs(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = _number(own, node, values(own, node, given, 1, 1)[0])
    if name_of(node) == "sign" and found.type.name in ("real", "double"):
        plain = f"CAST(sign({found.sql}) AS {t.in_duckdb(found.type)})"
        return Typed(f"CASE WHEN isnan({found.sql}) THEN {found.sql} ELSE {plain} END", found.type)
    if name_of(node) == "sign" and found.type.name == "decimal":
        return Typed(f"CAST(sign({found.sql}) AS DECIMAL(1, 0))", t.decimal(1, 0))
    return Typed(f"CAST({name_of(node)}({found.sql}) AS {t.in_duckdb(found.type)})", found.type)


@scalar("mod")
def _mod(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    left, right = values(own, node, given, 2, 2)
    return own.modulus(node, left, right)


@scalar("ceil", "ceiling", "floor")
def _ceil(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = _number(own, node, values(own, node, given, 1, 1)[0])
    if t.is_whole(found.type):
        return found
    kind = found.type
    if kind.name == "decimal":
        kind = t.decimal(kind.digits - kind.scale + min(kind.scale, 1), 0)
    name = "floor" if name_of(node) == "floor" else "ceil"
    return Typed(f"CAST({name}({found.sql}) AS {t.in_duckdb(kind)})", kind)


@scalar("round")
def _round(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, *rest = values(own, node, given, 1, 2)
    found = _number(own, node, number)
    places = _places(own, node, rest)
    if t.is_whole(found.type):
        exact = f"round(CAST({found.sql} AS DECIMAL(38, 0)), {places})"
        return found if places >= 0 else Typed(f"CAST({exact} AS {t.in_duckdb(found.type)})", found.type)
    if found.type.name != "decimal":
        return Typed(f"CAST(round({found.sql}, {places}) AS {t.in_duckdb(found.type)})", found.type)
    digits, scale = found.type.digits, found.type.scale
    kind = t.decimal(digits + 1, scale) if rest else t.decimal(digits - scale + min(1, scale), 0)
    rounded = found.sql if places >= scale else f"round({found.sql}, {places})"
    return Typed(f"CAST({rounded} AS {t.in_duckdb(kind)})", kind)


def _places(own: Expressions, node: exp.Expr, rest: Sequence[Typed]) -> int:
    if not rest:
        return 0
    known = rest[0].constant
    if known is None or not re.fullmatch(r"-?\d{1,2}", known) or abs(int(known)) > 38:
        raise own.refuse(node, "not-offered", "The number of places is written in the query here.")
    return int(known)


@scalar("truncate")
def _truncate(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, *rest = values(own, node, given, 1, 2)
    found = _number(own, node, number)
    places = _places(own, node, rest)
    if places < 0:
        raise own.refuse(node, "not-offered", "truncate takes 0 places or more here.")
    if found.type.name == "decimal":
        kind = found.type if rest else t.decimal(found.type.digits - found.type.scale, 0)
        cut = found.sql if places >= found.type.scale else f"trunc({found.sql}, {places})"
        return Typed(f"CAST({cut} AS {t.in_duckdb(kind)})", kind)
    if rest:
        raise own.refuse(node, "not-the-same", "truncate with places takes a decimal here: cast the number to decimal.")
    kind = t.REAL if found.type == t.REAL else t.DOUBLE
    return Typed(f"trunc({own.as_type(node, found, kind)})", kind)


@scalar("bit_count")
def _bit_count(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, bits = values(own, node, given, 2, 2)
    if bits.constant != "64":
        raise own.refuse(node, "not-offered", "bit_count counts 64 bits here.")
    return Typed(f"CAST(bit_count({own.as_type(node, number, t.BIGINT)}) AS BIGINT)", t.BIGINT)


# Dates and times ------------------------------------------------------------------------------------------------------
def _moment(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS TIMESTAMP)", t.timestamp())
    if given.type.name not in t.MOMENTS:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a date or a time, not {given.type}.")
    return given


def _unit(own: Expressions, node: exp.Expr, given: Typed, kind: t.Type) -> str:
    unit = (given.constant or "").lower()
    known = OF_DAYS if kind.name == "date" else UNITS
    if given.type != t.VARCHAR or unit not in known:
        what = f"no unit {unit[:40]} of a {kind.name}" if given.constant else "no unit that is not written in the query"
        raise own.refuse(node, "bad-value", f"{name_of(node)} knows {what}: {', '.join(known)}.")
    return unit


@scalar("date_trunc")
def _date_trunc(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, found = values(own, node, given, 2, 2)
    moment = _moment(own, node, found)
    part = _unit(own, node, unit, moment.type)
    cut = f"date_trunc({quoted(part)}, {local(moment.sql, moment.type)})"
    return Typed(moved(cut, moment.type, moment.sql), moment.type)


@scalar("date_add")
def _date_add(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, number, found = values(own, node, given, 3, 3)
    moment = _moment(own, node, found)
    part = _unit(own, node, unit, moment.type)
    count = own.as_type(node, number, t.BIGINT)
    if part == "quarter":
        part, count = "month", f"(3 * {count})"
    step = f"{TO_UNITS[part]}({count})" if part in UNITS[:4] else f"{TO_UNITS[part]}(CAST({count} AS INTEGER))"
    if part == "millisecond":
        step = f"to_microseconds(1000 * {count})"
    if moment.type.zone not in ("", t.UTC) and part in UNITS[:4]:
        return Typed(f"({moment.sql} + {step})", moment.type)
    return Typed(moved(f"({local(moment.sql, moment.type)} + {step})", moment.type, moment.sql), moment.type)


@scalar("date_diff")
def _date_diff(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, one, other = values(own, node, given, 3, 3)
    kind = own.common_type(node, [_moment(own, node, one), _moment(own, node, other)], "date_diff")
    if kind.zone:  # of the first one: a time without a zone is one of UTC
        kind = replace(kind, zone=one.type.zone or t.UTC)
    part = _unit(own, node, unit, kind)
    begin, end = (local(own.as_type(node, each, kind), kind) for each in (one, other))
    if kind.zone and part in UNITS[:4]:
        begin, end = (own.as_type(node, each, kind) for each in (one, other))
    whole = f"CAST(date_sub({quoted(part)}, {begin}, {end}) AS BIGINT)"
    if part in ("month", "quarter", "year"):
        whole = _months_between(begin, end, {"month": 1, "quarter": 3, "year": 12}[part])
    return Typed(whole, t.BIGINT)


def _months_between(begin: str, end: str, size: int) -> str:
    """Write the complete months between two times, by groups of `size`.

    The last day of a month completes one that began on a later day: from 31 January to 29 February is a month.
    """
    first = f"CASE WHEN {begin} <= {end} THEN {begin} ELSE {end} END"
    last = f"CASE WHEN {begin} <= {end} THEN {end} ELSE {begin} END"
    is_last = f"day({first}) > day({last}) AND CAST({last} AS DATE) = last_day({last})"
    days = f"CASE WHEN {is_last} THEN day({first}) - day({last}) ELSE 0 END"
    between = f"CAST(date_sub('month', {first} - to_days(CAST({days} AS INTEGER)), {last}) AS BIGINT)"
    return f"(CASE WHEN {begin} <= {end} THEN 1 ELSE -1 END * ({between} // {size}))"


@scalar("timezone_hour", "timezone_minute")
def _timezone(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if found.type.name != "timestamp with time zone":
        raise own.refuse(node, "wrong-types", f"{called(node)} takes a time with a zone, not {found.type}.")
    minutes = f"CAST((epoch({local(found.sql, found.type)}) - epoch({found.sql})) // 60 AS BIGINT)"
    return Typed(f"({minutes} {'// 60' if called(node) == 'timezone_hour' else '% 60'})", t.BIGINT)


@scalar("year", "month", "day", "hour", "minute", "second", "millisecond")
def _part(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    written = intervals.part(found.sql, found.type, called(node)) if found.type in (t.DAYS, t.MONTHS) else None
    return Typed(written, t.BIGINT) if written else fallback(own, node, given, called(node))


def called(node: exp.Expr) -> str:
    """Return the name of a function, also where it is the part of an `extract`."""
    return node.this.name.lower() if isinstance(node, exp.Extract) else name_of(node)


@scalar("date")
def _date(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.cast_to(node, values(own, node, given, 1, 1)[0], t.DATE)


@scalar("at_timezone", "with_timezone")
def _at_timezone(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, zone = values(own, node, given, 2, 2)
    if zone.constant is None:
        raise own.refuse(node, "not-offered", "The time zone is written in the query here, such as 'America/New_York'.")
    moment = _moment(own, node, found)
    name = own.zone(node, zone.constant)
    if name_of(node) == "with_timezone":
        if moment.type.name == "timestamp with time zone":
            raise own.refuse(node, "wrong-types", "with_timezone takes a timestamp without a zone.")
        kind = t.zoned(moment.type.digits, name)
        return Typed(placed(local(moment.sql, moment.type), kind), kind)
    if moment.type.name == "date":
        raise own.refuse(node, "wrong-types", "A date has no time zone: cast it to timestamp.")
    instant = own.as_type(node, moment, t.zoned(moment.type.digits, moment.type.zone or t.UTC))
    return Typed(instant, t.zoned(moment.type.digits, name))


@scalar("from_unixtime")
def _from_unixtime(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    whole = fallback(own, node, given[:1], "from_unixtime")
    if len(found) == 1:
        return whole
    if found[1].constant is None or found[1].type != t.VARCHAR:
        raise own.refuse(node, "not-offered", "The time zone is written in the query here, such as 'America/New_York'.")
    return replace(whole, type=t.zoned(3, own.zone(node, found[1].constant)))


@scalar("from_iso8601_timestamp")
def _from_iso8601_timestamp(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    text = own.as_type(node, found, t.VARCHAR)
    plain = f"CAST({text} AS TIMESTAMPTZ)"
    if found.constant is not None:
        if not re.fullmatch(ISO, found.constant):
            raise own.refuse(node, "bad-value", f"{NOT_ISO}.")
        return Typed(plain.replace(",", "."), t.zoned(3))
    fast = " OR ".join(f"{text} LIKE {quoted(shape)}" for shape in FAST)
    # Any text behind the words is no time. A call that fails by itself would keep filters from where they are fastest.
    wrong = f"CAST({quoted(NOT_ISO + ': ')} || {text} AS TIMESTAMPTZ)"
    other = f"CASE WHEN regexp_full_match({text}, {quoted(ISO)}) THEN CAST(replace({text}, ',', '.') AS TIMESTAMPTZ)"
    return Typed(f"CASE WHEN {text} IS NULL OR {fast} THEN {plain} ELSE {other} ELSE {wrong} END END", t.zoned(3))


@scalar("to_iso8601")
def _to_iso8601(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    moment = _moment(own, node, values(own, node, given, 1, 1)[0])
    if moment.type.name == "date":
        return Typed(f"CAST({moment.sql} AS VARCHAR)", t.VARCHAR)
    if moment.type.zone not in ("", t.UTC):
        raise own.refuse(node, "not-offered", "to_iso8601 takes times of UTC here.")
    plain = moment_as_text(moment.sql, replace(moment.type, zone=""))
    behind = "Z" if moment.type.zone else ""
    return Typed(f"(replace({_local_text(plain, moment)}, ' ', 'T') || '{behind}')", t.VARCHAR)


def _local_text(plain: str, moment: Typed) -> str:
    if not moment.type.zone:
        return plain
    return moment_as_text(local(moment.sql, moment.type), t.timestamp(moment.type.digits))


def _shape(own: Expressions, node: exp.Expr, given: Typed, reader: str, *, reads: bool) -> str:
    """Return a constant pattern of dates as strftime's."""
    if given.constant is None or given.type != t.VARCHAR:
        raise own.refuse(node, "not-offered", "The pattern is a text written in the query here, not a column.")
    try:
        parts = getattr(patterns, reader)(given.constant)
        return patterns.to_read(parts) if reads else "".join(parts)
    except patterns.PatternError as error:
        detail = f"{name_of(node)} does not know {error} in the pattern {given.constant[:60]}."
        raise own.refuse(node, "not-offered", detail) from None


@scalar("date_format", "format_datetime")
def _date_format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, pattern = values(own, node, given, 2, 2)
    moment = _moment(own, node, found)
    reader = "of_mysql" if name_of(node) == "date_format" else "of_joda"
    shape = _shape(own, node, pattern, reader, reads=False)
    return Typed(f"strftime({local(moment.sql, moment.type)}, {quoted(shape)})", t.VARCHAR)


@scalar("date_parse", "parse_datetime")
def _date_parse(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, pattern = values(own, node, given, 2, 2)
    text = own.as_type(node, found, t.VARCHAR)
    if name_of(node) == "date_parse":
        return Typed(f"strptime({text}, {quoted(_shape(own, node, pattern, 'of_mysql', reads=True))})", t.timestamp(3))
    shape = _shape(own, node, pattern, "of_joda", reads=True)
    return Typed(f"timezone('UTC', strptime({text}, {quoted(shape)}))", t.zoned(3))


# Arrays, maps, JSON ---------------------------------------------------------------------------------------------------
def _array(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    if not isinstance(given, Typed) or given.type.name != "array":
        has = given.type if isinstance(given, Typed) else "a lambda"
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes an array first, not {has}.")
    return given


def _map(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    if not isinstance(given, Typed) or given.type.name != "map":
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map first.")
    return given


@scalar("element_at")
def _element_at(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, at = values(own, node, given, 2, 2)
    if whole.type.name == "map":
        key = own.as_type(node, at, whole.type.of[0])
        return Typed(f"{whole.sql}[{key}]", whole.type.of[1])
    array = _array(own, node, whole)
    place = own.as_type(node, at, t.BIGINT)
    wrong = own.fail("Elements are counted from 1, or from -1 at the end")
    return Typed(f"CASE WHEN {place} = 0 THEN {wrong} ELSE {array.sql}[{place}] END", array.type.of[0])


@scalar("map")
def _make_map(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if not given:
        return Typed("MAP {}", t.mapping(t.UNKNOWN, t.UNKNOWN))
    return fallback(own, node, given, "map")


@scalar("map_entries")
def _map_entries(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole = _map(own, node, values(own, node, given, 1, 1)[0])
    kind = t.array(t.row(("field0", "field1"), whole.type.of))
    each = '{"field0": "each"."key", "field1": "each"."value"}'
    return Typed(f'list_transform(map_entries({whole.sql}), lambda "each": {each})', kind)


@scalar("map_from_entries")
def _map_from_entries(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole = _array(own, node, values(own, node, given, 1, 1)[0])
    inner = whole.type.of[0]
    if inner.name != "row" or len(inner.of) != 2:
        raise own.refuse(node, "wrong-types", "map_from_entries takes an array of rows of two fields.")
    return Typed(f"map_from_entries({whole.sql})", t.mapping(*inner.of))


@scalar("map_concat")
def _map_concat(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    written, kind = as_types(own, node, [_map(own, node, each) for each in given])
    absent = " OR ".join(f"{each} IS NULL" for each in written)
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE map_concat({', '.join(written)}) END", kind)


@scalar("map_filter", "transform_values", "transform_keys")
def _map_filter(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 2:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map and a lambda.")
    whole = _map(own, node, given[0])
    if not isinstance(given[1], Lambda):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map and a lambda.")
    key, value = (named(name) for name in given[1].names[:2] + [""] * (2 - len(given[1].names)))
    _, body = own.lambda_(given[1], whole.type.of, node)
    # A lambda of one argument in DuckDB: the entry; its parts get the names that the text gives them.
    entries = f"map_entries({whole.sql})"
    bound = _bound(body.sql, key, value)
    if name_of(node) == "map_filter":
        kept = f'list_filter({entries}, lambda "entry": {bound})'
        return Typed(f"CASE WHEN {whole.sql} IS NOT NULL THEN map_from_entries({kept}) END", whole.type)
    if name_of(node) == "transform_values":
        each = f'{{"key": "entry"."key", "value": {bound}}}'
        kind = t.mapping(whole.type.of[0], body.type)
    else:
        each = f'{{"key": {bound}, "value": "entry"."value"}}'
        kind = t.mapping(body.type, whole.type.of[1])
    return Typed(
        f"CASE WHEN {whole.sql} IS NOT NULL "
        f'THEN map_from_entries(list_transform({entries}, lambda "entry": {each})) END',
        kind,
    )


def _bound(body: str, key: str, value: str) -> str:
    """Give a body the names of a key and a value, as lists of one."""
    inner = f'list_transform(["entry"."value"], lambda {value}: {body})[1]'
    return f'list_transform(["entry"."key"], lambda {key}: {inner})[1]'


@scalar("transform")
def _transform(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, (names, body) = _with_lambda(own, node, given)
    return Typed(f"list_transform({whole.sql}, lambda {names}: {body.sql})", t.array(body.type))


def _with_lambda(own: Expressions, node: exp.Expr, given: Given) -> tuple[Typed, tuple[str, Typed]]:
    if len(given) != 2:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes an array and a lambda.")
    whole = _array(own, node, given[0])
    return whole, own.lambda_(given[1], whole.type.of, node)


def _condition(own: Expressions, node: exp.Expr, given: Given) -> tuple[Typed, str, str]:
    whole, (names, body) = _with_lambda(own, node, given)
    if body.type.name not in ("boolean", "unknown"):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a lambda that gives a boolean, not {body.type}.")
    return whole, names, body.sql


@scalar("filter")
def _filter(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, names, body = _condition(own, node, given)
    return Typed(f"list_filter({whole.sql}, lambda {names}: {body})", whole.type)


@scalar("any_match", "all_match", "none_match")
def _any_match(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, names, body = _condition(own, node, given)
    found = f"list_transform({whole.sql}, lambda {names}: {body})"
    decisive, otherwise = {
        "any_match": ("true", "true"),
        "all_match": ("false", "false"),
        "none_match": ("true", "false"),
    }[name_of(node)]
    rest = "false" if name_of(node) == "any_match" else "true"
    return Typed(
        f"CASE WHEN {whole.sql} IS NULL THEN NULL WHEN list_contains({found}, {decisive}) THEN {otherwise} "
        f"WHEN len(list_filter({found}, lambda said: said IS NULL)) > 0 THEN NULL ELSE {rest} END",
        t.BOOLEAN,
    )


@scalar("reduce")
def _reduce(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 4 or not isinstance(given[1], Typed):
        raise own.refuse(node, "wrong-types", "reduce takes an array, a first value and two lambdas.")
    whole, first = _array(own, node, given[0]), given[1]
    kind = first.type
    names, body = own.lambda_(given[2], [kind, whole.type.of[0]], node)
    wider = own.common_type(node, [first, body], "reduce")
    if wider != kind:
        kind = wider
        names, body = own.lambda_(given[2], [kind, whole.type.of[0]], node)
    if t.common(kind, whole.type.of[0]) != kind:
        raise own.refuse(node, "not-offered", "reduce takes elements and a first value of one type here: cast them.")
    end_name, end = own.lambda_(given[3], [kind], node)
    elements = f"CAST({whole.sql} AS {t.in_duckdb(t.array(kind))})"
    step = f"CAST({body.sql} AS {t.in_duckdb(kind)})"
    reduced = f"list_reduce({elements}, lambda {names}: {step}, {own.as_type(node, first, kind)})"
    return Typed(
        f"CASE WHEN {whole.sql} IS NOT NULL THEN list_transform([{reduced}], lambda {end_name}: {end.sql})[1] END",
        end.type,
    )


@scalar("zip")
def _zip(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = [_array(own, node, each) for each in given]
    if not 2 <= len(found) <= 5:
        raise own.refuse(node, "wrong-types", "zip takes 2 to 5 arrays.")
    names = tuple(f"field{number}" for number in range(len(found)))
    kind = t.row(names, tuple(each.type.of[0] for each in found))
    absent = " OR ".join(f"{each.sql} IS NULL" for each in found)
    zipped = f"CAST(list_zip({', '.join(each.sql for each in found)}) AS {t.in_duckdb(t.array(kind))})"
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE {zipped} END", t.array(kind))


@scalar("zip_with")
def _zip_with(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        raise own.refuse(node, "wrong-types", "zip_with takes two arrays and a lambda.")
    one, other = _array(own, node, given[0]), _array(own, node, given[1])
    _, body = own.lambda_(given[2], [one.type.of[0], other.type.of[0]], node)
    names = given[2].names if isinstance(given[2], Lambda) else []
    size = f"greatest(len({one.sql}), len({other.sql}))"
    inner = f'list_transform([{other.sql}["place"]], lambda {named(names[1])}: {body.sql})[1]'
    each = f'list_transform([{one.sql}["place"]], lambda {named(names[0])}: {inner})[1]'
    return Typed(
        f"CASE WHEN {one.sql} IS NULL OR {other.sql} IS NULL THEN NULL "
        f'ELSE list_transform(range(1, {size} + 1), lambda "place": {each}) END',
        t.array(body.type),
    )


@scalar("array_join")
def _array_join(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    whole = _array(own, node, found[0])
    text = cast('"each"', whole.type.of[0], t.VARCHAR, own.fail)
    if text is None:
        raise own.refuse(node, "not-offered", f"array_join of {whole.type.of[0]} is not offered: format the elements.")
    between = own.as_type(node, found[1], t.VARCHAR)
    if len(found) == 3:
        text = f"coalesce({text}, {own.as_type(node, found[2], t.VARCHAR)})"
    return Typed(f'coalesce(array_to_string(list_transform({whole.sql}, lambda "each": {text}), {between}), '
                 f"CASE WHEN {whole.sql} IS NOT NULL THEN '' END)", t.VARCHAR)  # fmt: skip


@scalar("sequence")
def _sequence(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    kind = own.common_type(node, found[:2], "sequence")
    begin, end = (own.as_type(node, each, kind) for each in found[:2])
    if t.is_whole(kind) or kind == t.UNKNOWN:
        begin, end = (own.as_type(node, each, t.BIGINT) for each in found[:2])
        step = own.as_type(node, found[2], t.BIGINT) if found[2:] else f"CASE WHEN {begin} <= {end} THEN 1 ELSE -1 END"
        wrong = own.fail("The step of a sequence leads from its start to its end")
        away = f"{step} = 0 OR ({begin} < {end} AND {step} < 0) OR ({begin} > {end} AND {step} > 0)"
        made = f"generate_series({begin}, {end}, {step})"
        made = _limited(own, f"abs({end} - {begin}) // abs({step})", made)
        return Typed(f"CASE WHEN {away} THEN {wrong} ELSE {made} END" if found[2:] else made, t.array(t.BIGINT))
    if kind.name not in t.MOMENTS or kind.zone not in ("", t.UTC):
        raise own.refuse(node, "wrong-types", f"sequence takes whole numbers, dates or times, not {kind}.")
    if (found[2:] and not found[2].type.name.startswith("interval")) or (kind.name != "date" and not found[2:]):
        raise own.refuse(node, "wrong-types", "sequence takes an interval as its step, such as INTERVAL '1' DAY.")
    step = found[2].sql if found[2:] else f"CASE WHEN {begin} <= {end} THEN INTERVAL 1 DAY ELSE INTERVAL (-1) DAY END"
    start, last = local(begin, kind), local(end, kind)
    if found[2:] and found[2].type == t.MONTHS:  # each from the start: 31 January, 29 February, 31 March
        size = intervals.months(step)
        away = f"{size} = 0 OR ({start} < {last} AND {size} < 0) OR ({start} > {last} AND {size} > 0)"
        number = f"{_months_between(start, last, 1)} // {size}"
        each = f"{start} + to_months(CAST(\"each\" * {size} AS INTEGER))"
        made = _limited(own, number, f'list_transform(range({number} + 1), lambda "each": {placed(each, kind)})')
        wrong = own.fail("The step of a sequence leads from its start to its end")
        return Typed(f"CASE WHEN {away} THEN {wrong} ELSE {made} END", t.array(kind))
    made = f"generate_series({start}, {last}, {step})"
    size, whole = f"epoch_us({start} + {step}) - epoch_us({start})", f"epoch_us({last}) - epoch_us({start})"
    made = _limited(own, f"abs({whole}) // nullif(abs({size}), 0)", made)
    if found[2:]:
        away = f"{size} = 0 OR ({start} < {last} AND {size} < 0) OR ({start} > {last} AND {size} > 0)"
        wrong = own.fail("The step of a sequence leads from its start to its end")
        made = f"CASE WHEN {away} THEN {wrong} ELSE {made} END"
    return Typed(f'list_transform({made}, lambda "each": {placed(chr(34) + "each" + chr(34), kind)})', t.array(kind))


def _limited(own: Expressions, steps: str, made: str) -> str:
    """Write a sequence of at most `MOST_OF_SEQUENCE` values."""
    wrong = own.fail(f"A sequence has at most {MOST_OF_SEQUENCE} values")
    return f"CASE WHEN {steps} >= {MOST_OF_SEQUENCE} THEN {wrong} ELSE {made} END"


@scalar("json_format")
def _json_format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if found.type != t.JSON:
        raise own.refuse(node, "wrong-types", f"json_format takes json, not {found.type}: use json_parse.")
    wrong = own.fail("No page says the order of names in an object: use json_extract_scalar")
    return Typed(
        f"CASE WHEN contains(CAST({found.sql} AS VARCHAR), '{{') THEN {wrong} "
        f"ELSE CAST(json({found.sql}) AS VARCHAR) END",
        t.VARCHAR,
    )


# Aggregates -----------------------------------------------------------------------------------------------------------
TO_TABLE: Final = Typed("", t.UNKNOWN)


@aggregate("sum")
def _sum(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    if found.type.name != "decimal":
        return TO_TABLE
    kind = t.decimal(38, found.type.scale)
    return Typed(f"CAST(sum(@{found.sql})~ AS {t.in_duckdb(kind)})", kind)


@aggregate("max", "min")
def _max(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    if len(found) == 2 or found[0].type.name not in ("real", "double"):
        return TO_TABLE
    # NaN is the answer only where there is nothing else; DuckDB takes it as the largest number.
    name, number = name_of(node), found[0]
    numbers = f"{name}(CASE WHEN NOT isnan({number.sql}) THEN {number.sql} END)~"
    return Typed(f"coalesce({numbers}, {name}({number.sql})~)", number.type)


@aggregate("avg")
def _avg(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    if found.type == t.REAL:
        return Typed(f"CAST(avg(@CAST({found.sql} AS DOUBLE))~ AS FLOAT)", t.REAL)
    if found.type.name != "decimal":
        return TO_TABLE
    digits, scale = found.type.digits, found.type.scale
    total, count = f"CAST(sum(@{found.sql})~ AS DECIMAL(38, {scale}))", f"count(@{found.sql})~"
    return Typed(_mean(total, count, digits, scale), found.type)


def _mean(total: str, count: str, digits: int, scale: int) -> str:
    above = f"CAST({total} * CAST(1{'0' * scale} AS DECIMAL({scale + 1}, 0)) AS HUGEINT)"
    whole = f"((abs({above}) + {count} // 2) // nullif({count}, 0) * CASE WHEN {above} < 0 THEN -1 ELSE 1 END)"
    return shifted(whole, scale, digits)


@aggregate("approx_percentile")
def _approx_percentile(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 4)
    if len(found) > 2:
        raise own.refuse(node, "not-offered", "Weights and accuracies of approx_percentile are not offered.")
    number, share = _number(own, node, found[0]), found[1]
    kind = (
        number.type
        if number.type.name in ("real", "double", "bigint")
        else t.BIGINT
        if t.is_whole(number.type)
        else t.DOUBLE
    )
    written = own.as_type(node, number, kind)
    shares = share.type.of[0] if share.type.name == "array" else share.type
    if not t.is_number(shares):
        raise own.refuse(node, "wrong-types", "A percentage is a number from 0 to 1.")
    if share.type.name == "array":
        return Typed(f"quantile_disc({written}, {own.as_type(node, share, t.array(t.DOUBLE))})~", t.array(kind))
    return Typed(f"quantile_disc({written}, {own.as_type(node, share, t.DOUBLE)})~", kind)


@aggregate("max_by", "min_by")
def _max_by(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        return TO_TABLE
    value, key, number = values(own, node, given, 3, 3)
    name = "arg_max" if name_of(node) == "max_by" else "arg_min"
    return Typed(f"{name}({value.sql}, {key.sql}, {own.as_type(node, number, t.BIGINT)})~", t.array(value.type))


@aggregate("map_agg")
def _map_agg(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    key, value = values(own, node, given, 2, 2)
    entry = f'{{"k": {own.as_type(node, key, key.type)}, "v": {own.as_type(node, value, value.type)}}}'
    return Typed(
        f'map_from_entries(list_filter(list({entry})~, lambda "each": "each"."k" IS NOT NULL))',
        t.mapping(key.type, value.type),
    )


@aggregate("grouping")
def _grouping(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 31)
    return Typed(f"CAST(grouping({', '.join(each.sql for each in found)}) AS BIGINT)~", t.BIGINT)
