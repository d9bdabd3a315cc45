"""Estimates of microCOVID and Georgia Tech's event risk for a few outings, next to ours: the table of docs/model.md.

Formulas and constants are theirs, entered from what they published and computed here:

- microCOVID: github.com/microcovid/microcovid, commit f188177 (15 July 2021, the newest), `src/data/data.ts` and
  `calculate.ts`, both read. 6 % an hour for one infectious person at one metre talking without masks; their factor of
  1.5 for B.1.1.7 is omitted, since ours is the ancestral profile. Outings are those of their `prepopulated.ts`.
- Georgia Tech's event risk: 1 - (1 - p)^n, the chance that anybody infectious is there at all; Chande 2020,
  doi:10.1038/s41562-020-01000-9, source not seen, the formula as its authors gave it to the press.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from risk.model import air
from risk.model.kinds import Kind
from risk.model.parameters import EVERYBODY, Parameters
from risk.model.pathogens import SARS_COV_2_ANCESTRAL
from risk.model.scouting import expected_cost

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
PREVALENCE: Final = 0.01
AN_HOUR: Final = 0.06
"""`oneTimeMult` without `B117_CONTAGIOUSNESS_ADJUSTMENT`."""
MOST: Final = 0.48
"""`MAX_ACTIVITY_RISK` of a partner."""
DISTANCE: Final = {"normal": 1.0, "six feet": 0.5}
SETTING: Final = {"indoor": 1.0, "outdoor": 0.05}
VOICE: Final = {"silent": 0.2, "normal": 1.0, "loud": 5.0}
MASK: Final = {"none": (1.0, 1.0), "basic": (1 / 3, 2 / 3)}
"""Mask factors of the others and of the visitor."""
SURE: Final = 99.0
"""Beta counts of a crowd in which all wear masks, or none."""


@dataclass(frozen=True, slots=True)
class Outing:
    """One scenario of microCOVID's `prepopulated.ts`, and the kind of venue that corresponds to it."""

    name: str
    kind: Kind
    near_by: int
    hours: float
    distance: str
    setting: str
    voice: str
    mask: str


OUTINGS: Final = (
    Outing("shopping (60minShopping)", Kind.SUPERMARKET, 5, 1.0, "six feet", "indoor", "silent", "basic"),
    Outing("restaurant (restaurantIndoors)", Kind.RESTAURANT, 15, 1.5, "six feet", "indoor", "normal", "none"),
    Outing("bar (bar)", Kind.BAR, 15, 2.0, "six feet", "indoor", "loud", "none"),
    Outing("party of 25 at home (smallIndoorParty25)", Kind.HOME, 25, 3.0, "normal", "indoor", "normal", "none"),
    Outing("terrace (restaurantOutdoors)", Kind.OUTDOORS, 15, 1.5, "six feet", "outdoor", "normal", "none"),
)


def microcovid(outing: Outing, prevalence: float) -> float:
    """Return the chance of an infection: `calculateActivityRisk` times person risk, of as many average people."""
    theirs, yours = MASK[outing.mask]
    activity = AN_HOUR * DISTANCE[outing.distance] * SETTING[outing.setting] * VOICE[outing.voice] * theirs * yours
    each = prevalence * min(activity * outing.hours, MOST)
    points = each * outing.near_by
    return points if points < 0.1 else 1.0 - (1.0 - each) ** outing.near_by


def event_risk(prevalence: float, people: float) -> float:
    """Return Georgia Tech's chance that at least one of n people is infectious."""
    return float(1.0 - (1.0 - prevalence) ** people)


def heads_of(outing: Outing, parameters: Parameters) -> float:
    """Return the number of people there: the guests of the party, otherwise the usual crowd of the kind."""
    if outing.kind is Kind.HOME:
        return outing.near_by
    return parameters.priors[outing.kind].usual_heads


def ours(outing: Outing, prevalence: float) -> float:
    """Return expected hits of the same outing in a usual venue of the kind, with prior air and everybody "admitted"."""
    parameters = Parameters(pathogen=SARS_COV_2_ANCESTRAL, adoption=EVERYBODY)
    prior = parameters.priors[outing.kind]
    room = air.room_air(parameters, outing.kind)
    masks = (SURE, 1.0) if outing.mask == "basic" else (1.0, SURE)
    points = expected_cost(
        parameters,
        kinds=[outing.kind],
        heads=heads_of(outing, parameters),
        stay_h=outing.hours,
        volume_m3=room.volume_m3,
        removal_rate_per_h=room.removal_rate_per_h(parameters),
        masks=masks,
        distancing=(10.0 * prior.distancing, 10.0 * (1.0 - prior.distancing)),
        known_active_per_person=prevalence,
        already_total=True,
        volume_log_sd=room.volume_log_sd,
        air_log_sd=room.air_log_sd,
        budget=1.0,
    )
    return float(points[0]) / 100.0


def table() -> str:
    """Return the text between the markers."""
    parameters = Parameters(pathogen=SARS_COV_2_ANCESTRAL)
    lines = [
        f"At {100 * PREVALENCE:.0f} % prevalence, nobody vaccinated, SARS-CoV-2 of 2020:",
        "",
        "| outing | hours | people there (we) | people near by (microCOVID) | ours | microCOVID | ratio "
        "| somebody infectious there (Georgia Tech) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for outing in OUTINGS:
        mine, theirs, people = ours(outing, PREVALENCE), microcovid(outing, PREVALENCE), heads_of(outing, parameters)
        lines.append(
            f"| {outing.name} | {outing.hours:g} | {people:.0f} | {outing.near_by} | {100 * mine:.3f} % "
            f"| {100 * theirs:.3f} % | {mine / theirs:.2f} | {100 * event_risk(PREVALENCE, people):.0f} % |"
        )
    return "\n".join(lines)
