"""Organisations, venues and devices of a simulated town, through the ordinary services."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from crowdtrace.town.world.habits import RATES
from crowdtrace.town.world.places import Areas, TownVenues
from risk.model.kinds import Kind
from risk.model.visits import KINDS
from venues.kinds import DeviceKind, OrganisationKind
from venues.models import Organisation, Venue
from venues.requirements import RequirementValues
from venues.services.devices import enrol_device, make_enrolment_code
from venues.services.organisations import create_organisation, verify_organisation
from venues.services.venues import MOST_VENUES, VenueFacts, create_venue

ACTOR: Final = "simulation"
DWELL_MARGIN: Final = 1.25
"""A venue's usual dwell, relative to the mean: for most people who forget to check out, the counted stay is longer."""
_ORGANISATIONS: Final = {
    Kind.SCHOOL: (OrganisationKind.EDUCATIONAL, "schools"),
    Kind.WORSHIP: (OrganisationKind.FAITH, "congregations"),
    Kind.SPORT: (OrganisationKind.AMATEUR_SPORT, "clubs"),
    Kind.HOME: (OrganisationKind.PERSONAL, "hosts"),
    Kind.OUTDOORS: (OrganisationKind.NON_PROFIT, "parks"),
}
_OTHERS: Final = (OrganisationKind.COMMERCIAL, "businesses")


@dataclass(frozen=True, slots=True)
class Place:
    """A venue of the town in the product. `token` is the device's."""

    venue_id: int
    public_id: str
    device_id: int
    token: str
    usual_dwell_s: int


def make_places(
    *, venues: TownVenues, areas: Areas, owner: User, label: str, now: dt.datetime, step: Callable[[], None]
) -> list[Place]:
    """Create every venue, verified, with its requirements and one kiosk; call `step` after each."""
    organisations: dict[str, list[Organisation]] = {}
    places = []
    for row in range(venues.size):
        kind = KINDS[venues.kind[row]]
        what, whose = _ORGANISATIONS.get(kind, _OTHERS)
        made = organisations.setdefault(whose, [])
        if not made or made[-1].venues.count() >= MOST_VENUES:
            name = f"{label} {whose}" + (f" {len(made) + 1}" if made else "")
            made.append(_organisation(owner, name, what, now))
        places.append(_place(venues, areas, row, made[-1], now))
        step()
    return places


def organisations_of(places: list[Place]) -> list[int]:
    """Return primary keys of the organisations of a town."""
    found = Venue.objects.filter(pk__in=[place.venue_id for place in places])
    return sorted(set(found.values_list("organisation_id", flat=True)))


def _organisation(owner: User, name: str, kind: str, now: dt.datetime) -> Organisation:
    organisation = create_organisation(owner=owner, name=name, kind=kind, now=now)
    return verify_organisation(organisation=organisation, actor=ACTOR, now=now)


@transaction.atomic
def _place(venues: TownVenues, areas: Areas, row: int, organisation: Organisation, now: dt.datetime) -> Place:
    kind = KINDS[venues.kind[row]]
    dwell_min = round(DWELL_MARGIN * RATES[kind].dwell_min)
    facts = VenueFacts(
        name=venues.name[row],
        kind=kind.value,
        zip=areas.zip3[venues.area[row]],
        # The town uses the deployment's days, so that no opening hour cuts an epoch.
        time_zone=settings.DEPLOYMENT_TIME_ZONE,
        volume_m3=float(venues.volume_m3[row]) if venues.volume_known[row] else None,
        air_changes_per_h=float(venues.air_changes_per_h[row]) if venues.volume_known[row] else None,
        usual_dwell_min=dwell_min,
    )
    refuses = [bool(yes) for yes in venues.refuses[row]]
    asked = RequirementValues(
        capacity=int(venues.capacity[row]),
        refuse_symptoms=refuses[0],
        refuse_diagnosed=refuses[1],
        refuse_contact=refuses[2],
        refuse_near=refuses[3],
        hours=venues.hours(row),
    )
    venue = create_venue(organisation=organisation, facts=facts, requirements=asked, actor=ACTOR, now=now)
    # The same seed gives the same ids; a venue that nobody has seen yet may change its own.
    Venue.objects.filter(pk=venue.pk).update(public_id=venues.public_id[row])
    door = venue.doors.select_related("venue__organisation").order_by("pk")[0]
    code = make_enrolment_code(door=door, actor=ACTOR, now=now)
    device, token = enrol_device(code=code.code, name="Kiosk", kind=DeviceKind.GATE, now=now)
    return Place(venue.pk, venues.public_id[row], device.pk, token, dwell_min * 60)
