"""Find places by cost, by whether they are open and by whether they fit, on top of `venues.finding`.

The database orders and limits by name and distance. Cost, opening and fit are computed, so at most `MOST_WEIGHED`
places, the first by distance or name, are examined for them, and a result says if there were more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from risk.crowd.parameters import parameters_in_force
from risk.model.shield import BUDGETS
from risk.scouting.cards import fits_profile
from risk.scouting.glances import Glance, glances_of
from venues import finding
from venues.finding import Wanted
from venues.models import Venue
from venues.selectors import FoundVenue, with_distances

MOST_WEIGHED: Final = 2000
SORTS: Final = ("name", "distance", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A search. ``open`` and ``fits``: only places for which this is true, or false, now; `None` for all."""

    wanted: Wanted = field(default_factory=Wanted)
    profile: str = "standard"
    open: bool | None = None
    fits: bool | None = None
    by_cost: bool = False

    @property
    def weighs(self) -> bool:
        """Return whether places have to be examined one by one."""
        return self.by_cost or self.open is not None or self.fits is not None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the results. ``total``: number of all, if requested. ``cut``: whether more were not examined."""

    found: list[FoundVenue]
    more: bool
    total: int | None = None
    cut: bool = False


def search(question: Question, *, offset: int, count: int, now: dt.datetime, total: bool = False) -> Page:
    """Return listed open places, verified ones first, then by cost, distance or name."""
    if question.weighs:
        return _weighed(question, offset, count, now)
    wanted = question.wanted
    rows = finding.page(wanted, offset=offset, count=count + 1)
    found = with_distances(wanted, rows[:count])
    return Page(found, len(rows) > count, finding.count(wanted) if total else None)


def _weighed(question: Question, offset: int, count: int, now: dt.datetime) -> Page:
    matching = finding.matching(question.wanted)
    if matching is None:
        return Page([], more=False, total=0)
    rows = finding.ordered(matching, question.wanted).values_list("pk", "organisation__verified_at")
    verified = {pk: at is not None for pk, at in rows[: MOST_WEIGHED + 1]}
    cut = len(verified) > MOST_WEIGHED
    pks = _fitting(list(verified)[:MOST_WEIGHED], verified, question, now)
    part = pks[offset : offset + count]
    venues = Venue.objects.select_related("organisation", "requirements").in_bulk(part)
    found = with_distances(question.wanted, [venues[pk] for pk in part if pk in venues])
    return Page(found, len(pks) > offset + count, len(pks), cut)


def _fitting(pks: Sequence[int], verified: dict[int, bool], question: Question, now: dt.datetime) -> list[int]:
    """Return the places that are open and fit as requested, in their order or by cost."""
    budget = BUDGETS[question.profile]
    glances = {one.pk: one for one in glances_of(pks, parameters=parameters_in_force(), budget=budget, now=now)}

    def wanted(one: Glance) -> bool:
        fits = fits_profile(one.points)
        return (question.open is None or one.open is question.open) and (question.fits is None or fits is question.fits)

    kept = [pk for pk in pks if pk in glances and wanted(glances[pk])]
    return sorted(kept, key=lambda pk: (not verified[pk], glances[pk].points)) if question.by_cost else kept
