"""How listed places are searched and ordered: the queryset of `selectors.find_venues`.

A place is found if every word is the beginning of a word of its name, or names its kind in a language of the pages.
Words are compared folded (`common.text`), so neither accents nor Unicode forms matter. Verified places come before
others: anybody may name a place like a well-known one, and nobody should find the copy first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Case, Func, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Left

from common.text import words_of
from venues import places
from venues.kinds import PHRASES_OF_KIND, kinds_meant
from venues.models import Venue
from venues.places import Point

MOST_WORDS: Final = 8
_NEAREST: Final = 24
"""Number of places (zip3) that a search examines first, before it examines all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search. ``zip_code`` or ``near``: nearest first, or ``by_name``; ``within_km`` or anywhere."""

    q: str = ""
    zip_code: str = ""
    near: Point | None = None
    kind: str = ""
    within_km: float | None = None
    by_name: bool = False

    @property
    def around(self) -> tuple[str, ...]:
        """Return known places (zip3), nearest first; empty if no known place was given."""
        if self.near is not None:
            return places.nearest_to(self.near)
        return places.nearest(self.zip_code[:3]) if self.zip_code else ()

    def distance_km(self, zip_code: str) -> float | None:
        """Return the distance to the centroid of a ZIP code's first three digits; `None` if one is unknown."""
        if self.near is not None:
            return places.distance_from_km(self.near, zip_code)
        return places.distance_km(self.zip_code, zip_code) if self.zip_code else None


def matching(wanted: Wanted) -> QuerySet[Venue] | None:
    """Return matching open listed places, unordered, with organisation and requirements; `None` if none can match."""
    rows = Venue.objects.select_related("organisation", "requirements").filter(
        closed_at=None, listed=True, organisation__closed_at=None
    )
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.within_km is not None and wanted.around:
        rows = rows.annotate(zip_area=Left("zip", 3)).filter(zip_area__in=_within(wanted, wanted.within_km))
    words = words_of(wanted.q)[:MOST_WORDS]
    if not words:
        return None if wanted.q.strip() else rows
    return rows.annotate(found=SearchVector("words", config="simple")).filter(_has(words))


def ordered(rows: QuerySet[Venue], wanted: Wanted) -> QuerySet[Venue]:
    """Order verified places first; then, near a place, by the same digits and by distance; then by name."""
    rows = rows.annotate(unverified=Case(When(organisation__verified_at=None, then=1), default=0))
    around = wanted.around
    if not around or wanted.by_name:
        return rows.order_by("unverified", "name", "pk")
    near = rows.annotate(elsewhere=_elsewhere(wanted.zip_code), nearness=_nearness(around))
    return near.order_by("unverified", "elsewhere", "nearness", "name", "pk")


def page(wanted: Wanted, *, offset: int, count: int) -> list[Venue]:
    """Return a part of the ordered places, in at most two statements: those around are examined before all."""
    rows = matching(wanted)
    if rows is None:
        return []
    around = wanted.around[:_NEAREST]
    if around and not (wanted.by_name or wanted.q.strip() or wanted.within_km is not None):
        nearby = rows.annotate(zip_area=Left("zip", 3)).filter(zip_area__in=around)
        found = list(ordered(nearby, wanted)[offset : offset + count])
        # Unverified places here come after verified ones anywhere.
        if len(found) == count and found[-1].organisation.verified:
            return found
    return list(ordered(rows, wanted)[offset : offset + count])


def count(wanted: Wanted) -> int:
    """Return how many places match."""
    rows = matching(wanted)
    return 0 if rows is None else rows.count()


def _has(words: Sequence[str]) -> Q:
    """Match every word in the name, or naming the kind; words that name no kind share one query of the index."""
    phrase = PHRASES_OF_KIND.get(" ".join(words))
    found = Q()
    plain: list[str] = []
    for word in words:
        kinds = kinds_meant(word)
        if kinds:
            found &= Q(found=_prefix(word)) | Q(kind__in=sorted(kinds))
        else:
            plain.append(word)
    if plain:
        found &= Q(found=_prefix(*plain))
    return found | Q(kind=phrase) if phrase else found


def _prefix(*words: str) -> SearchQuery:
    """Return a prefix query for each word. Words are letters and digits, so they cannot contain an operator."""
    return SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")


def _within(wanted: Wanted, most_km: float) -> list[str]:
    near: list[str] = []
    for zip3 in wanted.around:
        away = wanted.distance_km(zip3)
        if away is not None and away <= most_km:
            near.append(zip3)
    return near


def _elsewhere(zip_code: str) -> Case | Value:
    if not zip_code:
        return Value(0)
    here = Q(zip=zip_code) if len(zip_code) == 5 else Q(zip__startswith=zip_code)
    return Case(When(here, then=Value(0)), default=Value(1), output_field=IntegerField())


def _nearness(around: tuple[str, ...]) -> Func:
    """Return the position of a venue's area in the list of places by distance; after all others if it is not in it."""
    position = Func(
        Value(list(around), output_field=ArrayField(models.TextField())),
        Left("zip", 3),
        function="array_position",
        output_field=IntegerField(),
    )
    return Func(position, Value(len(around) + 1), function="COALESCE", output_field=IntegerField())
