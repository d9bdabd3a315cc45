"""Search of listed venues by words and nearness."""

from typing import Any

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import NOW, make_organisation, make_venue
from venues import selectors
from venues.kinds import VenueKind
from venues.models import Organisation, Venue
from venues.places import Point
from venues.selectors import find_venues
from venues.services.organisations import close_organisation
from venues.services.venues import close_venue, update_venue

pytestmark = pytest.mark.django_db


def names(**query: Any) -> list[str]:
    return [found.venue.name for found in find_venues(**query)]


@pytest.fixture
def town() -> Organisation:
    """Create venues in San Francisco, Oakland, Sacramento and New York."""
    organisation = make_organisation()
    for name, zip_code in (
        ("Blue Note Jazz Club", "10012"),
        ("Blue Bottle", "94607"),
        ("Café Müller", "94110"),
        ("The Corner", "94103"),
        ("Capitol Hall", "95814"),
        ("Nowhere Bar", ""),
    ):
        make_venue(organisation=organisation, name=name, zip_code=zip_code)
    return organisation


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("blue", ["Blue Bottle", "Blue Note Jazz Club"]),
        ("BLUE no", ["Blue Note Jazz Club"]),
        ("jaz", ["Blue Note Jazz Club"]),
        ("club blue", ["Blue Note Jazz Club"]),
        ("müll", ["Café Müller"]),
        ("corner bar", []),
        ("lue", []),
        ("!!!", []),
        ("blue' | 'the:*", []),
        ("corner:* & !hall", []),
    ],
)
def test_every_word_is_the_beginning_of_one_of_the_name(town: Organisation, q: str, expected: list[str]) -> None:
    assert sorted(names(q=q)) == expected


def test_without_words_all_are_found_by_name(town: Organisation) -> None:
    assert len(names()) == 6
    assert names(limit=2) == ["Blue Bottle", "Blue Note Jazz Club"]


def test_the_nearest_come_first_and_those_without_a_place_last(town: Organisation) -> None:
    assert names(zip_code="94110") == [
        "Café Müller",
        "The Corner",
        "Blue Bottle",
        "Capitol Hall",
        "Blue Note Jazz Club",
        "Nowhere Bar",
    ]


def test_the_same_five_digits_come_before_the_neighbours(town: Organisation) -> None:
    assert names(zip_code="94103", limit=1) == ["The Corner"]


def test_three_digits_are_enough(town: Organisation) -> None:
    assert set(names(zip_code="941", limit=2)) == {"Café Müller", "The Corner"}


def test_words_and_place_go_together(town: Organisation) -> None:
    assert names(q="blue", zip_code="100") == ["Blue Note Jazz Club", "Blue Bottle"]


def test_an_unknown_zip_code_does_not_change_the_search(town: Organisation) -> None:
    assert names(zip_code="00000") == names()


def test_distances_are_returned_if_they_are_known(town: Organisation) -> None:
    found = {one.venue.name: one.distance_km for one in find_venues(zip_code="94110")}
    assert found["Café Müller"] == 0
    assert found["Nowhere Bar"] is None
    assert found["Blue Note Jazz Club"] == pytest.approx(4130, rel=0.01)


def test_unlisted_and_closed_ones_are_not_found(town: Organisation) -> None:
    make_venue(organisation=town, name="Hidden", listed=False)
    close_venue(venue=Venue.objects.get(name="The Corner"), actor="owner", now=NOW)
    other = make_venue(name="Gone")
    close_organisation(organisation=other.organisation, actor="owner", now=NOW)
    assert not {"Hidden", "The Corner", "Gone"} & set(names())


def test_an_unlisted_one_opens_by_its_id_and_a_closed_one_does_not() -> None:
    venue = make_venue(listed=False)
    assert selectors.open_venue(venue.public_id) == venue
    close_venue(venue=venue, actor="owner", now=NOW)
    assert selectors.open_venue(venue.public_id) is None
    assert selectors.open_venue("v_0000000000") is None


@pytest.mark.parametrize("query", [{}, {"q": "the"}, {"zip_code": "941"}, {"q": "the", "zip_code": "94110"}])
def test_a_search_takes_two_statements_at_most(
    town: Organisation, query: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):
        found = find_venues(**query)
        assert found
        assert all(one.venue.organisation.name for one in found)
        assert all(one.venue.requirements is not None for one in found)


@pytest.mark.parametrize(("limit", "count"), [(-1, 1), (0, 1), (3, 3), (10**9, 6)])
def test_the_limit_is_kept_within_bounds(town: Organisation, limit: int, count: int) -> None:
    assert len(names(limit=limit)) == count


# A search leaves nothing behind.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(q=st.text(max_size=60), zip_code=st.text(max_size=6))
def test_any_text_is_a_search_that_narrows_the_list(town: Organisation, q: str, zip_code: str) -> None:
    found, everywhere = names(q=q, zip_code=zip_code.replace("\0", "")), names()
    assert set(found) <= set(everywhere)
    assert len(found) == len(set(found))
    assert q.strip() or set(found) == set(everywhere)


@pytest.mark.parametrize("q", ["cafe", "CAFÉ", "cafe\u0301", "muller", "mueller", "Café Mu\u0308ller"])
def test_neither_accents_nor_unicode_forms_matter(town: Organisation, q: str) -> None:
    assert names(q=q) == ["Café Müller"]


def test_sharp_s_is_two(town: Organisation) -> None:
    make_venue(organisation=town, name="Gasthaus Hauptstraße")
    make_venue(organisation=town, name="HAUPTSTRASSE 5")
    for q in ("hauptstrasse", "Hauptstraße", "HAUPTSTRASSE"):
        assert names(q=q) == ["Gasthaus Hauptstraße", "HAUPTSTRASSE 5"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", VenueKind.values)
def test_a_kind_is_found_by_its_name_in_every_language_of_the_pages(kind: str, language: str) -> None:
    venue, others = make_venue(name="Xyz", kind=kind), [one for one in VenueKind.values if one != kind]
    make_venue(name="Zyx", kind=others[0])
    with translation.override(language):
        assert names(q=str(VenueKind(kind).label)) == [venue.name]


@pytest.mark.parametrize(
    ("q", "kind"),
    [
        ("pizzeria", VenueKind.RESTAURANT),
        ("farmacia", VenueKind.RETAIL),
        ("library", VenueKind.SCHOOL),
        ("museums", VenueKind.THEATRE),
        ("estadio", VenueKind.SPORT),
    ],
)
def test_a_kind_is_found_by_usual_words_for_such_places(q: str, kind: str) -> None:
    venue = make_venue(name="Xyz", kind=kind)
    make_venue(name="Zyx", kind=VenueKind.HOME)
    assert names(q=q) == [venue.name]


def test_a_kind_and_a_name_are_found_by_the_same_word() -> None:
    make_venue(name="Joe's", kind=VenueKind.BAR)
    make_venue(name="Bar Roma", kind=VenueKind.RESTAURANT)
    make_venue(name="Barbershop", kind=VenueKind.OTHER)
    make_venue(name="Corner", kind=VenueKind.RETAIL)
    assert names(q="bar") == ["Bar Roma", "Barbershop", "Joe's"]
    assert names(q="bars") == ["Joe's"]
    assert names(q="joes bar") == names(q="bar joe") == ["Joe's"]
    assert names(q="bar", kind=VenueKind.RESTAURANT) == ["Bar Roma"]


def test_a_renamed_place_is_found_by_its_new_name() -> None:
    venue = make_venue(name="Old Mill")
    update_venue(venue=venue, changes={"name": "Neue Mühle"}, actor="owner", now=NOW)
    assert names(q="muhle") == ["Neue Mühle"]
    assert names(q="mill") == []


def test_places_are_found_around_a_position(town: Organisation) -> None:
    here = Point.rounded(37.7599, -122.4148)
    assert (here.latitude, here.longitude) == (37.8, -122.4)
    found = find_venues(near=here)
    assert [one.venue.name for one in found][:3] == ["Café Müller", "The Corner", "Blue Bottle"]
    assert found[0].distance_km is not None
    assert found[0].distance_km < 20
    assert names(near=here, within_km=100) == ["Café Müller", "The Corner", "Blue Bottle"]


@pytest.mark.parametrize("query", [{}, {"zip_code": "94110"}, {"near": Point(37.8, -122.4)}, {"q": "a"}])
def test_pages_hold_every_place_once_the_verified_ones_first(town: Organisation, query: dict[str, Any]) -> None:
    other = make_organisation(verified=False)
    for number in range(3):
        make_venue(organisation=other, name=f"A {number}")
        make_venue(organisation=town, name=f"A {number} too", zip_code="")
    at_once = [one.venue for one in find_venues(**query, limit=50)]
    in_pages = [one.venue for offset in range(0, 16, 2) for one in find_venues(**query, limit=2, offset=offset)]
    assert in_pages == at_once
    verified = [venue.organisation.verified for venue in at_once]
    assert verified == sorted(verified, reverse=True)
