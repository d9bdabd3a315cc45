"""Signals by area and time, in the format of COVIDcast."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from common.web.problems import FieldError, Invalid
from common.web.serializers import Choice, Text, read_query
from exports.api.catalogue import CSV, Dataset
from exports.api.datasets import PUBLIC, DatasetView, streamed_csv
from exports.api.kinds import documented, kind_for
from exports.api.lists import ALL, MOST_CHARACTERS, MOST_ERRORS, listed, one_of, time_range
from exports.api.queries import FormatIsAsked
from exports.api.serializers import AsOfParameters
from exports.dataset.tables import GEO_TYPES, SIGNAL_NAMES, SIGNALS, states_by_zip3
from exports.lake.files import PARQUET
from exports.policy.signals import NATION, Signal, by_week, first_of_week
from exports.selectors import TablesAt, daily_signals, tables_on

FORMATS: Final = ("json", "csv", "parquet")
TIME_TYPES: Final = ("day", "week")
# Rows of a JSON response; a Parquet file can hold all.
MOST_ROWS: Final = 50_000


class SignalsParameters(AsOfParameters):
    """Query parameters of signals; lists are separated by commas, and `*` or nothing means all."""

    geo_type = Choice(GEO_TYPES, required=False, help_text="by itself all")
    geo_values = Text(
        max_length=MOST_CHARACTERS,
        required=False,
        default=ALL,
        help_text="us, state codes such as ma, or 3-digit ZIPs; requires geo_type",
    )
    time_type = Choice(TIME_TYPES, required=False, help_text="day, or week (ISO, Monday to Sunday)")
    time_values = Text(
        max_length=MOST_CHARACTERS,
        required=False,
        default=ALL,
        help_text="days such as 2020-10-15, weeks such as 2020-W42, or ranges such as 2020-10-01--2020-10-16",
    )
    signal = Text(max_length=MOST_CHARACTERS, required=False, default=ALL, help_text=", ".join(SIGNAL_NAMES))
    format = Choice(FORMATS, required=False, default="json")


class SignalOutput(serializers.Serializer[Any]):
    """One value with its error."""

    geo_type = serializers.ChoiceField(GEO_TYPES)
    geo_value = serializers.CharField(allow_blank=True, help_text="empty: of unknown ZIPs")
    time_value = serializers.CharField(help_text="a day, or an ISO week")
    signal = serializers.ChoiceField(SIGNAL_NAMES)
    value = serializers.FloatField(help_text="counted check-ins, unbiased; may be negative")
    stderr = serializers.FloatField(min_value=0)
    sample_size = serializers.IntegerField(min_value=0, help_text="all counted check-ins of this area and time")


class SignalsOutput(serializers.Serializer[Any]):
    """All requested signals."""

    results = SignalOutput(many=True)
    as_of = serializers.DateField(allow_null=True, help_text="newest day in the tables; null before the first release")


@dataclass(frozen=True)
class SignalsRequest:
    """The filters of a request; `None` means everything. Times are ranges of days, both ends included."""

    geo_type: str | None
    geo_values: frozenset[str] | None
    signals: frozenset[str] | None
    weekly: bool
    times: tuple[tuple[dt.date, dt.date], ...]

    def takes_day(self, day: dt.date) -> bool:
        """Return whether a day is requested, or the week that ends on it."""
        return any(first <= day <= last for first, last in self.times)

    def takes(self, row: Signal) -> bool:
        """Return whether a signal of a requested day is requested."""
        return (
            (self.geo_type is None or row.geo_type == self.geo_type)
            and (self.geo_values is None or row.geo_value in self.geo_values)
            and (self.signals is None or row.signal in self.signals)
            and ("W" in row.time_value) is self.weekly
        )


class SignalsView(DatasetView):
    """Signals."""

    content_negotiation_class = FormatIsAsked

    @extend_schema(
        operation_id="signals",
        tags=["dataset"],
        summary="Unbiased counts with standard errors, by area and time",
        parameters=[SignalsParameters],
        responses={
            (200, "application/json"): SignalsOutput,
            (200, CSV): OpenApiTypes.STR,
        }
        | documented(PARQUET),
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Return unbiased counted check-ins with their errors; negative values are kept and none is suppressed.

        Weeks are sums of their days, where all seven are released. With `as_of`, as that day's release left them.
        """
        Dataset.of(request._request, name)
        query = read_query(request, SignalsParameters)
        asked, at = _asked(query), tables_on(query.get("as_of"))
        rows = _rows(at, asked)
        if query["format"] == "csv":
            return streamed_csv(request._request, at, _csv(rows), "signals.csv")
        limit = MOST_ROWS if query["format"] == "json" else None
        held = list(islice(rows, limit))
        if more := limit and sum(1 for _row in rows):
            detail = _("%(rows)d rows are more than an answer as JSON may have; ask for csv or parquet, or for less.")
            raise Invalid.field("?format", detail % {"rows": len(held) + more}, "too_many")
        return _response(request._request, at, held, query["format"])


def _asked(query: dict[str, Any]) -> SignalsRequest:
    """Parse the lists; raise `Invalid` with every wrong value and similar known names."""
    errors: list[FieldError] = []
    geo_type = query.get("geo_type")
    geo_values = listed(query["geo_values"], "?geo_values", _area(geo_type), errors)
    if geo_values is not None and geo_type is None:
        errors.append(FieldError("?geo_type", _("Say of which kind these areas are."), "required"))
    signals = listed(query["signal"], "?signal", one_of(SIGNAL_NAMES), errors)
    times = listed(query["time_values"], "?time_values", time_range, errors)
    weekly = query.get("time_type") == "week"
    if times:
        kinds = {kind for kind, first, last in times}
        weekly = kinds == {"week"} or (weekly and not errors)
        if len(kinds) > 1 or query.get("time_type", *kinds) not in kinds:
            errors.append(FieldError("?time_values", _("Give days or weeks, as time_type says."), "invalid"))
    if errors:
        raise Invalid(errors=errors[:MOST_ERRORS])
    ranges = tuple((first, last) for kind, first, last in times) if times else ((dt.date.min, dt.date.max),)
    return SignalsRequest(geo_type, geo_values, signals, weekly, ranges)


def _area(geo_type: str | None) -> Callable[[str], str]:
    """Return a function that parses an area of this kind. A known area without rows is no error."""
    states = sorted({state.lower() for state in states_by_zip3().values()})
    names = {"nation": (NATION,), "state": states, "zip3": sorted(states_by_zip3())}
    return one_of(names[geo_type]) if geo_type else str


def _rows(at: TablesAt, asked: SignalsRequest) -> Iterator[Signal]:
    """Yield the requested signals, oldest first; at most those of a week are held in memory."""
    from exports.release.signals import rounded

    first, last = min(asked.times)[0], max(last for first, last in asked.times)
    if asked.weekly and first > dt.date.min:
        first = first_of_week(first)
    stored = daily_signals(at, first=first, last=last)
    for _monday, days in groupby(stored, lambda each: first_of_week(each[0])):
        signals = [Signal(day, *line) for day, lines in days if asked.weekly or asked.takes_day(day) for line in lines]
        sums = rounded(by_week([signals])) if asked.weekly else []
        yield from sorted(row for row in chain(signals, sums) if asked.takes_day(row.day) and asked.takes(row))


def _csv(rows: Iterator[Signal]) -> Iterator[bytes]:
    from exports.engine.results import PART_ROWS, csv_parts

    parts = iter(lambda: list(islice(rows, PART_ROWS)), [])
    batches = (batch for part in parts for batch in _table(part).to_batches())
    return csv_parts([name for name in SIGNALS.names if name != "scan_date"], batches)


def _table(rows: Sequence[Signal]) -> Any:
    from exports.release.signals import signals_table

    return signals_table(rows).drop_columns(["scan_date"])


def _response(request: HttpRequest, at: TablesAt, rows: Sequence[Signal], form: str) -> HttpResponse:
    data, kind = _written(at, rows, form)
    tag = at.tag(request.path, hashlib.sha256(data).hexdigest())
    headers = {"ETag": tag, "Cache-Control": PUBLIC, "Vary": "Accept"}
    if tag in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return HttpResponse(status=304, headers=headers)
    if form != "json":
        headers["Content-Disposition"] = f'attachment; filename="signals.{form}"'
    kind = kind_for(request, kind) if kind == PARQUET else kind
    return HttpResponse(data, content_type=kind, headers=headers)


def _written(at: TablesAt, rows: Sequence[Signal], form: str) -> tuple[bytes, str]:
    if form == "json":
        listed = [dict(zip(Signal._fields[1:], row[1:], strict=True)) for row in rows]
        return JSONRenderer().render({"results": listed, "as_of": at.as_of}), "application/json"
    from exports.engine.results import to_parquet

    return to_parquet(_table(rows)), PARQUET
