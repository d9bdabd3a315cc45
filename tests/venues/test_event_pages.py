"""Pages of events: times that an edit keeps, clock changes, calendar files, repeats, invitations and posters."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from common.time import utc_now
from tests import factories
from tests.venues.conftest import World
from venues.models import Event, Invitation, Venue
from venues.requirements import RequirementValues
from venues.services.events import cancel_event, invitation_code, make_invitation, revoke_invitation
from venues.services.venues import set_requirements

As = Callable[[str], Client]
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _september(time_machine: Any) -> None:
    time_machine.move_to("2026-09-20T12:00:00Z")


@pytest.fixture
def place(world: World) -> Venue:
    world.venue.time_zone = "America/New_York"
    world.venue.save()
    return world.venue


def make_event(place: Venue, starts: str, ends: str, **given: Any) -> Event:
    return factories.make_event(
        venue=place,
        starts_at=dt.datetime.fromisoformat(starts),
        ends_at=dt.datetime.fromisoformat(ends),
        now=utc_now(),
        **given,
    )


def shown(client: Client, address: str) -> dict[str, str]:
    """Return what a browser would send back of a form: the values that its page shows."""
    form = client.get(address).context["form"]
    page = client.get(address).content.decode()
    sent = {}
    for field in form:
        if f'name="{field.html_name}"' not in page:
            continue
        value = field.value()
        if field.widget_type == "checkbox":
            if value:
                sent[field.html_name] = "on"
        else:
            written = field.field.widget.format_value(value) if hasattr(field.field.widget, "format_value") else value
            sent[field.html_name] = "" if written is None else str(written[0] if isinstance(written, list) else written)
    return sent


SPANS = {
    "an evening": ("2026-10-05T23:00Z", "2026-10-06T02:00Z"),
    "over midnight": ("2026-10-05T23:00Z", "2026-10-06T05:00Z"),
    "a day": ("2026-10-05T23:00Z", "2026-10-06T23:00Z"),
    "25 hours": ("2026-10-05T23:00Z", "2026-10-07T00:00Z"),
    "a week": ("2026-10-05T13:00Z", "2026-10-12T21:00Z"),
    "over the change back": ("2026-10-31T23:00Z", "2026-11-01T17:00Z"),
    "from the first to the second 01:30": ("2026-11-01T05:30Z", "2026-11-01T06:30Z"),
    "in the second hour": ("2026-11-01T06:10Z", "2026-11-01T06:50Z"),
    "back by the clock": ("2026-11-01T05:45Z", "2026-11-01T06:15Z"),
    "over the change forward": ("2027-03-14T05:00Z", "2027-03-14T08:00Z"),
    "with seconds": ("2026-10-05T23:00:20Z", "2026-10-07T00:00:40.5Z"),
}


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
@pytest.mark.parametrize("whole", [True, False], ids=["the whole form", "the old fields alone"])
def test_an_edit_of_the_name_keeps_the_times(span: tuple[str, str], whole: bool, place: Venue, as_: As) -> None:
    event = make_event(place, *span)
    client, address = as_("manager"), f"/owner/events/{event.public_id}/change"
    sent = shown(client, address)
    if not whole:
        sent = {name: sent[name] for name in ("date", "starts", "ends", "size", "invitation_needed")}
    assert client.post(address, sent | {"name": "Renamed"}).status_code == 302
    after = Event.objects.get(pk=event.pk)
    assert (after.name, after.starts_at, after.ends_at) == ("Renamed", event.starts_at, event.ends_at)


@pytest.mark.parametrize(
    "sent", [{"name": "Renamed"}, {"size": "7"}, {"name": "Renamed", "size": "7"}, {"invitation_needed": "on"}]
)
@pytest.mark.parametrize("by_invitation", [True, False])
def test_an_edit_keeps_what_it_does_not_name(sent: dict[str, str], by_invitation: bool, place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["25 hours"], invitation_needed=by_invitation)
    assert as_("manager").post(f"/owner/events/{event.public_id}/change", sent).status_code == 302
    after = Event.objects.get(pk=event.pk)
    assert (after.starts_at, after.ends_at) == (event.starts_at, event.ends_at)
    assert after.name == sent.get("name", event.name)
    assert after.size == int(sent.get("size", event.size))
    assert after.invitation_needed == (by_invitation or "invitation_needed" in sent)


def test_an_edit_of_one_time_keeps_the_other(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["a week"])
    client, address = as_("manager"), f"/owner/events/{event.public_id}/change"
    client.post(address, shown(client, address) | {"starts": "10:30"})
    after = Event.objects.get(pk=event.pk)
    assert (after.starts_at, after.ends_at) == (event.starts_at + 1.5 * HOUR, event.ends_at)


def test_an_event_of_days_that_moves_without_a_last_day_keeps_its_days(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["a week"])
    as_("manager").post(f"/owner/events/{event.public_id}/change", {"date": "2026-10-06"})
    after = Event.objects.get(pk=event.pk)
    assert (after.starts_at, after.ends_at) == (event.starts_at + DAY, event.ends_at + DAY)


NEW = {
    "name": "Fair",
    "size": "20",
    "date": "2026-10-05",
    "starts": "19:00",
    "ends": "20:00",
    "invitation_needed": "on",
}


def test_an_event_of_several_days_is_made_by_its_last_day(place: Venue, as_: As) -> None:
    as_("manager").post(f"/owner/venues/{place.public_id}/events/new", NEW | {"ends_on": "2026-10-07"})
    assert Event.objects.get(name="Fair").ends_at.isoformat() == "2026-10-08T00:00:00+00:00"
    wrong = as_("manager").post(f"/owner/venues/{place.public_id}/events/new", NEW | {"ends_on": "2026-10-04"})
    assert set(wrong.context["form"].errors) == {"ends"}


@pytest.mark.parametrize("field", ["starts", "ends"])
def test_a_time_that_the_clock_skips_is_refused_with_a_sentence(field: str, place: Venue, as_: As) -> None:
    times = {"date": "2027-03-14", "starts": "01:00", "ends": "05:00"} | {field: "02:30"}
    page = as_("manager").post(f"/owner/venues/{place.public_id}/events/new", NEW | times)
    (words,) = page.context["form"].errors[field]
    assert words == (
        "On March 14, 2027 the clock goes forward from 02:00 to 03:00, so there is no 02:30. Choose another time."
    )
    assert not Event.objects.filter(name="Fair").exists()


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
def test_a_time_that_the_clock_skips_in_the_zone_of_a_first_event_is_refused(zone: str, as_: As) -> None:
    day = {"America/New_York": "2027-03-14", "Europe/Berlin": "2027-03-28"}[zone]
    given = NEW | {"date": day, "starts": "02:30", "ends": "05:00", "place": "Hall", "host": "personal", "zip": ""}
    page = as_("manager").post("/owner/events/new", given | {"time_zone": zone})
    assert set(page.context["form"].errors) == {"starts"}
    assert as_("manager").post("/owner/events/new", given | {"time_zone": "UTC"}).status_code == 302


@pytest.mark.parametrize(("chosen", "instant"), [("0", "05:30"), ("1", "06:30")])
def test_both_instants_of_a_repeated_time_can_be_chosen(chosen: str, instant: str, place: Venue, as_: As) -> None:
    client, address = as_("manager"), f"/owner/venues/{place.public_id}/events/new"
    given = NEW | {"date": "2026-11-01", "starts": "01:30", "ends": "04:00"}
    asked = client.post(address, given)
    assert set(asked.context["form"].errors) == {"starts_fold"}
    assert "The second 01:30 (EST), after the clock has gone back" in asked.content.decode()
    assert client.post(address, given | {"starts_fold": chosen}).status_code == 302
    event = Event.objects.get(name="Fair")
    assert event.starts_at.isoformat() == f"2026-11-01T{instant}:00+00:00"
    change = f"/owner/events/{event.public_id}/change"
    assert shown(client, change)["starts_fold"] == chosen
    client.post(change, shown(client, change) | {"starts_fold": str(1 - int(chosen))})
    assert Event.objects.get(pk=event.pk).starts_at != event.starts_at, "the other one can be chosen later"


def test_the_page_shows_all_days(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["a week"])
    words = "Oct. 5, 2026, 9 a.m. – Oct. 12, 2026, 5 p.m."
    for address in (f"/owner/events/{event.public_id}", f"/events/{event.public_id}", "/owner/events"):
        assert words in as_("manager").get(address).content.decode(), address


# Calendar, list, repeat ----------------------------------------------------------------------------------------------
def calendar_of(response: Any) -> Any:
    assert response.headers["Content-Type"].startswith("text/calendar")
    (entry,) = Calendar.from_ical(response.content).walk("VEVENT")
    return entry


def test_a_calendar_file_holds_times_place_and_link(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["25 hours"], name="Fair; with, signs\nand lines")
    invitation = make_invitation(event=event, actor="owner", now=utc_now())
    link = f"http://testserver/events/{event.public_id}"
    for client, address, url in (
        (as_("viewer"), f"/owner/events/{event.public_id}/calendar.ics", f"{link}#{invitation_code(invitation)}"),
        (as_("viewer"), f"/owner/invitations/{invitation.public_id}/calendar.ics",
         f"{link}#{invitation_code(invitation)}"),
        (Client(), f"/events/{event.public_id}/calendar.ics", link),
    ):  # fmt: skip
        entry = calendar_of(client.get(address))
        assert (entry["dtstart"].dt, entry["dtend"].dt) == (event.starts_at, event.ends_at)
        assert (str(entry["summary"]), entry["url"], entry["status"]) == (event.name, url, "CONFIRMED")
        assert str(entry["location"]).startswith(place.name)
    cancel_event(event=event, actor="owner", now=utc_now())
    assert calendar_of(Client().get(f"/events/{event.public_id}/calendar.ics"))["status"] == "CANCELLED"
    assert Client().get("/events/e_0000000000/calendar.ics").status_code == 404


def test_an_event_of_several_days_by_invitation_says_what_each_day_allows(place: Venue, as_: As) -> None:
    words = "Guests check in once for each day of the event."
    for ends, several in (("2026-10-01T20:00+00:00", False), ("2026-10-03T20:00+00:00", True)):
        event = make_event(place, "2026-10-01T16:00+00:00", ends, invitation_needed=True)
        page = as_("manager").get(f"/owner/events/{event.public_id}").content.decode()
        assert (words in page) is several
        cancel_event(event=event, actor="manager", now=utc_now())


def test_a_repeat_names_the_times_within_its_sentence(place: Venue, as_: As) -> None:
    event = make_event(place, "2026-10-01T16:00+00:00", "2026-10-01T20:00+00:00")
    page = as_("manager").get(f"/owner/events/{event.public_id}/repeat").content.decode()
    assert "4 p.m.)" in page
    assert "p.m.." not in page


def test_an_event_is_repeated_at_the_same_time_of_the_clock(place: Venue, as_: As) -> None:
    event = make_event(place, "2026-10-23T23:00Z", "2026-10-25T00:00Z", name="Fair")
    sent = {"every": "7", "times": "2"}
    assert as_("manager").post(f"/owner/events/{event.public_id}/repeat", sent).status_code == 302
    made = Event.objects.filter(venue=place, name=event.name).exclude(pk=event.pk).order_by("starts_at")
    assert [(one.starts_at.isoformat(), one.ends_at.isoformat()) for one in made] == [
        ("2026-10-30T23:00:00+00:00", "2026-11-01T00:00:00+00:00"),
        ("2026-11-07T00:00:00+00:00", "2026-11-08T01:00:00+00:00"),
    ]
    codes = {invitation_code(one) for one in Invitation.objects.filter(event__in=made)}
    assert len(codes) == 2, "each has an invitation of its own"


def test_a_repeat_on_a_time_that_is_skipped_or_into_the_next_event_makes_nothing(place: Venue, as_: As) -> None:
    night = make_event(place, "2027-03-07T07:30Z", "2027-03-07T09:00Z")
    before = Event.objects.count()
    page = as_("manager").post(f"/owner/events/{night.public_id}/repeat", {"every": "7", "times": "2"})
    assert page.context["form"].errors["times"] == ["On 2027-03-14 the clock goes forward, so there is no 02:30."]
    long = make_event(place, *SPANS["a week"])
    page = as_("manager").post(f"/owner/events/{long.public_id}/repeat", {"every": "1", "times": "2"})
    assert set(page.context["form"].errors) == {"every"}
    assert Event.objects.count() == before + 1


def test_an_event_that_is_over_is_repeated_in_the_future(place: Venue, as_: As, time_machine: Any) -> None:
    event = make_event(place, *SPANS["an evening"])
    time_machine.move_to("2026-10-28T12:00:00Z")
    as_("manager").post(f"/owner/events/{event.public_id}/repeat", {"every": "7", "times": "1"})
    made = Event.objects.filter(venue=place, name=event.name).latest("starts_at")
    assert made.starts_at.isoformat() == "2026-11-03T00:00:00+00:00"


def test_the_list_has_the_next_event_first_and_no_event_of_others(place: Venue, as_: As, time_machine: Any) -> None:
    factories.make_event(name="Not mine", now=utc_now(), starts_at=utc_now() + HOUR)
    make_event(place, *SPANS["a week"], name="Later")
    make_event(place, *SPANS["an evening"], name="Sooner")
    time_machine.move_to("2026-10-06T12:00:00Z")
    for address in ("/owner/events", f"/owner/venues/{place.public_id}/events"):
        page = as_("viewer").get(address)
        assert [event.name for event, _when in page.context["ahead"]][:1] == ["Later"], address
        assert "Sooner" in [event.name for event, _when in page.context["past"]]
        assert "Not mine" not in page.content.decode()


# Invitations ---------------------------------------------------------------------------------------------------------
def test_each_guest_gets_an_invitation(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["an evening"])
    sent = {"count": "12", "uses": "1"}
    answer = as_("manager").post(f"/owner/events/{event.public_id}/invitations/new", sent)
    assert answer.headers["Location"] == f"/owner/events/{event.public_id}/invitations"
    page = as_("viewer").get(answer.headers["Location"]).content.decode()
    links = re.findall(r'link-box">(http://testserver/events/[^<]+)', page)
    assert len(set(links)) == 12
    assert [one.uses_left for one in event.invitations.all()] == [1] * 12
    too_many = as_("manager").post(f"/owner/events/{event.public_id}/invitations/new", {"count": "201", "uses": "1"})
    assert set(too_many.context["form"].errors) == {"count"}


def test_link_and_poster_use_an_invitation_that_lets_many_in(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["an evening"])
    single = make_invitation(event=event, uses=1, actor="owner", now=utc_now())
    general = make_invitation(event=event, actor="owner", now=utc_now())
    page = as_("viewer").get(f"/owner/events/{event.public_id}")
    assert page.context["address"].endswith(f"#{invitation_code(general)}")
    revoke_invitation(invitation=general, actor="owner", now=utc_now())
    page = as_("viewer").get(f"/owner/events/{event.public_id}")
    assert page.context["address"].endswith(f"#{invitation_code(single)}")


def test_nothing_that_a_host_sees_depends_on_the_uses_left(place: Venue, as_: As) -> None:
    """Otherwise a host who makes and revokes invitations could count who answered."""
    event = make_event(place, *SPANS["an evening"])
    mine = [make_invitation(event=event, uses=uses, actor="owner", now=utc_now()) for uses in (1, 1, 9, 10)]
    client = as_("manager")
    paths = ["", "/invitations", "/calendar.ics", "/poster.pdf", "/code"]

    def shown() -> list[bytes]:
        return [strip(client.get(f"/owner/events/{event.public_id}{path}")) for path in paths]

    with time_machine.travel(utc_now(), tick=False):
        before = shown()
        for one in mine:
            Invitation.objects.filter(pk=one.pk).update(uses_left=0, used_later={"1791158400": one.uses})
        assert shown() == before


def strip(response: Any) -> bytes:
    """Return the body without the tokens of forms, which differ each time."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"', b"", body)


def test_without_an_invitation_that_holds_there_is_no_poster(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["an evening"])
    revoke_invitation(
        invitation=make_invitation(event=event, actor="owner", now=utc_now()), actor="owner", now=utc_now()
    )
    page = as_("manager").get(f"/owner/events/{event.public_id}").content.decode()
    assert "nobody can check in" in page
    assert "poster.pdf" not in page
    answer = as_("manager").get(f"/owner/events/{event.public_id}/poster.pdf")
    assert answer.headers["Location"] == f"/owner/events/{event.public_id}"


def test_an_open_event_leads_to_its_own_page(place: Venue, as_: As) -> None:
    event = make_event(place, *SPANS["an evening"], invitation_needed=False)
    page = as_("viewer").get(f"/owner/events/{event.public_id}")
    assert page.context["address"] == f"http://testserver/events/{event.public_id}"


# The same of everything else that pages change -----------------------------------------------------------------------
@pytest.mark.parametrize("sent", [{"name": "Renamed"}, {"zip": "94110"}, {"usual_dwell_min": "45"}])
def test_an_edit_of_a_place_keeps_what_it_does_not_name(sent: dict[str, str], place: Venue, as_: As) -> None:
    Venue.objects.filter(pk=place.pk).update(volume_m3=123.456789, air_changes_per_h=1.25, listed=True, unmanned=True)
    before = dict(Venue.objects.values().get(pk=place.pk))
    assert as_("manager").post(f"/owner/venues/{place.public_id}/facts", sent).status_code == 302
    after = dict(Venue.objects.values().get(pk=place.pk))
    changed = {name for name, value in after.items() if value != before[name]} - {"words"}
    assert changed <= set(sent)
    as_("manager").post(f"/owner/venues/{place.public_id}/facts", shown(as_("manager"),
                        f"/owner/venues/{place.public_id}/facts") | {"name": "Again"})  # fmt: skip
    again = dict(Venue.objects.values().get(pk=place.pk))
    assert {name for name, value in again.items() if value != after[name]} - {"words"} == {"name"}


def set_rules(place: Venue, **changes: Any) -> None:
    place.refresh_from_db()
    assert place.requirements is not None
    values = RequirementValues.of(place.requirements).changed(changes)
    set_requirements(venue=place, values=values, actor="owner", now=utc_now())


@pytest.mark.parametrize("unit", ["F", "C"])
def test_an_edit_of_a_rule_keeps_a_limit_that_is_shown_rounded(unit: str, place: Venue, as_: As, settings: Any) -> None:
    settings.TEMPERATURE_UNIT = unit
    kept = {"max_temperature_f": 100.123, "min_o2": 90, "refuse_contact": True}
    set_rules(place, **kept)
    address = f"/owner/venues/{place.public_id}/rules"
    client = as_("manager")
    sent = shown(client, address) | {"do": "confirm", "capacity": "77"}
    assert client.post(address, sent).status_code == 302
    row = place.requirement_versions.latest("version")
    assert {name: getattr(row, name) for name in kept} == kept
    assert row.capacity == 77
    assert client.post(address, {"do": "confirm", "capacity": "78", "version": str(row.version)}).status_code == 302
    row = place.requirement_versions.latest("version")
    assert {name: getattr(row, name) for name in kept} == kept


def test_an_edit_of_a_day_keeps_the_hours_of_the_others(place: Venue, as_: As) -> None:
    week = [[[600, 2160]], [[720, 1440]], [[1020, 1500]], [], [[0, 1440]], [[540, 720], [840, 1080]], []]
    set_rules(place, hours=week)
    client, address = as_("manager"), f"/owner/venues/{place.public_id}/hours"
    for number, sent in enumerate((shown(client, address) | {"day_6": "10-11"}, {"day_6": "11-12"})):
        version = place.requirement_versions.latest("version").version
        assert client.post(address, sent | {"version": str(version)}).status_code == 302
        hours = place.requirement_versions.latest("version").hours
        assert hours == [*week[:6], [[600 + 60 * number, 660 + 60 * number]]]


def test_rules_say_from_which_day_they_hold(place: Venue, as_: As) -> None:
    client = as_("manager")
    address = f"/owner/venues/{place.public_id}/rules"
    preview = client.post(address, shown(client, address) | {"do": "preview"}).content.decode()
    assert "take effect for check-ins from Sept. 22, 2026 on" in preview, "check-in for tomorrow is open already"
    set_rules(place, capacity=9)
    for page in ("settings", "versions"):
        text = client.get(f"/owner/venues/{place.public_id}/{page}").content.decode()
        assert "Sept. 22, 2026" in text
        assert "Sept. 20, 2026, 8 a.m." in text, "by the clock of the place"
