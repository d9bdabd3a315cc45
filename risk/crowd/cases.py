"""Known active cases by region: weekly numbers, and the default where there are none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from common.web.problems import FieldError, Invalid
from risk.models import PublicSignal
from venues import places

OLD: Final = dt.timedelta(weeks=6)
"""Age after which a number no longer describes the present; our choice, about ten generations."""
LONGEST_SOURCE: Final = 120
_NUMBER: Final = ("known_active_per_person", "already_total", "source")


@dataclass(frozen=True, slots=True)
class Signal:
    """Known active cases per person in one region and week.

    An active case is a person whose positive result was reported within the last `classes.KNOWN_ACTIVE_DAYS` days.
    ``already_total``: the number is the share of people who are infectious, including unreported carriers.
    """

    known_active_per_person: float
    already_total: bool
    source: str


@dataclass(frozen=True, slots=True)
class NewSignal:
    """One number to record. ``week`` may be any day of the week."""

    region: str
    week: dt.date
    known_active_per_person: float
    source: str
    already_total: bool = False


def default_signal() -> Signal:
    """Return the number assumed where none is known: the setting `KNOWN_ACTIVE_PER_PERSON`."""
    return Signal(settings.KNOWN_ACTIVE_PER_PERSON, False, "default")


def monday(day: dt.date) -> dt.date:
    """Return the Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def record_public_signals(*, signals: Iterable[NewSignal], now: dt.datetime) -> int:
    """Store numbers of regions and weeks, and return how many were not stored before. A later one replaces an earlier.

    Raise `Invalid`, naming the row, and store nothing if a row is not valid.
    """
    rows: dict[tuple[str, dt.date], PublicSignal] = {}
    errors: list[FieldError] = []
    states = {place.state for place in places.places().values()}
    for at, signal in enumerate(signals):
        errors += _faults(at, signal, states)
        rows[signal.region, monday(signal.week)] = PublicSignal(
            region=signal.region,
            week=monday(signal.week),
            known_active_per_person=signal.known_active_per_person,
            already_total=signal.already_total,
            source=signal.source,
            recorded_at=now,
        )
    if errors:
        raise Invalid(errors=errors)
    stored = PublicSignal.objects.filter(week__in={week for _region, week in rows})
    known = set(stored.values_list("region", "week", *_NUMBER))
    new = [row for key, row in rows.items() if (*key, *(getattr(row, name) for name in _NUMBER)) not in known]
    PublicSignal.objects.bulk_create(
        new,
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["region", "week"],
        update_fields=[*_NUMBER, "recorded_at"],
    )
    return len(new)


def _faults(at: int, signal: NewSignal, states: set[str]) -> list[FieldError]:
    faults = []
    if signal.region not in states and places.places().get(signal.region) is None:
        faults.append(FieldError(f"/{at}/region", _("Neither a state nor three digits of a ZIP code."), "unknown"))
    # NaN fails this comparison as well.
    if not 0.0 <= signal.known_active_per_person <= 1.0:
        faults.append(FieldError(f"/{at}/known_active_per_person", _("A share, from 0 to 1."), "range"))
    if not 0 < len(signal.source) <= LONGEST_SOURCE:
        faults.append(FieldError(f"/{at}/source", _("Say where it comes from, in up to 120 characters."), "length"))
    return faults


_LATEST: Final = """
    SELECT wanted.zip3, wanted.day, found.known_active_per_person, found.already_total, found.source
    FROM unnest(%(zips)s::text[], %(states)s::text[], %(days)s::date[]) AS wanted (zip3, state, day)
    CROSS JOIN LATERAL (
        SELECT signal.known_active_per_person, signal.already_total, signal.source FROM risk_publicsignal AS signal
        WHERE signal.region IN (wanted.zip3, wanted.state)
          AND signal.week <= wanted.day AND signal.week > wanted.day - %(old)s::int
        ORDER BY signal.region = wanted.zip3 DESC, signal.week DESC LIMIT 1
    ) AS found
"""


def signals_of(wanted: Iterable[tuple[str, dt.date]]) -> Mapping[tuple[str, dt.date], Signal]:
    """Return the latest number for each pair of a ZIP code's first three digits and a day.

    It is that of the ZIP area, otherwise of its state, otherwise the default. One statement for any number of pairs.
    """
    pairs = sorted(set(wanted))
    known = [(zip3, day) for zip3, day in pairs if zip3]
    found: dict[tuple[str, dt.date], Signal] = dict.fromkeys(pairs, default_signal())
    if known:
        with connection.cursor() as cursor:
            cursor.execute(
                _LATEST,
                {
                    "zips": [zip3 for zip3, _day in known],
                    "states": [places.state(zip3) or "" for zip3, _day in known],
                    "days": [day for _zip3, day in known],
                    "old": OLD.days,
                },
            )
            for zip3, day, share, total, source in cursor.fetchall():
                found[zip3, day] = Signal(share, total, source)
    return found
