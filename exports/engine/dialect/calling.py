"""Write function calls, from the table of functions or by a special writer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final

from sqlglot import exp

from exports.engine.dialect import patterns
from exports.engine.dialect import types as t
from exports.engine.dialect.calls import AGGREGATES, NOT_OFFERED, REFUSED, SCALARS, WINDOWS, Call
from exports.engine.dialect.casting import Casting
from exports.engine.dialect.casts import local
from exports.engine.dialect.patterns import PatternError
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.types import Type, common, quoted
from exports.engine.errors import QueryError

EXTRACTED: Final = frozenset(
    [
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "dow",
        "day_of_year",
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
        "timezone_hour",
        "timezone_minute",
    ]
)


Special = Callable[[Any, exp.Expr, "list[Typed | Lambda]"], Typed]


class Calling(Casting):
    """Writes calls."""

    specials: Final[dict[str, Special]] = {}
    aggregates: Final[dict[str, Special]] = {}

    def _write_extract(self, node: exp.Expr) -> Typed:
        part = node.this.name.lower()
        if part not in EXTRACTED:
            near = get_close_matches(part, sorted(EXTRACTED), n=3)
            raise self.refuse(node, "unknown-name", f"extract knows no {part[:40]}.", near)
        return self.call(node, part, [self.write(node.args["expression"])])

    def _write_trim(self, node: exp.Expr) -> Typed:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        whole = self.write(node.this)
        if node.args.get("expression") is None:
            return self.call(node, name, [whole])
        letters = self.as_type(node, self.write(node.args["expression"]), t.VARCHAR)
        return Typed(f"{name}({self.as_type(node, whole, t.VARCHAR)}, {letters})", t.VARCHAR)

    def _write_strposition(self, node: exp.Expr) -> Typed:
        return self.call(node, "strpos", [self.write(node.this), self.write(node.args["substr"])])

    def _write_substring(self, node: exp.Expr) -> Typed:
        given = [node.this, node.args.get("start"), node.args.get("length")]
        return self.call(node, "substr", [self.write(each) for each in given if each is not None])

    def _write_attimezone(self, node: exp.Expr) -> Typed:
        return self.call(node, "at_timezone", [self.write(node.this), self.write(node.args["zone"])])

    def _write_parsejson(self, node: exp.Expr) -> Typed:
        return self.call(node, "json_parse", [self.write(node.this)])

    def _write_currentuser(self, node: exp.Expr) -> Typed:
        raise self.refuse(node, "forbidden-function", "The function current_user is not available.")

    def _write_currenttimestamp(self, node: exp.Expr) -> Typed:
        if node.this is not None:
            raise self.refuse(node, "not-offered", "current_timestamp has 3 digits of a second here.")
        return self.call(node, "now", [])

    def call(self, node: exp.Expr, name: str, arguments: Sequence[Typed | Lambda]) -> Typed:
        """Write a call of a function."""
        if name in self.specials:
            return self.specials[name](self, node, list(arguments))
        if name not in SCALARS:
            raise self.unknown_function(node, name)
        if any(isinstance(each, Lambda) for each in arguments):
            raise self.refuse(node, "wrong-types", f"{name} takes no lambda.")
        given = [each for each in arguments if isinstance(each, Typed)]
        form, bound = self.form(node, SCALARS[name], given)
        return Typed(self.filled(form, self.arguments(node, form, given, bound)), self.named_type(form.gives, bound))

    def unknown_function(self, node: exp.Expr, name: str) -> QueryError:
        """Return the error for a function that is not offered."""
        if name in REFUSED:
            return self.refuse(node, "not-the-same", f"The function {name} is not offered: {REFUSED[name]}.")
        if name in NOT_OFFERED:
            return self.refuse(node, "not-offered", f"Athena's function {name} is not offered here.")
        near = get_close_matches(name[:100], offered(), n=3)
        hint = f" Did you mean {near[0]}?" if near else ""
        return self.refuse(
            node, "unknown-name", f"There is no function {name[:100]} in Athena's dialect here.{hint}", near
        )

    def form(self, node: exp.Expr, forms: Sequence[Call], given: Sequence[Typed]) -> tuple[Call, dict[str, Type]]:
        """Return the signature that takes these arguments, with the types bound to its variables."""
        for form in sorted(forms, key=lambda each: -self._exact(each, given)):
            bound = self._bound(form, given)
            if bound is not None:
                return form, bound
        takes = "; ".join(f"{each.name}({', '.join(each.takes)}) -> {each.gives}" for each in forms[:6]).upper()
        takes = re.sub(rf"\b{forms[0].name.upper()}\(", f"{forms[0].name}(", takes)
        has = ", ".join(str(each.type) for each in given)
        raise self.refuse(node, "wrong-types", f"{forms[0].name} does not take ({has}). There is: {takes}.")

    @staticmethod
    def _exact(form: Call, given: Sequence[Typed]) -> int:
        return sum(wanted == str(each.type) for wanted, each in zip(form.takes, given, strict=False))

    def _bound(self, form: Call, given: Sequence[Typed]) -> dict[str, Type] | None:
        if len(form.takes) != len(given):
            return None
        bound: dict[str, Type] = {}
        for wanted, each in zip(form.takes, given, strict=True):
            if not _binds(wanted, each.type, bound):
                return None
        return bound

    def arguments(self, node: exp.Expr, form: Call, given: Sequence[Typed], bound: dict[str, Type]) -> list[str]:
        """Write the arguments as the types of a signature."""
        written = []
        for wanted, each in zip(form.takes, given, strict=True):
            if wanted in ("moment", "time"):
                written.append(local(each.sql, each.type) if each.type != t.UNKNOWN else "CAST(NULL AS TIMESTAMP)")
            elif wanted == "instant":
                written.append(local(each.sql, replace(each.type, zone=t.UTC if each.type.zone else "")))
            elif wanted == "path":
                written.append(quoted(self.pattern(node, each, "json_path")))
            elif wanted == "orderable":
                written.append(each.sql)
            else:
                written.append(self.as_type(node, each, self.named_type(wanted, bound)))
        return written

    def pattern(self, node: exp.Expr, given: Typed | Lambda, reader: str) -> str:
        """Return a constant pattern, converted by a function of `patterns`."""

        if not isinstance(given, Typed) or given.constant is None or given.type != t.VARCHAR:
            raise self.refuse(node, "not-offered", "The pattern is a text written in the query here, not a column.")
        try:
            return str(getattr(patterns, reader)(given.constant))
        except PatternError as error:
            raise self.refuse(node, "not-offered", f"The pattern part {error} is not offered here.") from None

    def named_type(self, name: str, bound: dict[str, Type]) -> Type:
        """Return the type with a name from the table of functions."""
        if name in bound:
            return bound[name]
        if name.startswith("array("):
            return t.array(self.named_type(name[6:-1], bound))
        if name.startswith("map("):
            key, value = name[4:-1].split(",", 1)
            return t.mapping(self.named_type(key, bound), self.named_type(value, bound))
        if name == "timestamp(3) with time zone":
            return t.zoned(3)
        return Type(name)

    def filled(self, form: Call, arguments: Sequence[str]) -> str:
        """Fill a template."""

        def part(found: re.Match[str]) -> str:
            return arguments[int(found[1])] if found[1] else self.fail(found[2])

        # One pass, so that placeholders inside arguments are not replaced.
        return re.sub(r"\$(\d)|FAIL\(([^)]*)\)", part, form.template)


def _binds(wanted: str, kind: Type, bound: dict[str, Type]) -> bool:
    """Return whether a type matches a type name of the table; bind its variables."""
    if wanted in ("T", "K", "V"):
        found = common(bound.get(wanted, t.UNKNOWN), kind)
        if found is None:
            return False
        bound[wanted] = found
        return True
    if wanted == "orderable":
        return True
    if wanted == "moment":
        return kind.name in (*t.MOMENTS, "unknown")
    if wanted in ("time", "instant"):
        return kind.name in (*t.MOMENTS[1:], "unknown") or (wanted == "instant" and kind.name == "date")
    if wanted == "path":
        return kind.name == "varchar"
    if wanted.startswith("array("):
        if kind.name == "unknown":
            return _binds(wanted[6:-1], t.UNKNOWN, bound)
        return kind.name == "array" and _binds(wanted[6:-1], kind.of[0], bound)
    if wanted.startswith("map("):
        key, value = wanted[4:-1].split(",", 1)
        return kind.name == "map" and _binds(key, kind.of[0], bound) and _binds(value, kind.of[1], bound)
    return t.becomes(kind, Type(wanted))


def offered() -> list[str]:
    """Return the names of all offered functions."""
    own = {"coalesce", "nullif", "if", "try", "cast", "try_cast", "extract", "position", "substring", "listagg"}
    return sorted({*SCALARS, *AGGREGATES, *WINDOWS, *Calling.specials, *Calling.aggregates, *own})
