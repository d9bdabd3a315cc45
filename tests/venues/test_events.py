"""Events and invitations."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from common.time import utc_now, z
from common.web.problems import Conflict, Gone, Invalid
from passes.limits import EPOCH_LENGTH
from tests.factories import HOUR, NOW, make_event, make_user, make_venue
from tests.venues.conftest import Race, call
from venues import selectors
from venues.hours import NEVER_OPEN, Interval, is_open
from venues.models import Event, Invitation, Organisation
from venues.requirements import RequirementValues
from venues.services import events
from venues.services.events import (
    cancel_event,
    forget_uses,
    invitation_code,
    make_invitation,
    revoke_invitation,
    take_invitation,
    update_event,
)

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
START, END = NOW, NOW + DAY


def take(event: Event, code: str, start: dt.datetime = START, end: dt.datetime = END) -> bool:
    return take_invitation(venue_id=event.venue_id, code=code, start=start, end=end)


def invite(event: Event, uses: int | None = None) -> tuple[Invitation, str]:
    invitation = make_invitation(event=event, uses=uses, actor="owner", now=NOW)
    return invitation, invitation_code(invitation)


class TestEvents:
    @pytest.mark.parametrize(
        ("times", "pointer"),
        [
            ((HOUR, HOUR), "/ends_at"),
            ((2 * HOUR, HOUR), "/ends_at"),
            ((-2 * HOUR, -HOUR), "/ends_at"),
            ((HOUR, HOUR + 15 * DAY), "/ends_at"),
            ((731 * DAY, 731 * DAY + HOUR), "/starts_at"),
        ],
    )
    def test_times_that_mean_nothing_are_refused(self, times: tuple[dt.timedelta, dt.timedelta], pointer: str) -> None:
        with pytest.raises(Invalid) as caught:
            make_event(starts_at=NOW + times[0], ends_at=NOW + times[1])
        assert caught.value.errors[0].pointer == pointer

    def test_one_that_is_over_or_cancelled_cannot_change(self) -> None:
        event = make_event()
        with pytest.raises(Gone):
            update_event(event=event, size=3, actor="owner", now=event.ends_at)
        cancel_event(event=event, actor="owner", now=NOW)
        with pytest.raises(Gone):
            update_event(event=event, size=3, actor="owner", now=NOW)
        with pytest.raises(Gone):
            invite(event)

    def test_a_day_with_an_event_by_invitation_is_a_day_by_invitation(self) -> None:
        event = make_event(starts_at=NOW + 8 * HOUR)
        venue = event.venue
        assert selectors.invitation_needed(venue, START, END)
        assert not selectors.invitation_needed(venue, START + DAY, END + DAY)
        update_event(event=event, invitation_needed=False, actor="owner", now=NOW)
        assert not selectors.invitation_needed(venue, START, END)

    def test_each_day_of_an_event_of_days_is_by_invitation(self) -> None:
        midnight = NOW.replace(hour=0)
        event = make_event(starts_at=NOW + 8 * HOUR, ends_at=NOW + 60 * HOUR)
        days = [midnight + number * DAY for number in range(-1, 4)]
        needed = [selectors.invitation_needed(event.venue, day, day + DAY) for day in days]
        assert needed == [False, True, True, True, False]

    @pytest.mark.parametrize(("hours", "after_midnight", "needed"), [
        (None, 2 * HOUR, False),
        (None, 4 * HOUR, False),
        (None, 5 * HOUR, True),
        (NEVER_OPEN, HOUR, True),
        (NEVER_OPEN, 0 * HOUR, False),
    ])  # fmt: skip
    def test_the_night_after_an_event_is_by_invitation_where_the_place_has_no_hours_of_its_own(
        self, hours: Any, after_midnight: dt.timedelta, needed: bool
    ) -> None:
        """Passes of the evening open the door until four; the next day's other guests need none."""
        venue = make_venue(requirements=RequirementValues(hours=hours) if hours else RequirementValues())
        midnight = NOW.replace(hour=0) + DAY
        make_event(venue=venue, starts_at=midnight - 3 * HOUR, ends_at=midnight + after_midnight)
        assert selectors.invitation_needed(venue, midnight - DAY, midnight)
        assert selectors.invitation_needed(venue, midnight, midnight + DAY) is needed

    def test_a_venue_has_a_bound_on_events(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(events, "MOST_EVENTS", 1)
        event = make_event()
        with pytest.raises(Conflict):
            make_event(venue=event.venue)


def test_the_night_lasts_as_long_as_passes_of_the_day_before() -> None:
    assert selectors.NIGHT == EPOCH_LENGTH - DAY


class TestInvitations:
    def test_it_opens_as_often_as_the_event_holds_people(self) -> None:
        event = make_event(size=2)
        _invitation, code = invite(event)
        assert [take(event, code) for _time in range(3)] == [True, True, False]

    def test_each_day_of_an_event_has_all_its_uses(self) -> None:
        midnight = NOW.replace(hour=0)
        event = make_event(starts_at=NOW + 8 * HOUR, ends_at=midnight + 3 * DAY)
        _invitation, code = invite(event, uses=1)
        days = [midnight + number * DAY for number in range(-1, 4)]
        taken = [[take(event, code, day, day + DAY) for _time in range(2)] for day in days]
        assert taken == [[False, False], [True, False], [True, False], [True, False], [False, False]]

    def test_the_night_after_an_evening_has_no_uses_of_its_own(self) -> None:
        midnight = NOW.replace(hour=0) + DAY
        event = make_event(starts_at=midnight - 3 * HOUR, ends_at=midnight + 2 * HOUR)
        _invitation, code = invite(event, uses=2)
        spans = [(midnight - DAY, midnight), (midnight, midnight + DAY), (midnight, midnight + DAY)]
        assert [take(event, code, *span) for span in spans] == [True, True, False]

    def test_uses_are_forgotten_once_their_day_is_over_and_those_of_open_days_stay(self) -> None:
        midnight = NOW.replace(hour=0) + DAY
        event = make_event(starts_at=midnight - 4 * HOUR, ends_at=midnight + 9 * DAY)
        invitation, code = invite(event, uses=1)
        untouched, _code = invite(event, uses=1)
        days = [midnight + number * DAY for number in range(-1, 8)]
        assert all(take(event, code, day, day + DAY) for day in days)
        assert forget_uses(now=days[4] + DAY) == 1
        invitation.refresh_from_db()
        assert invitation.uses_left == 1
        assert sorted(map(int, invitation.used_later)) == [day.timestamp() for day in days[2:]]
        assert not any(take(event, code, day, day + DAY) for day in days[3:])
        assert forget_uses(now=days[4] + DAY) == 0
        assert forget_uses(now=days[-1] + 4 * DAY) == 1
        invitation.refresh_from_db()
        untouched.refresh_from_db()
        assert (invitation.uses_left, invitation.used_later) == (untouched.uses_left, untouched.used_later)

    def test_it_opens_as_often_as_the_host_says(self) -> None:
        event = make_event(size=20)
        _invitation, code = invite(event, uses=1)
        assert [take(event, code) for _time in range(2)] == [True, False]
        for uses in (0, 21):
            with pytest.raises(Invalid):
                invite(event, uses=uses)

    def test_it_may_be_typed_with_capitals_and_spaces(self) -> None:
        event = make_event()
        _invitation, code = invite(event)
        assert take(event, f" {code[:6]} {code[6:]}".upper())

    def test_unknown_foreign_late_revoked_and_cancelled_ones_open_nothing(self) -> None:
        event, other = make_event(), make_event()
        invitation, code = invite(event)
        assert not take(event, "0" * 12)
        assert not take(other, code)
        assert not take(event, code, END, END + DAY)
        revoke_invitation(invitation=invitation, actor="owner", now=NOW)
        assert not take(event, code)
        _second, second = invite(event)
        cancel_event(event=event, actor="owner", now=NOW)
        assert not take(event, second)

    @pytest.mark.django_db(transaction=True)
    def test_one_of_two_concurrent_takers_gets_the_last_use(self, race: Race) -> None:
        event = make_event()
        _invitation, code = invite(event, uses=1)
        assert sorted(race(lambda: take(event, code), 3)) == [False, False, True]

    def test_a_use_comes_back_when_the_pass_is_not_kept(self) -> None:
        event = make_event()
        invitation, code = invite(event, uses=1)
        with transaction.atomic():
            take(event, code)
            transaction.set_rollback(True)
        invitation.refresh_from_db()
        assert invitation.uses_left == 1

    def test_the_code_is_kept_encrypted_and_as_a_hash(self) -> None:
        invitation, code = invite(make_event())
        assert code.encode() not in bytes(invitation.code)
        assert code.encode() not in bytes(invitation.code_hash)

    def test_any_text_is_an_unknown_code(self) -> None:
        event = make_event()
        for text in ("", "\0", "\ud800", "x" * 5000):
            assert not take(event, text)


class TestQuickEvent:
    def body(self) -> dict[str, Any]:
        start = utc_now() + dt.timedelta(days=3)
        return {
            "name": "Supper",
            "place": "Rosa's kitchen",
            "zip": "94110",
            "time_zone": "America/Los_Angeles",
            "starts_at": z(start),
            "ends_at": z(start + 4 * HOUR),
            "size": 12,
        }

    def post(self, client: Client, **more: Any) -> Any:
        return call(client, "POST", "/api/v1/owner/events/quick", self.body() | more)

    def test_one_call_creates_everything_that_an_event_needs(self, settings: Any) -> None:
        settings.PUBLIC_ORIGIN = "https://crowd.example"
        client = Client()
        client.force_login(make_user(username="rosa"))
        response = self.post(client)
        assert response.status_code == 201
        made = response.json()
        assert made["organisation"]["kind"] == "personal"
        assert "rosa" not in made["organisation"]["name"]
        assert made["venue"]["listed"] is False
        assert made["invitation"]["uses"] == 12
        link = f"https://crowd.example/events/{made['event']['id']}#{made['invitation']['code']}"
        assert made["invitation"]["link"] == link
        venue = selectors.open_venue(made["venue"]["id"])
        assert venue is not None
        assert venue.requirements is not None
        assert (venue.requirements.capacity, venue.requirements.hours) == (12, [[]] * 7)
        assert venue.doors.count() == 1
        event = Event.objects.get()
        assert take(event, made["invitation"]["code"], event.starts_at, event.ends_at)
        times = [Interval(event.starts_at, event.ends_at)]
        assert is_open(venue.requirements.hours, venue.zone, event.starts_at, events=times)
        assert not is_open(venue.requirements.hours, venue.zone, event.ends_at, events=times)

    def test_a_second_one_uses_the_same_organisation(self) -> None:
        client = Client()
        client.force_login(make_user())
        assert self.post(client).json()["organisation"] == self.post(client).json()["organisation"]
        assert Organisation.objects.count() == 1

    def test_it_may_belong_to_an_organisation_of_ones_own_and_to_no_other(self) -> None:
        mine, other = make_venue(), make_venue()
        client = Client()
        client.force_login(mine.organisation.memberships.get().user)
        made = self.post(client, organisation=mine.organisation.public_id).json()
        assert made["organisation"]["id"] == mine.organisation.public_id
        for foreign in (other.organisation.public_id, "o_0000000000", ""):
            response = self.post(client, organisation=foreign)
            assert response.status_code == 400
            assert response.json()["errors"][0]["pointer"] == "/organisation"

    def test_nothing_is_made_when_a_part_is_wrong(self) -> None:
        client = Client()
        client.force_login(make_user())
        response = self.post(client, ends_at="2020-01-01T00:00:00Z")
        assert response.status_code == 400
        assert not Organisation.objects.exists()
