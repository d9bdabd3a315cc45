"""The parameters of a simulated town."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.pathogens import SARS_COV_2_ANCESTRAL

MOST_VISITORS = 2_000_000
MOST_VENUES = 20_000
MOST_DAYS = 400


class BadPlan(ValueError):
    """The plan cannot be simulated; the text is a sentence."""


def ancestral() -> Parameters:
    """Return the reference profile without adaptation."""
    return Parameters(pathogen=SARS_COV_2_ANCESTRAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TownPlan:
    """The plan of a town; shares are 0-1, our assumptions if no source is given.

    ``visitors``: people who use the app; there are ``visitors / app_share`` people. ``venues``, ``days``, ``seed``.
    ``start``: first calendar day, for weekdays. ``first_infected``: share of people infected in the ten days before the
    first. ``imported_per_day``: probability per day of infection out of town. ``activity``: visits relative to the
    habits of `habits.RATES`. ``staying_home_symptoms``, ``staying_home_diagnosed``: probability per day of staying home
    while ill, or while diagnosed. ``rating_share``: share of visits that are rated. ``checkout_share``: share of visits
    that check out. ``household_per_day``: probability per day that one infectious member of a household of mean load
    infects another, so that over 8 days it amounts to the 17 % of Madewell 2020
    (doi:10.1001/jamanetworkopen.2020.31756). ``all_day``: kinds that never close in this town, and ``night_share``:
    share of arrivals there that are uniform over the day. ``parameters``: the true world; its adaptive factors are the
    truth that estimates should find.
    """

    visitors: int
    venues: int
    days: int
    seed: int
    start: dt.date
    app_share: float = 0.75
    first_infected: float = 0.004
    imported_per_day: float = 0.0002
    activity: float = 1.0
    staying_home_symptoms: float = 0.5
    staying_home_diagnosed: float = 0.85
    rating_share: float = 0.12
    checkout_share: float = 0.9
    household_per_day: float = 0.023
    all_day: tuple[Kind, ...] = ()
    night_share: float = 0.0
    parameters: Parameters = field(default_factory=ancestral)

    def __post_init__(self) -> None:
        for name, value, most in (
            ("visitors", self.visitors, MOST_VISITORS),
            ("venues", self.venues, MOST_VENUES),
            ("days", self.days, MOST_DAYS),
        ):
            if not 1 <= value <= most:
                raise BadPlan(f"The number of {name} must be between 1 and {most}.")
        if self.seed < 0:
            raise BadPlan("The seed must not be negative.")
        shares = (
            self.first_infected,
            self.imported_per_day,
            self.staying_home_symptoms,
            self.staying_home_diagnosed,
            self.rating_share,
            self.checkout_share,
            self.household_per_day,
            self.night_share,
        )
        if not all(0.0 <= share <= 1.0 for share in shares) or not 0.01 <= self.app_share <= 1.0:
            raise BadPlan("Shares must be between 0 and 1.")
        if not 0.0 <= self.activity <= 10.0:
            raise BadPlan("Activity must be between 0 and 10.")

    @property
    def people(self) -> int:
        """Return the number of people, with and without the app."""
        return max(self.visitors, round(self.visitors / self.app_share))
