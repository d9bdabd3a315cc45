"""Request and response bodies of this app's API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from common.time import z
from common.web.serializers import Base64Url, Choice, Number, QuerySerializer, StrictSerializer, UtcTime
from passes.api.serializers import MOST_OWNERS
from risk.model.comparison import KNOWN
from risk.model.risklevels import RISKLEVELS
from risk.model.shield import BUDGETS
from risk.scouting.search import SORTS, Question
from venues import places
from venues.finding import Wanted
from venues.kinds import VenueKind
from venues.places import Point

if TYPE_CHECKING:
    from risk.model.comparison import Comparison
    from risk.shield.answer import ShieldAnswer

PROFILES: Final = tuple(BUDGETS)
STANDARD: Final = "standard"
LEAST_BUDGET: Final = 1e-6
MOST_FOUND: Final = 50
_POSITION: Final = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*,\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*", re.ASCII)


# Shield ---------------------------------------------------------------------------------------------------------------
class ShieldInput(StrictSerializer):
    """The holder's owners, and the risk accepted: a profile, or a budget chosen by the holder."""

    owners = serializers.ListField(child=Base64Url(length=32), max_length=MOST_OWNERS)
    profile = Choice(PROFILES, required=False)
    budget = Number(
        required=False,
        min_value=LEAST_BUDGET,
        max_value=1.0,
        help_text="highest acceptable chance of infection from visits in 14 days",
    )

    own_mask = Number(
        required=False,
        min_value=0.0,
        max_value=1.0,
        help_text="share of the time that the visitor wears a mask; default: the same share as the crowd",
    )
    susceptibility = Number(
        required=False,
        min_value=0.0,
        max_value=1.0,
        help_text="relative to the average visitor, after a vaccination or an infection; default 1",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a profile together with a budget."""
        if "profile" in attrs and "budget" in attrs:
            raise serializers.ValidationError({"budget": [_("Give a profile or a budget, not both.")]})
        return attrs


class ReasonOutput(serializers.Serializer[Any]):
    """One reason for a cost: a code for programs, a sentence for people."""

    code = serializers.CharField(help_text="for programs")
    text = serializers.CharField(help_text="for people")


class ComparisonOutput(serializers.Serializer[Any]):
    """The time in a usual crowd at a usual place of a kind, in the same area, with the same chance of infection."""

    kind = serializers.ChoiceField([kind.value for kind in KNOWN])
    minutes = serializers.IntegerField(min_value=1)


class VisitOutput(serializers.Serializer[Any]):
    """One visit. `dose` and `shield_cost` are 0, with the reason `pending`, until the next refresh counts the visit."""

    venue = serializers.CharField()
    arrived = UtcTime()
    left = UtcTime(allow_null=True, help_text="null if no departure is known")
    dose = serializers.FloatField(help_text="quanta")
    shield_cost = serializers.FloatField(help_text="percent of the budget that the visit still costs today")
    why = ReasonOutput(many=True)
    infection_probability = serializers.FloatField(
        min_value=0, max_value=1, help_text="of infection at this visit; 0 if it is older than 14 days"
    )
    like = ComparisonOutput(allow_null=True)


class ShieldOutput(serializers.Serializer[Any]):
    """A shield computed from visits; infections at home are not part of it."""

    shield = serializers.IntegerField(min_value=0, max_value=100, help_text="percent, the posterior mean")
    low = serializers.IntegerField(min_value=0, max_value=100)
    high = serializers.IntegerField(min_value=0, max_value=100)
    infection_probability = serializers.FloatField(min_value=0, max_value=1)
    spent = serializers.FloatField(min_value=0, help_text="share of the budget, rounded up; may exceed 1")
    incubating = serializers.FloatField(min_value=0, max_value=1)
    risklevel = serializers.ChoiceField(RISKLEVELS)
    parameters = serializers.CharField(help_text="version of the model's parameters")
    visits = VisitOutput(many=True)
    like = ComparisonOutput(allow_null=True, help_text="of `infection_probability`")
    dearest = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="index in `visits` of the visit with the highest chance of infection"
    )
    prevalence = serializers.FloatField(
        min_value=0, max_value=1, help_text="estimated share of people who are infectious where the visits were"
    )
    ordinary_probability = serializers.FloatField(
        min_value=0,
        max_value=1,
        help_text="chance of infection from an ordinary fortnight of visits at that prevalence",
    )
    suggested_profile = serializers.ChoiceField(
        PROFILES, help_text="profile with the smallest budget that an ordinary fortnight does not use up"
    )
    pad = serializers.CharField(help_text="zeros: the body is a multiple of 16,384 bytes, however many the visits")


SHIELD_STEP_BYTES: Final = 16_384
"""About twenty visits fit into one step, so that the size seen on the network tells few fortnights apart."""


def shield_data(answer: ShieldAnswer) -> dict[str, Any]:
    """Return a shield as `ShieldOutput` describes it, without running a serializer over hundreds of reasons."""
    return {
        "shield": answer.shield,
        "low": answer.low,
        "high": answer.high,
        "infection_probability": answer.infection_probability,
        "spent": answer.spent,
        "incubating": answer.incubating,
        "risklevel": answer.risklevel,
        "parameters": answer.parameters,
        "visits": [
            {
                "venue": visit.venue,
                "arrived": z(visit.arrived),
                "left": None if visit.left is None else z(visit.left),
                "dose": visit.dose,
                "shield_cost": visit.shield_cost,
                "why": [{"code": reason.code, "text": reason.text} for reason in visit.why],
                "infection_probability": visit.infection_probability,
                "like": _like(visit.like),
            }
            for visit in answer.visits
        ],
        "like": _like(answer.like),
        "dearest": answer.dearest,
        "prevalence": answer.around.prevalence,
        "ordinary_probability": answer.around.ordinary_probability,
        "suggested_profile": answer.around.suggested_profile,
    }


def _like(comparison: Comparison | None) -> dict[str, Any] | None:
    return None if comparison is None else {"kind": comparison.kind.value, "minutes": comparison.minutes}


# Venues ---------------------------------------------------------------------------------------------------------------
class ProfileQuery(QuerySerializer):
    """Query parameters of one card."""

    profile = Choice(PROFILES, required=False, default=STANDARD)


class CardQuery(ProfileQuery):
    """Query parameters of one card, with optional details."""

    costs = Choice(("all",), required=False)


class Position(serializers.Field[Point, str, str, Any]):
    """A position such as `37.8,-122.4`: degrees north and east, rounded to a tenth of a degree before any other use."""

    default_error_messages = {"invalid": _("Give degrees north and east, to one decimal, like 37.8,-122.4.")}

    def to_internal_value(self, data: Any) -> Point:
        """Parse a position."""
        found = read_position(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return found


def read_position(text: str) -> Point | None:
    """Parse a position from a query; return `None` if the text is not one."""
    found = _POSITION.fullmatch(text)
    try:
        return None if found is None else Point.rounded(float(found[1]), float(found[2]))
    except ValueError:
        return None


class VenuesQuery(ProfileQuery):
    """Query parameters of the search."""

    q = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    zip = serializers.RegexField(r"\A([0-9]{3}|[0-9]{5})\Z", required=False, default="")
    near = Position(required=False)
    kind = Choice(VenueKind.values, required=False, default="")
    open = Choice(("true", "false"), required=False)
    fits = Choice(("true", "false"), required=False)
    sort = Choice(SORTS, required=False)
    limit = serializers.IntegerField(required=False, default=20, min_value=1, max_value=MOST_FOUND)
    cursor = serializers.CharField(required=False, max_length=200)

    def validate_zip(self, value: str) -> str:
        """Refuse a ZIP code that does not exist, since nothing is near it."""
        if value and places.place(value) is None:
            raise serializers.ValidationError(_("There is no such ZIP code."), "unknown")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Accept one position at most, and require one to sort by distance."""
        if attrs["zip"] and "near" in attrs:
            raise serializers.ValidationError({"near": [_("Give a ZIP code or a position, not both.")]})
        if attrs.get("sort") == "distance" and not attrs["zip"] and "near" not in attrs:
            raise serializers.ValidationError({"sort": [_("Give a ZIP code or a position to sort by distance.")]})
        return attrs

    @staticmethod
    def question(query: dict[str, Any]) -> Question:
        """Return the search that the query asks for."""
        sort = query.get("sort")
        return Question(
            wanted=Wanted(
                q=query["q"],
                zip_code=query["zip"],
                near=query.get("near"),
                kind=query["kind"],
                by_name=sort == "name",
            ),
            profile=query["profile"],
            open=_truth(query.get("open")),
            fits=_truth(query.get("fits")),
            by_cost=sort == "cost",
        )


def _truth(text: str | None) -> bool | None:
    return None if text is None else text == "true"


class EpochOutput(serializers.Serializer[Any]):
    """An open epoch, in seconds since the Unix epoch."""

    date = serializers.DateField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class OccupancyOutput(serializers.Serializer[Any]):
    """How full the venue is now and usually."""

    BANDS: Final = ["empty", "quiet", "busy", "full"]
    band = serializers.ChoiceField(
        BANDS, help_text="empty: fewer than five check-ins; then thirds of the enforced limit"
    )
    usual = serializers.ListField(
        child=serializers.ListField(child=serializers.ChoiceField(BANDS), min_length=24, max_length=24),
        min_length=7,
        max_length=7,
        help_text="by local hour, Monday first",
    )


class RatingsOutput(serializers.Serializer[Any]):
    """Mean ratings from 1 to 5; null with fewer than five ratings."""

    count = serializers.IntegerField(allow_null=True)
    masks = serializers.FloatField(allow_null=True)
    distancing = serializers.FloatField(allow_null=True)


class AirOutput(serializers.Serializer[Any]):
    """Air changes per hour, as a 90 % interval."""

    source = serializers.ChoiceField(["prior", "known", "measured"])  # type: ignore[assignment]
    ach_low = serializers.FloatField()
    ach_high = serializers.FloatField()


class PeopleOutput(serializers.Serializer[Any]):
    """The number of people present for each check-in, as a median and a 90 % interval."""

    people = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    source = serializers.ChoiceField(  # type: ignore[assignment]
        ["assumed", "said", "counted", "measured"],
        help_text="assumed: the deployment's estimate; otherwise the strongest of the host's word, counts and CO2",
    )


class CostOutput(serializers.Serializer[Any]):
    """Cost, in points, of a stay that begins now."""

    mask = serializers.FloatField()
    no_mask = serializers.FloatField()


class CostsOutput(serializers.Serializer[Any]):
    """Cost, in points, by minutes of stay."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields under names that are numbers, which class attributes cannot be."""
        return {name: CostOutput() for name in ("30", "60", "120")}


class HourOutput(serializers.Serializer[Any]):
    """One open hour, and the cost in points of staying through it without a mask."""

    start = UtcTime()
    shield_cost_60 = serializers.FloatField()
    shield_cost = CostsOutput(required=False, help_text="of each stay that begins in this hour; only with `costs=all`")


class AlternativeOutput(serializers.Serializer[Any]):
    """A cheaper verified place of the same kind in the same ZIP area (the first three digits), open now."""

    id = serializers.CharField()
    name = serializers.CharField()
    zip = serializers.CharField()
    shield_cost_60 = serializers.FloatField()


class CardOutput(serializers.Serializer[Any]):
    """A scouting card: computed from head counts, ratings, air and area prevalence, never from answers."""

    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(VenueKind.choices)
    zip = serializers.CharField(allow_blank=True)
    organisation = serializers.CharField()
    verified = serializers.BooleanField(help_text="whether the operator has verified who runs the place")
    open = serializers.BooleanField()
    changes_at = UtcTime(allow_null=True, help_text="next opening or closing time; null if none within nine days")
    opening_hours = serializers.ListField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.IntegerField())),
        help_text="seven days, Monday first, of [opens, closes] in local minutes from midnight; closes may pass 1440",
    )
    time_zone = serializers.CharField(help_text="time zone of the opening hours and of `usual`")
    epochs = EpochOutput(many=True)
    counted = serializers.BooleanField(
        help_text="whether check-ins show how full it is; otherwise costs assume a usual place of its kind"
    )
    occupancy = OccupancyOutput()
    ratings = RatingsOutput()
    air = AirOutput()
    coverage = PeopleOutput()
    shield_cost = CostsOutput(help_text="of stays that begin now or, if it is closed, at its next opening")
    hours = HourOutput(many=True)
    best_hours = HourOutput(many=True)
    alternatives = AlternativeOutput(many=True)
    fits_profile = serializers.BooleanField()
    distance_km = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="to the centre of the ZIP area, which may be tens of km wide; only in a search near a place",
    )


def found_data(card: dict[str, Any], distance_km: float | None) -> dict[str, Any]:
    """Return a card as the result of a search near a place."""
    return card_data(card) | {"distance_km": None if distance_km is None else round(distance_km)}


def card_data(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card as `CardOutput` describes it; a search has too many values (thousands) for a serializer."""
    return card | {
        "changes_at": None if card["changes_at"] is None else z(card["changes_at"]),
        "epochs": [epoch | {"date": epoch["date"].isoformat()} for epoch in card["epochs"]],
        "hours": [_hour(hour) for hour in card["hours"]],
        "best_hours": [_hour(hour) for hour in card["best_hours"]],
    }


def _hour(hour: dict[str, Any]) -> dict[str, Any]:
    return hour | {"start": z(hour["start"])}


class CardsOutput(serializers.Serializer[Any]):
    """A page of cards, verified places first."""

    results = CardOutput(many=True)
    next = serializers.CharField(allow_null=True, help_text="address of the next page")
    previous = serializers.CharField(allow_null=True, help_text="URL of the previous page")


# Air ------------------------------------------------------------------------------------------------------------------
class AirInput(StrictSerializer):
    """One reading of a CO2 sensor."""

    co2_ppm = Number(help_text="parts per million")
    measured_at = UtcTime()
