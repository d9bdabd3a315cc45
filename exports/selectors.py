"""Selectors on the ledger: which releases exist, and what readers see of each."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain, pairwise
from operator import or_
from typing import Any, Final

from django.db.models import Max, Q, QuerySet

from exports.models import FIRST_DAY, Release, Step, VerifiedDay

MOST_MISSING: Final = 400
LONGEST_GAP: Final = 90
"""Days without a release after which a deployment counts as out of service, not as missing days; our choice."""
# A day of the verified tier is retried this often without an operator.
VERIFIED_TRIES: Final = 5
# Releases whose rows are read from the database at once.
READ_AT_ONCE: Final = 30
_SUMMED: Final = ("rows", "rows_without_zip", "rows_of_unknown_zip")


class UnknownReleaseError(LookupError):
    """There is no announced release of that day."""


@dataclass(frozen=True)
class TablesAt:
    """The open tables as of one release, and their newest day; neither exists before the first release."""

    release: Release | None
    as_of: dt.date | None

    @property
    def snapshots(self) -> dict[str, Any]:
        """Return the snapshot of each table, by name."""
        return dict(self.release.snapshots) if self.release else {}

    def tag(self, *asked: str) -> str:
        """Return the ETag of a response that depends only on these tables and on `asked`."""
        from common.web.etag import entity_tag  # loads the web framework, which commands do not need

        return entity_tag([sorted(self.snapshots.items()), *asked])


def announced() -> QuerySet[Release]:
    """Return announced releases, newest day first, without their drawn counts and signals."""
    return Release.objects.filter(step=Step.ANNOUNCED).defer("drawn", "signals").order_by("-day")


def covered_days(releases: Iterable[Release]) -> set[dt.date]:
    """Return the days that releases cover: a day, or all days of a week."""
    return {release.day - dt.timedelta(days=back) for release in releases for back in range(release.days)}


def release_of(day: dt.date) -> Release:
    """Return the announced release of a day; raise `UnknownReleaseError`."""
    release = announced().filter(day=day).first()
    if release is None:
        raise UnknownReleaseError(f"there is no release of {day}")
    return release


def tables_at(as_of: dt.date | None = None) -> TablesAt:
    """Return the current tables, or those as of the release of the day `as_of`; raise `UnknownReleaseError`.

    Releases count in the order of their announcement: a late release of an earlier day sees the later days too.
    """
    release = announced().order_by("-number").first() if as_of is None else release_of(as_of)
    return TablesAt(release, seen_by(release).aggregate(day=Max("day"))["day"] if release else None)


def tables_of(number: int) -> TablesAt:
    """Return the tables as of the release of that number; raise `UnknownReleaseError`."""
    release = announced().filter(number=number).first()
    if release is None:
        raise UnknownReleaseError(f"there is no release {number}")
    return tables_at(release.day)


def tables_on(day: dt.date | None) -> TablesAt:
    """Return the tables as of the newest release of `day` or before; without a day, the current ones."""
    if day is None:
        return tables_at()
    release = announced().filter(day__lte=day).first()
    return tables_at(release.day) if release else TablesAt(None, None)


def seen_by(release: Release) -> QuerySet[Release]:
    """Return the releases whose rows the tables held when `release` was announced."""
    return announced().filter(number__lte=release.number)


@dataclass(frozen=True)
class Coverage:
    """The days that the tables hold, their total cost for one secret, and their rows."""

    first_day: dt.date | None
    last_day: dt.date | None
    days: int
    missing_days: list[dt.date]
    epsilon: float
    rows: int
    rows_without_zip: int
    rows_of_unknown_zip: int


def coverage_of(at: TablesAt) -> Coverage:
    """Return what the tables cover."""
    held = list(seen_by(at.release).only("day", "days", "epsilon", "manifest").order_by("day")) if at.release else []
    days = sorted(covered_days(held))
    return Coverage(
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        days=len(days),
        missing_days=list(_between(days))[:MOST_MISSING],
        # In a week that is drawn as one, a secret costs the budget on each of its days.
        epsilon=sum((release.epsilon or 0.0) * release.days for release in held),
        **{name: sum(release.manifest.get(name, 0) for release in held) for name in _SUMMED},
    )


def _between(days: list[dt.date]) -> Iterator[dt.date]:
    """Yield the days missing between the first and the last of sorted `days`, except times out of service."""
    for before, after in pairwise(days):
        if (after - before).days > LONGEST_GAP:
            continue
        yield from (before + dt.timedelta(days=number) for number in range(1, (after - before).days))


Ranges = tuple[tuple[dt.date, dt.date], ...]
EVER: Final[Ranges] = ((dt.date.min, dt.date.max),)


def with_days_of(releases: QuerySet[Release], ranges: Ranges) -> QuerySet[Release]:
    """Return the releases with a day in one of these ranges, both ends included; a week has seven."""
    overlap = [Q(first__lte=last, day__gte=first) for first, last in ranges]
    return releases.alias(first=FIRST_DAY).filter(reduce(or_, overlap))


def daily_rows(at: TablesAt, ranges: Ranges = EVER) -> Iterator[list[Any]]:
    """Return the rows of the table `daily_by_state` of releases with a day in these ranges, oldest first."""
    if at.release is None:
        return iter(())
    held = with_days_of(seen_by(at.release), ranges).order_by("day").values_list("daily", flat=True)
    return chain.from_iterable(held.iterator(chunk_size=READ_AT_ONCE))


def with_rows_of(states: Iterable[str]) -> list[int]:
    """Return primary keys of announced releases that have rows of one of these states, given by code."""
    wanted = set(states)
    found = announced().values_list("pk", "daily")
    return [pk for pk, rows in found if any(row[1] in wanted for row in rows)]


def daily_signals(at: TablesAt, *, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, list[list[Any]]]]:
    """Return day and stored signals of each release of these days, oldest first."""
    if at.release is None:
        return iter(())
    return (
        seen_by(at.release)
        .filter(day__range=(first, last))
        .order_by("day")
        .values_list("day", "signals")
        .iterator(chunk_size=READ_AT_ONCE)
    )


def verified_failures() -> list[str]:
    """Return a line for each day whose verified rows are unpublished: step, kind of error, and what to do."""
    waits, given_up = "; tried again tonight", "; tried %d times: mend the cause, then `manage.py release --date %s`"
    rows = VerifiedDay.objects.exclude(failure="").exclude(step=VerifiedDay.Step.ANNOUNCED).order_by("day")
    return [
        f"{row.day}: {row.failure}" + (given_up % (row.tries, row.day) if row.tries >= VERIFIED_TRIES else waits)
        for row in rows
    ]
