"""Regular expressions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from exports.engine.dialect import patterns
from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.types import quoted


def _expression(own: Expressions, node: exp.Expr, found: Sequence[Typed], *, group: int = 0) -> tuple[str, str, str]:
    """Return the text, the regular expression as SQL, and the regular expression."""
    pattern = own.pattern(node, found[1], "regular_expression")
    if group > patterns.groups(pattern):
        raise own.refuse(node, "bad-value", f"The pattern has {patterns.groups(pattern)} groups, not {group}.")
    if group and patterns.may_be_absent(pattern):
        detail = "A group that may have no part in a match gives null in Athena and an empty text here: take group 0."
        raise own.refuse(node, "not-the-same", detail)
    text = own.as_type(node, found[0], t.VARCHAR)
    if patterns.of_ascii(pattern):
        wrong = own.fail(r"\w, \d, \s and \b take letters of ASCII here: write the letters in brackets")
        # Java's \s also matches a vertical tab.
        text = f"CASE WHEN strlen({text}) <> length({text}) OR contains({text}, chr(11)) THEN {wrong} ELSE {text} END"
    return text, quoted(pattern), pattern


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


@scalar("regexp_position")
def _regexp_position(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    text, pattern, plain = _expression(own, node, values(own, node, given, 2, 2))
    before = f"regexp_extract({text}, {quoted(f'^(?s:(.*?))(?:{plain})')}, 1)"
    found = f"CASE WHEN regexp_matches({text}, {pattern}) THEN length({before}) + 1 WHEN {text} IS NOT NULL THEN -1 END"
    return Typed(f"CAST({found} AS BIGINT)", t.BIGINT)


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
    replaced = f"regexp_replace({text}, {pattern}, {quoted(instead)}, 'g')"
    if plain in patterns.OF_NO_WIDTH:
        return Typed(replaced, t.VARCHAR)
    # After a match, Java also replaces the empty text behind it.
    wrong = own.fail("regexp_replace takes a pattern here that does not match the empty text")
    return Typed(f"CASE WHEN regexp_matches('', {pattern}) THEN {wrong} ELSE {replaced} END", t.VARCHAR)
