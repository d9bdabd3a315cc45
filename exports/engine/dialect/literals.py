"""Literals: numbers, texts, dates, times and intervals."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.intervals import interval_parts
from exports.engine.dialect.names import Names
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import Type, quoted

INTERVALS: Final = {
    "SECOND": t.DAYS,
    "MINUTE": t.DAYS,
    "HOUR": t.DAYS,
    "DAY": t.DAYS,
    "MONTH": t.MONTHS,
    "YEAR": t.MONTHS,
}


class Literals(Names):
    """The writer of literals."""

    def _write_literal(self, node: exp.Expr) -> Typed:
        text = str(node.this)
        if node.args.get("is_string"):
            return Typed(quoted(text), t.VARCHAR, text)
        if re.fullmatch(r"\d+", text):
            number = int(text)
            if number >= 1 << 63:
                raise self.refuse(node, "bad-value", f"The number {text[:40]} is larger than a bigint.")
            return Typed(str(number), t.INTEGER if number < 1 << 31 else t.BIGINT, text)
        if "e" in text.lower():
            return Typed(f"CAST({quoted(text)} AS DOUBLE)", t.DOUBLE, text)
        whole, _, part = text.partition(".")
        digits = len(whole.lstrip("0")) + len(part)
        if digits > t.MOST_DIGITS:
            raise self.refuse(node, "bad-value", "A decimal has at most 38 digits.")
        kind = t.decimal(digits, len(part))
        return Typed(f"CAST({quoted(text)} AS {t.in_duckdb(kind)})", kind, text)

    def _write_boolean(self, node: exp.Expr) -> Typed:
        return Typed("true" if node.this else "false", t.BOOLEAN)

    def _write_null(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("NULL", t.UNKNOWN)

    def _write_hexstring(self, node: exp.Expr) -> Typed:
        if len(str(node.this)) % 2:
            raise self.refuse(node, "syntax", "A literal of bytes has two digits for each byte, such as X'0F'.")
        return Typed(f"unhex({quoted(str(node.this))})", t.VARBINARY)

    def _write_unicodestring(self, node: exp.Expr) -> Typed:
        if node.args.get("escape") or not re.fullmatch(
            r"([^\\]|\\[0-9A-Fa-f]{4}|\\\+[0-9A-Fa-f]{6}|\\\\)*", str(node.this)
        ):
            raise self.refuse(node, "not-offered", "A text of U& is written with \\0041 or \\+01F600 here.")
        text = re.sub(
            r"\\\\|\\\+([0-9A-Fa-f]{6})|\\([0-9A-Fa-f]{4})",
            lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else "\\",
            str(node.this),
        )
        return Typed(quoted(text), t.VARCHAR, text)

    def _write_paren(self, node: exp.Expr) -> Typed:
        inner = self.write(node.this)
        return replace(inner, sql=f"({inner.sql})")

    def _write_alias(self, node: exp.Expr) -> Typed:
        return self.write(node.this)

    def _write_currentdate(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("current_date", t.DATE)

    def _write_localtimestamp(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("timezone('UTC', date_trunc('milliseconds', now()))", t.timestamp(3))

    def _write_interval(self, node: exp.Expr) -> Typed:
        unit = node.args["unit"].name.upper() if isinstance(node.args.get("unit"), exp.Var) else ""
        value, sign = node.this, ""
        span = node.args.get("unit")
        if isinstance(span, exp.IntervalSpan):
            return self._interval_of_units(node, span)
        if isinstance(value, exp.Neg):
            value, sign = value.this, "-"
        text = str(value.this) if isinstance(value, exp.Literal) and value.args.get("is_string") else ""
        if unit == "SECOND" and (found := re.fullmatch(r"([+-]?)(\d{1,9})\.(\d{1,3})", text)):
            amount = int(found[2]) * 1000 + int(found[3].ljust(3, "0"))
            negative = (found[1] == "-") != (sign == "-")
            return Typed(f"to_milliseconds({-amount if negative else amount})", t.DAYS, unit)
        if unit not in INTERVALS or not re.fullmatch(r"[+-]?\d{1,9}", text):
            raise self.refuse(
                node, "not-offered", "An interval is a whole number of seconds to years, such as INTERVAL '2' DAY."
            )
        return Typed(f"INTERVAL {quoted(sign + text)} {unit}", INTERVALS[unit], "DAY" if unit == "DAY" else unit)

    def _interval_of_units(self, node: exp.Expr, span: exp.Expr) -> Typed:
        """Write an interval of several units, such as INTERVAL '2 03:04' DAY TO MINUTE."""
        first, last = span.this.name.upper(), span.expression.name.upper()
        value, sign = (node.this.this, "-") if isinstance(node.this, exp.Neg) else (node.this, "")
        found = interval_parts(str(value.this), first, last)
        if found is None:
            detail = (
                "An interval of several units is written as INTERVAL '2 03:04' DAY TO MINUTE, or '1-2' YEAR TO MONTH."
            )
            raise self.refuse(node, "bad-value", detail)
        amount = -found if sign else found
        if first == "YEAR":
            return Typed(f"to_months({amount})", t.MONTHS, first)
        return Typed(f"to_milliseconds({amount})", t.DAYS, first)

    def _moment(self, node: exp.Expr, text: str, kind: Type) -> Typed | None:
        """Write a literal date or time; raise `QueryError` for a malformed one."""
        if kind.name == "date":
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise self.refuse(node, "bad-value", "A date is written as DATE '2020-10-15'.")
            return Typed(f"CAST({quoted(text)} AS DATE)", kind)
        if kind.name not in ("timestamp", "timestamp with time zone"):
            return None
        found = re.fullmatch(
            r"(\d{4}-\d{2}-\d{2})(?: ((?:[01]\d|2[0-3]):[0-5]\d)(?::(\d{2})(?:\.(\d{1,6}))?)?)?"
            r"(?: ?([A-Za-z_/]+|[+-]\d{2}:\d{2}))?",
            text,
        )
        zone = found[5] if found else None
        if not found or (zone and kind.name == "timestamp"):
            raise self.refuse(
                node, "bad-value", "A time is written as TIMESTAMP '2020-10-15 00:00:00.000', or followed by UTC."
            )
        moment = f"{found[1]} {found[2] or '00:00'}:{found[3] or '00'}{'.' + found[4] if found[4] else ''}"
        written = f"CAST({quoted(moment)} AS TIMESTAMP)"
        if kind.name == "timestamp":
            return Typed(written, replace(kind, digits=max(kind.digits, len(found[4] or ""))))
        zone = self.zone(node, zone or t.UTC)
        if zone != t.UTC:
            written = f"CAST({quoted(self._in_utc(node, moment, zone))} AS TIMESTAMP)"
        return Typed(f"timezone('UTC', {written})", t.zoned(max(kind.digits, len(found[4] or "")), zone))

    def _in_utc(self, node: exp.Expr, moment: str, zone: str) -> str:
        """Convert a local time to UTC; of two that show the same clock time, take the first."""
        try:
            local_time = dt.datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
            instant = local_time.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self.refuse(node, "bad-value", f"There is no time {moment}.") from None
        if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local_time.replace(tzinfo=None):
            raise self.refuse(node, "bad-value", f"The clock of {zone} never shows {moment}: it was put forward.")
        return instant.replace(tzinfo=None).isoformat(sep=" ")

    def _decimal_literal(self, node: exp.Expr, text: str) -> Typed:
        found = re.fullmatch(r"([+-]?)(\d*)(?:\.(\d*))?", text.strip())
        if not found or not (found[2] or found[3]):
            raise self.refuse(node, "bad-value", "A decimal is written as DECIMAL '10.5'.")
        kind = t.decimal(len(found[2] or "") + len(found[3] or ""), len(found[3] or ""))
        return Typed(f"CAST({quoted(text.strip())} AS {t.in_duckdb(kind)})", kind)

    def zone(self, node: exp.Expr, name: str) -> str:
        """Return a zone by its name; raise `QueryError` for an unknown one."""
        if name in ("UTC", "Z", "+00:00"):
            return t.UTC
        if name not in available_timezones():
            raise self.refuse(
                node, "bad-value", f"There is no time zone {name[:40]}: write a name such as America/New_York."
            )
        return name
