"""A deployment's lake and ledger with two released days, for tests of what readers see."""

import copy
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import transaction
from django.test import override_settings

from exports.models import Release, Step
from exports.policy.draw import Drawn, draw
from exports.policy.fit import Fitted, fit
from exports.release.closed_days import release_day
from tests.exports.policy.factories import a_day_of, tables

FIRST: Final = dt.date(2020, 10, 14)
SECOND: Final = dt.date(2020, 10, 15)
ANNOUNCED: Final = dt.datetime(2020, 10, 18, 5, 0, tzinfo=dt.UTC)
SIZE: Final = 3000
BUDGET: Final = 4.0


@dataclass(frozen=True)
class ReleasedLake:
    """The URLs of a lake, and its rows of the ledger."""

    url: str
    catalogue: str
    releases: tuple[Release, ...]

    def rows(self) -> list[Release]:
        """Return unsaved copies of the ledger's rows."""
        return [copy.copy(release) for release in self.releases]

    def release(self, day: dt.date) -> Release:
        """Return the ledger's row of a day."""
        return {release.day: release for release in self.releases}[day]

    def fitted(self, day: dt.date) -> Fitted:
        """Return the released counts of a day."""
        return fit(Drawn.from_bytes(bytes(self.release(day).drawn or b"")))


def released_lake(folder: Path, catalogue: str) -> ReleasedLake:
    """Release two drawn days through the real steps; the rows themselves are rolled back."""
    url = (folder / "lake").as_uri()
    with override_settings(LAKE_URL=url, LAKE_CATALOGUE_URL=catalogue), transaction.atomic():
        made = tuple(announce(day, now=ANNOUNCED + (day - FIRST)) for day in (FIRST, SECOND))
        transaction.set_rollback(True)
    return ReleasedLake(url, catalogue, made)


def announce(day: dt.date, *, now: dt.datetime, size: int = SIZE, seed: int | None = None) -> Release:
    """Draw a day of about `size` passes and take it through the steps after the draw."""
    counts = a_day_of(size, seed=day.toordinal() if seed is None else seed)
    drawn = draw(day=day, counts=counts, tables=tables(), budget=BUDGET)
    Release.objects.create(
        day=day, step=Step.DRAWN, budget=BUDGET, epsilon=drawn.epsilon, drawn=drawn.to_bytes(), drawn_at=now
    )
    return release_day(day=day, now=now)
