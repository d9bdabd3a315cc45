"""Type expressions by Athena's rules and write them for DuckDB; here, calls of aggregates and window functions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.calling import Calling
from exports.engine.dialect.calls import AGGREGATES, SCALARS, WINDOWS
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.types import named
from exports.engine.dialect.writer import name_of

# Functions that replace a null are refused in `try` for the same reason.
CALLS_OF_NULLS: Final = frozenset({"coalesce", "if", "nullif", "concat_ws", "count", "try", "array_agg"})
# The ends of a frame, in the order in which a frame may start and end at them.
FRAME_ENDS: Final = ("UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING")


def _end_of(bound: str) -> str:
    return bound if bound in FRAME_ENDS else bound.rpartition(" ")[2]


class Expressions(Calling):
    """The writer of a text's expressions."""

    def _write_anonymous(self, node: exp.Expr) -> Typed:
        name = str(node.this).lower()
        if self._trying and name in CALLS_OF_NULLS:
            raise self.refuse(node, "not-the-same", f"In try, {name} is not offered: put try into it.")
        if name == "try":
            return self._try(node)
        if name in WINDOWS and name not in AGGREGATES:
            raise self.refuse(node, "syntax", f"The function {name} takes an OVER clause.")
        if name in AGGREGATES or name in self.aggregates:
            return self.aggregate(node, "")
        if name not in SCALARS and name not in self.specials:
            raise self.unknown_function(node, name)
        arguments: list[Typed | Lambda] = [
            Lambda(each) if isinstance(each, exp.Lambda) else self.write(each) for each in node.expressions
        ]
        return self.call(node, name, arguments)

    def _try(self, node: exp.Expr) -> Typed:
        if len(node.expressions) != 1:
            raise self.refuse(node, "wrong-types", "try takes one expression.")
        self._trying += 1
        try:
            found = self.write(node.expressions[0])
        finally:
            self._trying -= 1
        if node.find(exp.Lambda):
            raise self.refuse(node, "not-offered", "try does not take lambdas: put it into the lambda.")
        return replace(found, sql=f"TRY({found.sql})", constant=None)

    def _write_filter(self, node: exp.Expr) -> Typed:
        return self.aggregate(node.this, self._filter(node))

    def _filter(self, node: exp.Expr) -> str:
        return f" FILTER (WHERE {self.boolean(node.args['expression'].this, 'FILTER')})"

    def _write_ignorenulls(self, node: exp.Expr) -> Typed:
        raise self.refuse(node, "syntax", "IGNORE NULLS needs an OVER clause.")

    def _write_window(self, node: exp.Expr) -> Typed:
        inner, nulls, behind = node.this, "", ""
        if isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls)):
            nulls = " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else ""
            inner = inner.this
        if isinstance(inner, exp.Filter):
            behind, inner = self._filter(inner), inner.this
        self._check_windowed(inner)
        return self.aggregate(inner, behind + " OVER " + self.window(node), nulls=nulls, windowed=True)

    def _check_windowed(self, node: exp.Expr) -> None:
        name, given = name_of(node), node.expressions
        if any(isinstance(each, exp.Distinct) for each in given):
            raise self.refuse(node, "not-offered", "DISTINCT is not offered with OVER, as on Athena.")
        places = {"lag": "an offset of 0 or more", "lead": "an offset of 0 or more", "nth_value": "a place from 1 on"}
        if name in places and given[1:]:
            place_ = self.write(given[1]).constant
            least = 1 if name == "nth_value" else 0
            if place_ is not None and re.fullmatch(r"-?\d+", place_) and int(place_) < least:
                raise self.refuse(node, "bad-value", f"{name} takes {places[name]}.")

    def window(self, node: exp.Expr) -> str:
        """Write a window specification."""
        parts = []
        base = node.args.get("alias")
        if base is not None:
            if not node.args.get("partition_by") and not node.args.get("order") and not node.args.get("spec"):
                return named(base.name)
            parts.append(named(base.name))
        if node.args.get("partition_by"):
            parts.append("PARTITION BY " + ", ".join(self.write(each).sql for each in node.args["partition_by"]))
        if node.args.get("order"):
            parts.append("ORDER BY " + ", ".join(self.ordered(each) for each in node.args["order"].expressions))
        if node.args.get("spec"):
            parts.append(self._frame(node.args["spec"]))
        return f"({' '.join(parts)})"

    def _frame(self, spec: exp.Expr) -> str:
        def bound(value: object, side: object) -> str:
            if isinstance(value, exp.Expr):
                found = self.write(value)
                if not t.is_whole(found.type) and not found.type.name.startswith("interval"):
                    raise self.refuse(value, "wrong-types", "A frame is a number of rows.")
                if found.constant is None or "-" in found.sql:
                    detail = "The offset of a frame is written in the query here, 0 or more."
                    raise self.refuse(value, "bad-value", detail)
                return f"{found.sql} {side}"
            return f"{value} {side}" if side else str(value)

        start = bound(spec.args.get("start"), spec.args.get("start_side"))
        kind = str(spec.args.get("kind") or "ROWS")
        if spec.args.get("exclude") is not None:
            raise self.refuse(spec, "not-offered", "EXCLUDE is not offered.")
        if spec.args.get("end") is None:
            if _end_of(start) in ("FOLLOWING", "UNBOUNDED FOLLOWING"):
                raise self.refuse(spec, "syntax", f"A frame of {start} needs an end: BETWEEN ... AND ...")
            return f"{kind} {start}"
        end = bound(spec.args["end"], spec.args.get("end_side"))
        first, last = FRAME_ENDS.index(_end_of(start)), FRAME_ENDS.index(_end_of(end))
        if first > last or first == len(FRAME_ENDS) - 1 or last == 0:
            raise self.refuse(spec, "syntax", f"A frame does not start at {start} and end at {end}.")
        return f"{kind} BETWEEN {start} AND {end}"

    def ordered(self, node: exp.Expr) -> str:
        """Write one key of an ORDER BY; nulls come last in both directions unless the text says otherwise."""
        found = self.write(node.this)
        if found.type.name in ("map", "json"):
            raise self.refuse(node, "wrong-types", f"Values of type {found.type} have no order.")
        return found.sql + self.direction(node)

    @staticmethod
    def direction(node: exp.Expr) -> str:
        """Write the direction of a key and the place of its nulls."""
        return f"{' DESC' if node.args.get('desc') else ''} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"

    def aggregate(self, node: exp.Expr, behind: str, *, nulls: str = "", windowed: bool = False) -> Typed:
        """Write an aggregate or a window function; `behind` has its FILTER and OVER."""
        if isinstance(node, exp.GroupConcat):
            return self._listagg(node, behind)
        if not isinstance(node, exp.Anonymous):
            raise self.refuse(node, "syntax", "FILTER and OVER follow a function.")
        name = str(node.this).lower()
        given, distinct, order = self._given(node)
        if name == "count" and len(given) == 1 and isinstance(given[0], exp.Star):
            given = []
        if any(isinstance(each, exp.Lambda) for each in given):
            raise self.refuse(node, "not-offered", f"{name} takes no lambda here.")
        values = [self.write(each) for each in given]
        if name in self.aggregates:
            found = self.aggregates[name](self, node, list(values))
            if found.sql:
                return self._marked(node, found, behind, distinct=distinct, order=order, nulls=nulls)
        known = AGGREGATES | WINDOWS if windowed else AGGREGATES
        if name not in known:
            if windowed and (name in SCALARS or name in self.specials):
                raise self.refuse(node, "syntax", f"The function {name} takes no OVER clause.")
            raise self.unknown_function(node, name)
        form, bound = self.form(node, known[name], values)
        if "orderable" in form.takes:
            bound["T"] = values[0].type
            if values[0].type.name in ("map", "json", "row", "array"):
                raise self.refuse(node, "wrong-types", f"{name} takes no {values[0].type}.")
        gives = self.named_type(form.gives, bound)
        template = replace(form, template=form.template.replace("$K", t.in_duckdb(gives)))
        sql = self.filled(template, self.arguments(node, form, values, bound))
        return self._marked(node, Typed(sql, gives), behind, distinct=distinct, order=order, nulls=nulls)

    def _given(self, node: exp.Expr) -> tuple[list[exp.Expr], bool, str]:
        """Return the arguments of an aggregate, whether they are distinct, and their order."""
        given = list(node.expressions)
        order = ""
        if given and isinstance(given[-1], exp.Order):
            last = given.pop()
            order = " ORDER BY " + ", ".join(self.ordered(each) for each in last.expressions)
            given.append(last.this)
        if given and isinstance(given[0], exp.Distinct):
            inner = given[0].expressions
            if len(given) > 1 or len(inner) != 1:
                raise self.refuse(node, "not-offered", "DISTINCT takes one argument here.")
            return [inner[0]], True, order
        return given, False, order

    def _marked(self, node: exp.Expr, found: Typed, behind: str, *, distinct: bool, order: str, nulls: str) -> Typed:
        """Insert DISTINCT, ORDER BY, IGNORE NULLS, FILTER and OVER at their marks in a template, outside of quotes."""
        parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", found.sql)
        marks = {"@": "DISTINCT " if distinct else "", "^": order, "!": nulls, "~": behind}
        own = "".join(parts[::2])
        for mark, said, word in (("@", distinct, "DISTINCT"), ("^", order, "ORDER BY"), ("!", nulls, "IGNORE NULLS")):
            if said and mark not in own:
                if mark == "^" and not order:
                    continue
                if mark in "@^" and str(node.name).lower() in (
                    "min",
                    "max",
                    "bool_and",
                    "bool_or",
                    "every",
                    "any_value",
                ):
                    continue
                raise self.refuse(node, "not-offered", f"{word} is not offered in {str(node.name).lower()}.")
        for number in range(0, len(parts), 2):
            parts[number] = re.sub(r"[@^!](?!=)|(?<!\()~", lambda mark: marks[mark[0]], parts[number])
        return replace(found, sql="".join(parts), constant=None)

    def _listagg(self, node: exp.Expr, behind: str) -> Typed:
        if node.args.get("on_overflow") is not None and node.args["on_overflow"].name.upper() != "ERROR":
            raise self.refuse(node, "not-offered", "ON OVERFLOW TRUNCATE is not offered.")
        inner = node.this
        if not isinstance(inner, exp.Order):
            raise self.refuse(node, "syntax", "listagg takes WITHIN GROUP (ORDER BY ...).")
        distinct = isinstance(inner.this, exp.Distinct)
        value = self.write(inner.this.expressions[0] if distinct else inner.this)
        separator = node.args.get("separator")
        between = self.write(separator) if separator is not None else Typed("''", t.VARCHAR)
        order = ", ".join(self.ordered(each) for each in inner.expressions)
        text = self.as_type(node, value, t.VARCHAR)
        word = "DISTINCT " if distinct else ""
        return Typed(
            f"string_agg({word}{text}, {self.as_type(node, between, t.VARCHAR)} ORDER BY {order}){behind}", t.VARCHAR
        )

    _write_groupconcat = lambda self, node: self._listagg(node, "")  # noqa: E731
