"""Venue kinds, and the estimate of a venue before anything is known about it: one frozen prior for each kind.

Most ranges are wide on purpose; a venue's volume, measured CO2 and visitors' ratings replace them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from risk.model.constants import ASSUMED, NOT_SEEN, Constant


class Kind(enum.StrEnum):
    """The kind of a venue; its text is the value in the database and the API."""

    SCHOOL = "school"
    MEDICAL = "medical"
    OFFICE = "office"
    MANUFACTURING = "manufacturing"
    RESTAURANT = "restaurant"
    BAR = "bar"
    RETAIL = "retail"
    SUPERMARKET = "supermarket"
    GYM = "gym"
    WORSHIP = "worship"
    THEATRE = "theatre"
    TRANSPORT = "transport"
    HOTEL = "hotel"
    HOME = "home"
    OUTDOORS = "outdoors"
    SPORT = "sport"
    OTHER = "other"


_AIR = "ASHRAE 62.1 outdoor air per person at usual occupancy, halved to doubled" + NOT_SEEN
_ROOM = f"usual floor area per person and ceiling height; {ASSUMED}"


CHILDREN: Final = 0.75
"""Metabolism of children of 6 to 16 years with their teachers, relative to adults at the same activity: 0.0035 to
0.0046 against 0.0052 L/s of CO2, Persily and de Jonge 2017, doi:10.1111/ina.12383 (source not seen)."""


@dataclass(frozen=True, slots=True)
class KindPrior:
    """Prior of one venue kind.

    ``volume_m3``: the room that visitors share. ``air_changes_per_h``: outdoor air. ``close_share``: share of the
    people present who are within about 1.5 m at any time. ``talk_share``, ``sing_share``: share of time that an average
    person talks, or sings or shouts. ``exertion``: 0 at rest, 1 light exercise, 2 hard. ``body_size``: metabolism, and
    therefore breath, of an average person there relative to an adult. ``close_contacts``: the most people a visitor can
    be close to. ``usual_heads``: people in a usual crowd, with and without a check-in. ``masks``, ``distancing``: mean
    share before any rating.
    """

    volume_m3: Constant
    air_changes_per_h: Constant
    close_share: Constant
    talk_share: float
    sing_share: float
    exertion: float
    body_size: float
    close_contacts: float
    usual_dwell_h: float
    usual_heads: float
    masks: float
    distancing: float
    outdoors: bool = False

    def __post_init__(self) -> None:
        shares = (self.talk_share, self.sing_share, self.masks, self.distancing)
        if not all(0.0 <= share < 1.0 for share in shares) or self.talk_share + self.sing_share > 1.0:
            raise ValueError(f"shares out of range: {self}")
        if min(self.close_contacts, self.usual_dwell_h, self.usual_heads, self.body_size) <= 0.0:
            raise ValueError(f"must be positive: {self}")


def _prior(
    volume_m3: float,
    air_per_h: float,
    close: float,
    *,
    talk: float,
    sing: float = 0.0,
    exertion: float = 0.0,
    body_size: float = 1.0,
    contacts: float,
    dwell_h: float,
    heads: float,
    distancing: float = 0.3,
    outdoors: bool = False,
    volume_factor: float = 2.5,
) -> KindPrior:
    air_source = f"wind through an open box of the given volume; {ASSUMED}" if outdoors else _AIR
    air_factor = 4.0 if outdoors else 2.5
    return KindPrior(
        volume_m3=Constant(volume_m3, volume_m3 / volume_factor, volume_m3 * volume_factor, "m3", _ROOM),
        air_changes_per_h=Constant(air_per_h, air_per_h / air_factor, air_per_h * air_factor, "1/h", air_source),
        close_share=Constant(close, close / 2.0, min(0.95, close * 2.0), "share", ASSUMED),
        talk_share=talk,
        sing_share=sing,
        exertion=exertion,
        body_size=body_size,
        close_contacts=contacts,
        usual_dwell_h=dwell_h,
        usual_heads=heads,
        masks=0.3,
        distancing=distancing,
        outdoors=outdoors,
    )


PRIORS: Final[Mapping[Kind, KindPrior]] = MappingProxyType(
    {
        Kind.SCHOOL: _prior(200, 2.5, 0.15, talk=0.2, body_size=CHILDREN, contacts=6, dwell_h=6.0, heads=25),
        Kind.MEDICAL: _prior(120, 4.0, 0.10, talk=0.15, contacts=3, dwell_h=0.8, heads=10),
        Kind.OFFICE: _prior(800, 1.5, 0.05, talk=0.15, contacts=4, dwell_h=8.0, heads=20),
        Kind.MANUFACTURING: _prior(5000, 2.0, 0.04, talk=0.15, exertion=0.7, contacts=4, dwell_h=8.0, heads=60),
        Kind.RESTAURANT: _prior(320, 1.8, 0.07, talk=0.4, contacts=5, dwell_h=1.25, heads=40),
        Kind.BAR: _prior(300, 2.5, 0.12, talk=0.5, sing=0.05, contacts=8, dwell_h=2.0, heads=50, distancing=0.15),
        Kind.RETAIL: _prior(1200, 2.0, 0.04, talk=0.1, exertion=0.3, contacts=3, dwell_h=0.6, heads=25),
        Kind.SUPERMARKET: _prior(8000, 2.0, 0.015, talk=0.05, exertion=0.3, contacts=3, dwell_h=0.6, heads=70),
        Kind.GYM: _prior(1200, 4.0, 0.05, talk=0.05, exertion=1.6, contacts=4, dwell_h=1.2, heads=25),
        Kind.WORSHIP: _prior(2000, 1.0, 0.06, talk=0.1, sing=0.2, contacts=6, dwell_h=1.2, heads=80),
        Kind.THEATRE: _prior(4000, 3.0, 0.03, talk=0.05, contacts=6, dwell_h=2.2, heads=200),
        Kind.TRANSPORT: _prior(75, 8.0, 0.12, talk=0.05, contacts=6, dwell_h=0.5, heads=30),
        Kind.HOTEL: _prior(600, 2.0, 0.05, talk=0.2, contacts=4, dwell_h=1.0, heads=20),
        Kind.HOME: _prior(150, 0.7, 0.40, talk=0.35, contacts=6, dwell_h=3.0, heads=8, distancing=0.1),
        Kind.OUTDOORS: _prior(3000, 60.0, 0.06, talk=0.3, contacts=5, dwell_h=1.5, heads=60, outdoors=True),
        Kind.SPORT: _prior(6000, 2.0, 0.05, talk=0.1, sing=0.1, exertion=0.8, contacts=6, dwell_h=1.8, heads=80),
        Kind.OTHER: _prior(400, 2.0, 0.08, talk=0.2, contacts=5, dwell_h=1.5, heads=25, volume_factor=4.0),
    }
)
